"""Heads are pushed to the running services: a series comes out without its face, or not at all.

The agent is killed twice on the way, and nothing is told twice.
"""

from __future__ import annotations

import json
from io import BytesIO

import msgspec
import pydicom
import pytest

from schemas.image import SeriesManifest
from streams.blobs import Blobs
from streams.crashpoints import DEATHS, VARIABLE
from tests.door import PATIENT
from tests.stack import Stack, running, wait_quiescent
from tests.tiers import TIERS, tier
from tests.unit.agents.anonymization.faces.heads import Scan, scan

PROJECT = "default"
BEFORE_PUBLISH = "anonymization.after_manifest_before_publish"
WHOLE = Scan(spacing=(2.0, 2.0, 3.0))
COARSE = Scan(spacing=(6.0, 6.0, 12.0))
"""Too coarse for anybody to be sure where the face is."""


def uids(dataset):
    found = {str(dataset.file_meta.MediaStorageSOPInstanceUID)}
    for element in dataset.iterall():
        if element.VR == "UI":
            found |= set(map(str, element.value if element.VM > 1 else [element.value]))
    return {uid for uid in found if uid.startswith("2.25.")}


@pytest.mark.slow
@pytest.mark.parametrize("name", TIERS)
def test_faces_go_or_their_series_stays_in(name, tmp_path):
    written = {}
    for seed, how in ((1, WHOLE), (2, COARSE)):
        folder = tmp_path / "in" / str(seed)
        folder.mkdir(parents=True)
        written[seed] = scan(seed, how, PatientName=PATIENT).objects
        for number, content in enumerate(written[seed]):
            (folder / f"{number}.dcm").write_bytes(content)
    images = sum(map(len, written.values()))
    deaths = tmp_path / "deaths"
    deaths.mkdir()
    changed = {
        "CHIPS_ISOLATION": "subprocess",
        "CHIPS_POLICY": "strict",
        # Once when a series is defaced and nobody remembers it, once when its summary is not told.
        VARIABLE: f"anonymization.after_effect_before_fact:{images + 1},{BEFORE_PUBLISH}",
        DEATHS: str(deaths),
    }
    with tier(name, tmp_path) as engines:
        stack = Stack(tmp_path / "chips", {**engines.environment, **changed})
        with running(stack):
            stack.chips("send", str(tmp_path / "in"), f"127.0.0.1:{stack.dicom_port}")
            wait_quiescent(stack, 180)
            lines = stack.chips(
                "replay", "tail", "--beginning", "--no-follow", "--type", "chips.image"
            ).stdout.splitlines()
            cards = stack.session().cards()
    assert {file.name for file in deaths.iterdir()} == {
        "anonymization.after_effect_before_fact",
        BEFORE_PUBLISH,
    }
    events = [json.loads(line) for line in lines]
    told = {
        kind: [event["data"] for event in events if event["type"] == f"chips.image.{kind}.v1"]
        for kind in ("series.anonymized", "instance.quarantined")
    }
    clean, kept = sorted(told["series.anonymized"], key=lambda one: one["quarantined"])
    assert (clean["anonymized"], clean["quarantined"]) == (len(written[1]), 0)
    assert (kept["anonymized"], kept["quarantined"]) == (0, len(written[2]))
    assert [one["reason"] for one in kept["reasons"]] == ["face-not-removed"]
    # Of each image that stays in it is told once.
    instances = [one["instance"] for one in told["instance.quarantined"]]
    assert len(instances) == len(set(instances)) == len(written[2])
    assert sorted((card["anonymized"], card["quarantined"]) for card in cards) == [
        (0, len(written[2])),
        (len(written[1]), 0),
    ]

    originals = [pydicom.dcmread(BytesIO(content)) for content in written[1]]
    known = set().union(*map(uids, originals))
    blobs = Blobs(tmp_path / "chips" / "blobs")
    manifest = msgspec.json.decode(
        blobs.path(PROJECT, clean["manifest"]["sha256"]).read_bytes(), type=SeriesManifest
    )
    assert len(manifest.instances) == len(originals)
    replaced = 0
    for entry in manifest.instances:
        content = blobs.path(PROJECT, entry.blob).read_bytes()
        dataset = pydicom.dcmread(BytesIO(content))
        assert dataset.RecognizableVisualFeatures == "NO"
        assert "113102" in {code.CodeValue for code in dataset.DeidentificationMethodCodeSequence}
        assert len(dataset.DeidentificationMethod) == 2
        assert not uids(dataset) & known
        assert not any(uid.encode() in content for uid in known)
        assert PATIENT.encode() not in content
        original = next(one for one in originals if one.InstanceNumber == dataset.InstanceNumber)
        replaced += dataset.PixelData != original.PixelData
    assert 0 < replaced < len(originals)
    # What still has its face lies in no blob.
    files = [file for file in blobs.root.rglob("*") if file.is_file()]
    objects = [file for file in files if file.read_bytes()[128:132] == b"DICM"]
    assert len(objects) == len(originals)
