"""From the originals of a series to blobs without a face, or the reason why each stays in."""

from __future__ import annotations

import asyncio
import os
import signal
from io import BytesIO

import msgspec
import pydicom
import pytest

from agents.anonymization import series_faces, whole_series
from agents.anonymization.anonymize import anonymize
from agents.anonymization.judging import judge_with
from agents.anonymization.outcome import Refusal
from agents.anonymization.policy.document import Policy
from agents.anonymization.series_faces import FacesAside
from agents.anonymization.whole_series import Facing, Place, Waiting, take_faces
from gateway.keys import Keyring
from schemas.facts import AnonymizedInstance, QuarantinedInstance
from streams.blobs import Blobs
from streams.errors import NoSpace, Unavailable
from tests.door import PATIENT, image, written

PROJECT = "default"
POLICY = Policy(name="faces", version=1, options=frozenset(["clean_recognizable_visual_features"]))


def painted(objects):
    """Take a face out: every pixel becomes 7."""
    made = []
    for content in objects:
        dataset = pydicom.dcmread(BytesIO(content))
        dataset.PixelData = b"\x07\x00" * (len(dataset.PixelData) // 2)
        buffer = BytesIO()
        dataset.save_as(buffer, enforce_file_format=True)
        made.append(buffer.getvalue())
    return made


class Inner:
    """A vault with one series of heads, and what is made of it."""

    def __init__(self, folder):
        self.vault, self.blobs = folder / "vault", Blobs(folder / "blobs")
        self.key = Keyring(self.vault).project_key(PROJECT)
        originals = Blobs(self.vault / "objects", private=True)
        self.judge = judge_with(originals, lambda _project: self.key, POLICY)
        self.images = []
        for file in written(folder / "in", [image("1.2.3.9", number=number) for number in (1, 2, 3)]):
            blob = originals.put(PROJECT, file, "application/dicom")
            found = anonymize(file, key=self.key, policy=POLICY)
            assert found.face
            self.images.append(
                Waiting(
                    PROJECT,
                    found.patient,
                    found.study,
                    found.series,
                    found.instance,
                    blob.sha256,
                    blob,
                )
            )

    @property
    def place(self):
        return Place(self.vault, self.blobs.root, POLICY)

    def take(self, deface=painted, images=None):
        return take_faces(
            images or self.images,
            judge=self.judge,
            blobs=self.blobs,
            policy=POLICY,
            facing=Facing(deface, "some tool 1.0"),
        )

    def read(self, outcome):
        return pydicom.dcmread(self.blobs.path(PROJECT, outcome.blob))


@pytest.fixture
def inner(tmp_path):
    return Inner(tmp_path)


def reasons(outcomes):
    return [isinstance(one, QuarantinedInstance) and one.reason for one in outcomes]


def test_what_comes_out_has_no_face_and_says_what_took_it_out(inner):
    found = inner.take()
    assert found == inner.take()
    label = POLICY.label_with(["some tool 1.0"])
    for number, (one, waited) in enumerate(zip(found, inner.images, strict=True), 1):
        assert isinstance(one, AnonymizedInstance)
        assert (one.instance, one.digest, one.policy) == (waited.instance, waited.digest, label)
        assert one.attributes.rows == 32
        dataset = inner.read(one)
        assert dataset.InstanceNumber == number
        assert set(dataset.PixelData) == {0, 7}
        said, tool = dataset.DeidentificationMethod
        assert label in said
        assert tool == "some tool 1.0"
        assert PATIENT.encode() not in inner.blobs.path(PROJECT, one.blob).read_bytes()


def refusing(objects):
    raise Refusal("face-not-removed", "Nobody can be sure.")


def stumbling(objects):
    raise RuntimeError("SYNTHETIC^CARLA")


@pytest.mark.parametrize(
    ("deface", "message"),
    [
        (refusing, "Nobody can be sure."),
        (stumbling, "Taking the face out of the series failed (RuntimeError)."),
        (lambda objects: [b"no DICOM" for _ in objects], None),
    ],
)
def test_where_the_face_stays_the_series_does(inner, deface, message):
    found = inner.take(deface)
    assert reasons(found) == ["face-not-removed"] * 3
    assert message is None or {one.message for one in found} == {message}
    assert not inner.blobs.root.exists()


def test_an_original_that_is_lost_stays_in_alone(inner):
    Blobs(inner.vault / "objects").path(PROJECT, inner.images[1].blob).unlink()
    assert reasons(inner.take()) == [False, "missing-original", False]
    assert reasons(inner.take(refusing)) == ["face-not-removed", "missing-original", "face-not-removed"]


def test_an_original_that_is_another_one_stays_in_alone(inner):
    inner.images[2] = inner.images[2]._replace(instance="f" * 32)
    assert reasons(inner.take()) == [False, False, "identity-mismatch"]


def test_a_series_is_bounded_by_what_it_takes_and_by_what_it_becomes(inner, monkeypatch):
    size = sum(one.blob.size for one in inner.images)
    monkeypatch.setattr(whole_series, "BYTES_AT_MOST", size - 1)
    assert reasons(inner.take()) == ["too-large"] * 3
    small = [one._replace(blob=msgspec.structs.replace(one.blob, size=1)) for one in inner.images]
    monkeypatch.setattr(whole_series, "BYTES_AT_MOST", size // 2)
    assert reasons(inner.take(images=small)) == ["too-large"] * 3


def test_a_disk_that_is_away_or_full_is_no_reason_to_keep_anything_in(inner, monkeypatch):
    def full(*_):
        raise NoSpace("The disk is full.")

    monkeypatch.setattr(inner.blobs, "put", full)
    with pytest.raises(NoSpace):
        inner.take()
    (inner.vault / "objects").rename(inner.vault / "elsewhere")
    with pytest.raises(Unavailable):
        inner.take()


# -- in a process of its own


def dying(place, images):
    os.kill(os.getpid(), signal.SIGKILL)


async def test_the_process_reads_the_vault_by_itself(inner):
    """Three slices that lie nowhere have no face that anybody finds: `faces` says so, in that process."""
    found = await FacesAside(inner.place)(inner.images)
    assert reasons(found) == ["face-not-removed"] * 3
    assert {one.message for one in found} == {
        "An image of the series does not say where it lies in the patient."
    }
    assert [one.digest for one in found] == [one.digest for one in inner.images]


async def test_one_series_is_worked_on_at_a_time(inner, monkeypatch):
    at_once = []

    async def work(*_, limit_s):
        at_once.append("begins")
        await asyncio.sleep(0)
        at_once.append("ends")
        return []

    monkeypatch.setattr(series_faces, "aside", work)
    faces = FacesAside(inner.place)
    await asyncio.gather(*(faces(inner.images) for _ in range(3)))
    assert at_once == ["begins", "ends"] * 3


async def test_no_answer_keeps_the_series_in(inner, monkeypatch):
    found = await FacesAside(inner.place, limit_s=0.001)(inner.images)
    assert [(one.reason, one.message, one.policy) for one in found] == [
        ("face-not-removed", "Taking the face out of the series took longer than 0.001 s.", POLICY.label)
    ] * 3
    monkeypatch.setattr(series_faces, "take_faces_at", dying)
    found = await FacesAside(inner.place)(inner.images)
    assert {(one.reason, one.message) for one in found} == {
        (
            "face-not-removed",
            "Taking the face out of the series ended its process, twice: is there enough memory?",
        )
    }
