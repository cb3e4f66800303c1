"""Real files: every one is measured or told apart, and compressed pixels are the uncompressed ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

from plugins.phantom.packaged import mni_series, pydicom_data_files
from plugins.volumetry.reading import Series, Undecodable

OWN = Path(pydicom.__file__).parent / "data" / "test_files"
MORE = next(path for path in pydicom_data_files() if path.name == "liver.dcm").parent

EXPECTED = {
    "CT_small.dcm": "too-few-slices",
    "MR_small_jp2klossless.dcm": "too-few-slices",
    "examples_ybr_color.dcm": "flat-modality",
    "JPGExtended.dcm": "missing-position",
    "image_dfl.dcm": "derived-object",
    "test-SR.dcm": "unreadable-files",
    "rtdose.dcm": "derived-object",
    "RG1_J2KI.dcm": "flat-modality",
    "US1_UNCR.dcm": "flat-modality",
    "color3d_jpeg_baseline.dcm": "flat-modality",
    "eCT_Supplemental.dcm": "too-few-slices",
    "emri_small.dcm": "missing-position",
    "emri_small_jpeg_ls_lossless.dcm": "missing-position",
    "liver.dcm": "derived-object",
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_what_is_not_a_volume_says_why(volumetry, name):
    ran = volumetry([path for path in pydicom_data_files() if path.name == name])
    assert ran.status == 0, ran.stderr
    assert ran.result.outcome == "not_a_volume"
    assert EXPECTED[name] in ran.codes
    if name != "test-SR.dcm":
        assert set(ran.roles) == {"key_slice"}


def test_a_small_real_ct_series_is_measured(volumetry):
    ran = volumetry([path for path in pydicom_data_files() if path.parent.name == "CT5N"])
    assert ran.result.outcome == "measured"
    assert ran.measures["slices"] == 5
    assert ran.measures["spacing_head_foot"] == pytest.approx(2.5)


def test_template_brain(volumetry):
    ran = volumetry(mni_series())
    assert ran.result.outcome == "measured"
    assert ran.codes == []
    assert ran.measures["extent_left_right"] == pytest.approx(197)
    assert ran.measures["extent_anterior_posterior"] == pytest.approx(233)
    assert ran.measures["extent_head_foot"] == pytest.approx(189)
    # The template is 1.9 litres of brain, and lies in the middle.
    assert 1700 < ran.measures["foreground_volume"] < 2000
    assert abs(ran.measures["foreground_centre_left"]) < 1


def decoded(path):
    series = Series([path])
    planes = series.header(0).planes
    return np.stack([series.values(plane) for plane in planes])


@pytest.mark.parametrize(
    ("compressed", "plain"),
    [
        (OWN / "MR_small_RLE.dcm", OWN / "MR_small.dcm"),
        (OWN / "MR_small_jp2klossless.dcm", OWN / "MR_small.dcm"),
        (OWN / "MR_small_jpeg_ls_lossless.dcm", OWN / "MR_small.dcm"),
        (OWN / "MR_small_bigendian.dcm", OWN / "MR_small.dcm"),
        (MORE / "emri_small_RLE.dcm", MORE / "emri_small.dcm"),
        (MORE / "emri_small_jpeg_2k_lossless.dcm", MORE / "emri_small.dcm"),
        (MORE / "emri_small_jpeg_ls_lossless.dcm", MORE / "emri_small.dcm"),
    ],
    ids=lambda path: path.name,
)
def test_lossless_compression_changes_no_value(compressed, plain):
    assert np.array_equal(decoded(compressed), decoded(plain))


def test_lossless_jpeg_with_rescale_by_the_second_decoder():
    path = MORE / "bad_sequence.dcm"  # CT, JPEG lossless, slope 1 and intercept -1024
    dataset = pydicom.dcmread(path, stop_before_pixels=True)
    values = decoded(path)
    assert values.shape == (1, 512, 512)
    low = float(dataset.RescaleIntercept)
    assert low <= values.min() < -800
    assert values.max() < 4096


def test_truncated_pixels_are_refused():
    with pytest.raises(Undecodable):
        decoded(OWN / "MR_truncated.dcm")
