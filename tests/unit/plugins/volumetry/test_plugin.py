"""The whole plugin on files: what is measured, what is not a volume, and that nothing crashes it."""

from __future__ import annotations

import copy
import io
import random
import warnings

import nibabel
import numpy as np
import pytest
import SimpleITK
from PIL import Image
from pydicom.uid import ImplicitVRLittleEndian, RLELossless

from plugins.contract.results import parse_progress
from plugins.phantom.ellipsoid import draw_spec
from plugins.phantom.series import enhanced_of, series_of

SMALL = {"axes_mm": (30.0, 36.0, 33.0), "spacing_mm": (1.6, 1.5, 2.4)}
ROLES = {"volume", "key_slice", "mip", "render", "strip"}


def small(seed=1, **chosen):
    return draw_spec(seed, **(SMALL | chosen))


def bytes_of(dataset):
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def test_phantom_of_this_run(volumetry, find_markers):
    seed = random.SystemRandom().randrange(2**31)
    print(f"seed {seed}")
    spec = draw_spec(seed)
    datasets = series_of(spec)
    random.Random(seed).shuffle(datasets)
    ran = volumetry(datasets)
    assert ran.status == 0, ran.stderr
    assert ran.result.outcome == "measured"
    assert set(ran.roles) == ROLES
    assert abs(ran.measures["foreground_volume"] / spec.volume_ml - 1) < 0.03
    found = find_markers(SimpleITK.ReadImage(str(ran.roles["volume"]), SimpleITK.sitkFloat32))
    for landmark in spec.landmarks:
        assert min(np.linalg.norm(centre - landmark) for centre in found) < 0.5 * max(spec.spacing_mm)
    steps = [parse_progress(line.encode()) for line in ran.stdout.splitlines()]
    assert None not in steps
    fractions = [step.progress for step in steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    for role in ROLES - {"volume"}:
        picture = np.asarray(Image.open(ran.roles[role]).convert("L"))
        assert picture.std() > 10, role


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_multi_frame_is_the_same_volume(volumetry, modality):
    spec = small(3, modality=modality)
    single, multi = volumetry(series_of(spec)), volumetry([enhanced_of(spec)])
    assert multi.result.outcome == "measured"
    first, second = (nibabel.load(ran.roles["volume"]) for ran in (single, multi))
    assert np.array_equal(np.asarray(first.dataobj), np.asarray(second.dataobj))
    assert np.allclose(first.affine, second.affine)


def test_units(volumetry):
    ct, mr = volumetry(series_of(small(modality="CT"))), volumetry(series_of(small(modality="MR")))
    unit = {m.name: m.unit for m in ct.result.measures}["foreground_threshold"]
    assert unit == "[hnsf'U]"
    assert {m.name: m.unit for m in mr.result.measures}["foreground_threshold"] == "1"
    assert ct.measures["intensity_p05"] < -950


def test_same_input_same_bytes(volumetry):
    datasets = series_of(small())
    first, second = volumetry(datasets), volumetry(list(datasets))
    for role in ROLES:
        assert first.roles[role].read_bytes() == second.roles[role].read_bytes()


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("missing-slices", lambda images: images.pop(10)),
        ("duplicate-slices", lambda images: images.append(copy.deepcopy(images[5]))),
        ("missing-position", lambda images: images[0].pop("ImagePositionPatient")),
        ("missing-spacing", lambda images: images[0].pop("PixelSpacing")),
        ("mixed-sizes", lambda images: setattr(images[0], "Rows", images[0].Rows - 1)),
    ],
)
def test_defects_are_findings_and_the_rest_is_measured(volumetry, code, change):
    spec = small(tilt=0.0)
    images = series_of(spec)
    change(images)
    ran = volumetry(images)
    assert ran.result.outcome == "measured"
    assert code in ran.codes
    assert abs(ran.measures["foreground_volume"] / spec.volume_ml - 1) < 0.04


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("missing-position", lambda image: image.pop("ImagePositionPatient")),
        ("missing-position", lambda image: image.pop("ImageOrientationPatient")),
        ("missing-position", lambda image: setattr(image, "ImagePositionPatient", None)),
        ("missing-spacing", lambda image: image.pop("PixelSpacing")),
        ("flat-modality", lambda image: setattr(image, "Modality", "CR")),
        ("flat-modality", lambda image: setattr(image, "Modality", "DX")),
        ("flat-modality", lambda image: setattr(image, "Modality", "US")),
        ("derived-object", lambda image: setattr(image, "Modality", "SEG")),
    ],
)
def test_not_a_volume_has_a_reason_and_a_picture(volumetry, code, change):
    images = series_of(small())[:12]
    for image in images:
        change(image)
    ran = volumetry(images)
    assert ran.result.outcome == "not_a_volume"
    assert code in ran.codes
    assert set(ran.roles) == {"key_slice"}
    assert ran.result.measures == []


def test_colour(volumetry):
    images = series_of(small())[10:14]
    for image in images:
        image.SamplesPerPixel = 3
        image.PhotometricInterpretation = "RGB"
        image.PlanarConfiguration = 0
        image.BitsAllocated = image.BitsStored = 8
        image.HighBit = 7
        image.PixelData = bytes(image.Rows * image.Columns * 3)
    ran = volumetry(images)
    assert (ran.result.outcome, ran.codes) == ("not_a_volume", ["colour-image"])


def test_single_slice(volumetry):
    ran = volumetry(series_of(small())[15:16])
    assert (ran.result.outcome, ran.codes) == ("not_a_volume", ["too-few-slices"])


def test_no_files_at_all(volumetry):
    ran = volumetry([])
    assert (ran.result.outcome, ran.codes) == ("not_a_volume", ["no-images"])


def test_files_that_are_no_images(volumetry):
    ran = volumetry([b"", b"not DICOM", b"\0" * 128 + b"DICM", b"\0" * 4096])
    assert ran.result.outcome == "not_a_volume"
    assert "unreadable-files" in ran.codes


def test_one_broken_file_among_good_ones(volumetry):
    ran = volumetry([*series_of(small()), b"not DICOM"])
    assert ran.result.outcome == "measured"
    assert ran.codes.count("unreadable-files") == 1


@pytest.mark.parametrize("keep", [0, 100, 0.5])
def test_pixel_data_that_end_too_early(volumetry, keep):
    images = series_of(small())
    short = images[len(images) // 2]
    count = int(keep * len(short.PixelData)) if isinstance(keep, float) else keep
    short.PixelData = short.PixelData[:count]
    ran = volumetry(images)
    assert ran.status == 0, ran.stderr
    assert ran.result.outcome == "measured"
    assert {"undecodable", "missing-slices"} <= set(ran.codes)
    for image in images:
        image.PixelData = image.PixelData[:count]
    ran = volumetry(images)
    assert ran.result.outcome == "not_a_volume"
    assert ran.codes == ["undecodable"] * 5
    assert ran.roles == {}


@pytest.mark.parametrize("seed", range(12))
def test_damaged_files_never_crash_it(volumetry, seed):
    """Bytes overwritten at random, all over a file: a result with a finding, never a failure."""
    chance = random.Random(seed)
    sources = [bytearray(bytes_of(image)) for image in series_of(small())[::4]]
    for source in sources:
        for _ in range(chance.choice([1, 4, 60])):
            source[chance.randrange(132, 2600)] = chance.randrange(256)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        ran = volumetry([bytes(source) for source in sources])
    assert said == []  # pydicom's warnings quote the header
    assert ran.status == 0, ran.stderr
    assert ran.result.outcome == "measured" or ran.codes
    assert "CANARY" not in ran.stdout + ran.stderr + (ran.output / "result.json").read_text()


def test_no_word_of_the_header_leaves(volumetry):
    images = series_of(small())
    images[0].pop("ImagePositionPatient")
    ran = volumetry(images)
    everything = ran.stdout + ran.stderr + (ran.output / "result.json").read_text()
    assert "CANARY" not in everything
    assert images[0].SOPInstanceUID not in everything


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, RLELossless])
def test_transfer_syntaxes_do_not_matter(volumetry, syntax):
    plain = volumetry(series_of(small()))
    images = series_of(small())
    for image in images:
        if syntax == RLELossless:
            image.compress(syntax, generate_instance_uid=False)
        else:
            image.file_meta.TransferSyntaxUID = syntax
    other = volumetry(images)
    assert other.roles["volume"].read_bytes() == plain.roles["volume"].read_bytes()


def test_rescale_of_each_slice_is_its_own(volumetry):
    spec = small(modality="CT", tilt=0.0, noise=0.0)
    plain = volumetry(series_of(spec))
    images = series_of(spec)
    for index, image in enumerate(images):
        image.RescaleIntercept = -1024 - index
        image.PixelData = (image.pixel_array + index).astype("<u2").tobytes()
    other = volumetry(images)
    assert np.array_equal(
        np.asarray(nibabel.load(other.roles["volume"]).dataobj),
        np.asarray(nibabel.load(plain.roles["volume"]).dataobj),
    )


def test_fractional_rescale_gives_floats(volumetry):
    images = series_of(small(modality="CT"))
    for image in images:
        image.RescaleSlope = "0.5"
    ran = volumetry(images)
    assert nibabel.load(ran.roles["volume"]).get_data_dtype() == np.float32


def test_monochrome1_is_shown_inverted_and_measured_as_it_is(volumetry):
    plain = volumetry(series_of(small(modality="MR", tilt=0.0)))
    images = series_of(small(modality="MR", tilt=0.0))
    for image in images:
        image.PhotometricInterpretation = "MONOCHROME1"
    other = volumetry(images)
    assert other.measures == plain.measures
    bright, dark = (np.asarray(Image.open(r.roles["key_slice"]).convert("L"))[3, 3] for r in (other, plain))
    assert bright > 200
    assert dark < 40
