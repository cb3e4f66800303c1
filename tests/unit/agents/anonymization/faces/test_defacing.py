"""Faces go, brains stay: on heads of known anatomy, scanned in any direction."""

from __future__ import annotations

import functools
from io import BytesIO

import numpy as np
import pydicom
import pytest
import SimpleITK

from agents.anonymization.faces import TOOL, deface, defacing
from agents.anonymization.faces.writing import derived_uid
from agents.anonymization.files.manifest import Manifest
from agents.anonymization.files.run import Job, anonymize_files
from agents.anonymization.outcome import Refusal
from agents.anonymization.policy.document import Policy
from gateway.identity import ProjectKey
from plugins.phantom.packaged import mni_series
from tests.unit.agents.anonymization.faces.heads import Scan, as_bytes, scan

HEADS = {
    "MR, sagittal, turned": (
        8,
        Scan(plane="sagittal", spacing=(2.2, 2.2, 3.0), turn=(12.0, 6.0, -10.0), mean=True),
    ),
    "MR, coronal, with the MNI152 brain": (
        3,
        Scan(
            plane="coronal",
            spacing=(2.2, 2.2, 3.0),
            flips=(True, False, True),
            centre=(30.0, -250.0, 600.0),
            mean=True,
            real_brain=True,
        ),
    ),
    "CT, gantry tilted, from the crown": (
        7,
        Scan(contrast="CT", tilt=18.0, spacing=(2.0, 2.0, 4.0), flips=(False, False, True), mean=True),
    ),
}


@functools.cache
def scanned(name):
    seed, how = HEADS[name]
    return scan(seed, how)


@functools.cache
def shuffled(name):
    order = list(range(len(scanned(name).objects)))
    np.random.default_rng(5).shuffle(order)
    return order


@functools.cache
def defaced(name):
    """Objects in the order of the slices; they are given in another one."""
    order = shuffled(name)
    result = deface([scanned(name).objects[index] for index in order])
    return [result[order.index(index)] for index in range(len(order))]


def read(content, **options):
    return pydicom.dcmread(BytesIO(content), **options)


def stored(objects):
    return np.stack([read(content).pixel_array for content in objects])


@pytest.mark.parametrize("name", HEADS)
def test_the_face_goes_and_the_brain_stays(name):
    check_replaced(scanned(name), stored(defaced(name)))


@pytest.mark.parametrize("name", HEADS)
def test_nothing_shows_a_surface_where_the_face_was(name):
    check_surface(scanned(name), stored(defaced(name)))


def check_replaced(head, after):
    _, truth, values, places = head
    changed = after != values
    assert not changed[truth["brain"]].any()
    for part in ("nose", "eyes", "chin"):
        assert changed[truth[part]].mean() > 0.99, part
    # Whatever is changed is one value: what was there can't be computed from it.
    assert len(np.unique(after[changed])) == 1
    _, y, z = np.moveaxis(places, -1, 0)
    # The back of the head and the crown stay, whatever is done in front.
    assert not changed[(y > 55) | (z > 25)].any()


def check_surface(head, after):
    _, truth, values, places = head
    air = np.median(values[truth["tissue"] == 0])
    tissue = np.median(values[truth["brain"]])
    solid = after > (air + tissue) / 2
    x, y, z = np.abs(places[..., 0]), places[..., 1], places[..., 2]
    face = (x < 40) & (y < -75) & (z > -110) & (z < -28)
    assert np.count_nonzero((values > (air + tissue) / 2) & face) > 2000
    assert np.count_nonzero(solid & face) == 0
    # Ears: what stands out beside the head.
    ears = (x > 77) & (np.abs(y - 12) < 20) & (z > -62) & (z < -34)
    assert np.count_nonzero((values > (air + tissue) / 2) & ears) > 20
    assert np.count_nonzero(solid & ears) == 0


def test_what_comes_out_says_what_was_done():
    name = "CT, gantry tilted, from the crown"
    for old, new in zip(map(read, scanned(name).objects), map(read, defaced(name)), strict=True):
        assert (
            new.SOPInstanceUID == derived_uid(old.SOPInstanceUID) == new.file_meta.MediaStorageSOPInstanceUID
        )
        assert new.SeriesInstanceUID == old.SeriesInstanceUID
        assert new.ImageType == ["DERIVED", "PRIMARY", "AXIAL"]
        assert new.RecognizableVisualFeatures == "NO"
        assert [code.CodeValue for code in new.DeidentificationMethodCodeSequence] == ["113102"]
        assert [code.CodeValue for code in new.DerivationCodeSequence] == ["113102"]
        assert [item.ReferencedSOPInstanceUID for item in new.SourceImageSequence] == [old.SOPInstanceUID]
        said = {
            *("ImageType", "SOPInstanceUID", "SourceImageSequence", "DerivationDescription", "PixelData"),
            *("DerivationCodeSequence", "DeidentificationMethodCodeSequence", "RecognizableVisualFeatures"),
        }
        assert {element.keyword for element in new if old.get(element.keyword) != element.value} <= said
    assert len({read(content).SOPInstanceUID for content in defaced(name)}) == len(defaced(name))


def test_the_same_series_in_another_order_gives_the_same_bytes():
    name = "CT, gantry tilted, from the crown"
    assert deface(scanned(name).objects) == defaced(name)


def test_itk_sums_in_one_thread_and_is_left_as_it_was(monkeypatch):
    before = SimpleITK.ProcessObject.GetGlobalDefaultNumberOfThreads()
    threads = []

    def find(*_):
        threads.append(SimpleITK.ProcessObject.GetGlobalDefaultNumberOfThreads())

    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(3)
    monkeypatch.setattr(defacing, "find", find)
    try:
        assert "be sure where" in refused(small())
        assert (threads, SimpleITK.ProcessObject.GetGlobalDefaultNumberOfThreads()) == ([1], 3)
    finally:
        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


# -- by the command


def test_a_series_in_two_folders_comes_out_without_its_face_and_a_piece_of_one_stays_in(tmp_path):
    head = scan(1, Scan(spacing=(2.2, 2.2, 3.0)), SeriesDescription="Axial T1", BodyPartExamined="HEAD")
    for number, content in enumerate(head.objects):
        folder = tmp_path / "in" / f"disc {number % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number * 37 % 101:03}.dcm").write_bytes(content)
    for number, content in enumerate(scan(2, Scan(spacing=(6.0, 6.0, 12.0))).objects[3:5]):
        (tmp_path / "in" / f"piece {number}.dcm").write_bytes(content)
    policy = Policy(name="x", version=1, options=frozenset(["clean_recognizable_visual_features"]))
    key = ProjectKey(project="00000000-0000-4000-8000-000000000001", secret=bytes(range(32)))
    job = Job(tmp_path / "in", tmp_path / "out", tmp_path / "m.jsonl", key, policy, workers=1)
    assert anonymize_files(job).accounted_for
    with Manifest(tmp_path / "m.jsonl") as manifest:
        lines = {entry.input: entry for entry in manifest.read()}
    pieces = [lines.pop(f"piece {number}.dcm") for number in range(2)]
    assert {(one.result, one.reason) for one in pieces} == {("quarantined", "face-not-removed")}
    assert {(one.result, one.tools) for one in lines.values()} == {("anonymized", (TOOL,))}
    images = [pydicom.dcmread(tmp_path / "out" / one.output) for one in lines.values()]
    images.sort(key=lambda image: float(image.ImagePositionPatient[2]))
    after = np.stack([image.pixel_array for image in images])
    check_replaced(head, after)
    check_surface(head, after)
    codes = [code.CodeValue for code in images[0].DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113102"]
    assert images[0].DeidentificationMethod[1] == TOOL
    assert policy.label_with([TOOL]) in images[0].DeidentificationMethod[0]


# -- what is refused


def refused(objects):
    with pytest.raises(Refusal) as caught:
        deface(objects)
    assert caught.value.reason == "face-not-removed"
    return caught.value.message


def test_a_brain_without_its_head_has_no_face_to_be_found():
    assert "be sure where" in refused([as_bytes(image) for image in mni_series()[::3]])


@functools.cache
def small():
    return scan(1, Scan(spacing=(6.0, 6.0, 12.0))).objects


def edited(contents, **attributes):
    result = []
    for content in contents:
        dataset = read(content)
        for keyword, value in attributes.items():
            if value is None:
                del dataset[keyword]
            else:
                setattr(dataset, keyword, value)
        result.append(as_bytes(dataset))
    return result


def test_a_head_that_lies_as_its_header_does_not_say_is_refused():
    objects = scan(1, Scan(spacing=(3.0, 3.0, 4.0))).objects
    turned = [1.0, 0.0, 0.0, 0.0, -1.0, 0.0]
    for number, content in enumerate(objects):
        dataset = read(content)
        dataset.ImageOrientationPatient = turned
        dataset.ImagePositionPatient = [-96.0, 118.0, 100.0 - 4 * number]
        objects[number] = as_bytes(dataset)
    assert "be sure where" in refused(objects)


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"ImagePositionPatient": None}, "where it lies"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "where it lies"),
        ({"PixelSpacing": None}, "where it lies"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4.1"}, "of one frame"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "CT and MR"),
        ({"NumberOfFrames": 2}, "of a kind"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "of a kind"),
        ({"SamplesPerPixel": 3}, "of a kind"),
        ({"BitsAllocated": 12}, "of a kind"),
        ({"HighBit": 15}, "of a kind"),
        ({"Rows": 65535, "Columns": 65535}, "of a kind"),
        ({"PixelSpacing": [200.0, 200.0]}, "farther apart"),
        ({"PixelData": b"\0\0"}, "can't be decoded"),
        ({"ImagePositionPatient": [0.0, 0.0, 0.0]}, "do not form a volume"),
    ],
)
def test_what_cannot_be_judged_is_refused(attributes, words):
    assert words in refused(edited(small(), **attributes))


@pytest.mark.parametrize(
    ("objects", "words"),
    [
        (list, "none or too many"),
        (lambda: [b"no image"], "can't be read"),
        (lambda: small()[:2], "do not form a volume"),
        (lambda: small()[:5] + edited(small()[5:], SeriesInstanceUID="1.2"), "of one series"),
        (lambda: small()[:5] + edited(small()[5:], FrameOfReferenceUID="1.2"), "of one series"),
        (lambda: small()[:-1] + edited(small()[-1:], ImagePositionPatient=None), "where it lies"),
        (lambda: small()[:-1] + edited(small()[-1:], ImagePositionPatient=[0, 0, 99999]), "volume"),
    ],
)
def test_a_series_that_is_none_is_refused(objects, words):
    assert words in refused(objects())
