"""Faces go series by series; what has none that could be found stays in."""

from __future__ import annotations

import msgspec
import pydicom
import pytest

from agents.anonymization import faces
from agents.anonymization.anonymize import anonymize as real_anonymize
from agents.anonymization.files import judging
from agents.anonymization.files.outputs import PARTIAL
from agents.anonymization.outcome import Refusal
from agents.anonymization.policy.document import Policy
from tests.unit.agents.anonymization.files.here import outputs

FACES = Policy(name="x", version=1, options=frozenset(["clean_recognizable_visual_features"]))
WITHOUT = b"\1" * 128


@pytest.fixture
def with_faces(monkeypatch):
    """Let every object have a face, and take it out by a preamble; gives the sizes of the series."""
    series = []

    def anonymize(path, **options):
        result = real_anonymize(path, **options)
        return msgspec.structs.replace(result, face=True)

    def deface(objects):
        series.append(len(objects))
        return [WITHOUT + content[128:] for content in objects]

    monkeypatch.setattr(judging, "anonymize", anonymize)
    monkeypatch.setattr(faces, "deface", deface)
    return series


@pytest.fixture
def two_series(saved):
    for number in range(6):
        saved(
            f"in/{number}.dcm",
            SOPInstanceUID=f"1.2.3.4.{number}",
            SeriesInstanceUID=f"1.2.3.5.{number % 2}",
            BodyPartExamined="HEAD",
        )


def test_faces_are_taken_out_series_by_series(tmp_path, two_series, with_faces, anonymized):
    summary, lines = anonymized(policy=FACES)
    assert with_faces == [3, 3]
    assert summary.accounted_for
    assert len(outputs(tmp_path)) == 6
    for entry in lines.values():
        content = (tmp_path / "out" / entry.output).read_bytes()
        assert content.startswith(WITHOUT)
        assert entry.output_bytes == len(content)
        label, tool = pydicom.dcmread(tmp_path / "out" / entry.output).DeidentificationMethod
        assert tool == faces.TOOL == entry.tools[-1]
        assert FACES.label_with([faces.TOOL]) in label
    anonymized(policy=FACES)
    assert with_faces == [3, 3]
    (tmp_path / "out" / lines["0.dcm"].output).unlink()
    anonymized(policy=FACES)
    assert with_faces == [3, 3, 3]


@pytest.mark.usefixtures("two_series", "with_faces")
def test_what_waited_for_its_series_goes_with_it(tmp_path, anonymized, monkeypatch):
    waiting = []

    def deface(objects):
        waiting.append(len(list((tmp_path / "out" / PARTIAL).glob("[0-9]*"))))
        return list(objects)

    monkeypatch.setattr(faces, "deface", deface)
    anonymized(policy=FACES)
    assert waiting == [6, 3]


@pytest.mark.usefixtures("two_series", "with_faces")
def test_a_series_whose_faces_stay_is_kept_back_as_a_whole(
    tmp_path, two_series, with_faces, anonymized, monkeypatch
):
    def deface(objects):
        if not with_faces:
            with_faces.append(len(objects))
            raise Refusal("too-large", "No.")
        return list(objects)

    monkeypatch.setattr(faces, "deface", deface)
    summary, lines = anonymized(policy=FACES)
    assert sorted(entry.result for entry in lines.values()) == ["anonymized"] * 3 + ["quarantined"] * 3
    assert {entry.reason for entry in lines.values()} == {None, "too-large"}
    assert len(outputs(tmp_path)) == 3
    assert summary.accounted_for


@pytest.mark.usefixtures("two_series")
def test_where_no_face_is_found_every_file_of_the_series_stays_in_with_the_reason(tmp_path, anonymized):
    summary, lines = anonymized(policy=FACES)
    told = {(entry.reason, entry.message) for entry in lines.values()}
    message = "The images do not form a volume in which a face could be found."
    assert told == {("face-not-removed", message)}
    assert len(lines) == 6
    assert outputs(tmp_path) == {}
    assert not (tmp_path / "out" / PARTIAL).exists()
    assert summary.accounted_for


def test_a_twin_of_an_object_with_a_face_waits_for_it(tmp_path, two_series, with_faces, anonymized):
    content = (tmp_path / "in" / "0.dcm").read_bytes()
    (tmp_path / "in" / "twin.dcm").write_bytes(content)
    summary, lines = anonymized(policy=FACES)
    assert (lines["twin.dcm"].result, lines["twin.dcm"].of) == ("duplicate", "0.dcm")
    assert summary.accounted_for


# -- what was changed
