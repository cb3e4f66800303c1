from __future__ import annotations

import pytest
from pydicom import uid

from agents.anonymization.admission import check_object
from agents.anonymization.outcome import Refusal
from agents.anonymization.policy.document import Policy

ROOT = "1.2.840.10008.5.1.4.1.1."
NOTHING = Policy(name="none", version=1)
PIXELS = Policy(name="pixels", version=1, options=frozenset(["clean_pixel_data"]))
CONTENT = Policy(name="content", version=1, options=frozenset(["clean_structured_content"]))
GRAPHICS = Policy(name="graphics", version=1, options=frozenset(["clean_graphics"]))
EVERYTHING = Policy(name="all", version=1, options=PIXELS.options | CONTENT.options | GRAPHICS.options)
BURNED_IN, RECOGNIZABLE, IMAGE_TYPE, PHOTOMETRIC = 0x00280301, 0x00280302, 0x00080008, 0x00280004
POSITION, STORED, PIXEL_DATA = 0x00200032, 0x00280101, 0x7FE00010
SLICE = {POSITION: r"0\0\1.5", STORED: "\x0c", IMAGE_TYPE: r"ORIGINAL\PRIMARY\AXIAL"}


def admitted(sop_class, policy, said=None):
    """Whether pixels must be cleaned, or the reason why it stays in."""
    values = said or {}
    try:
        return check_object(sop_class, lambda tag: values.get(tag, ""), policy)
    except Refusal as refused:
        return refused.reason


@pytest.mark.parametrize(
    ("sop_class", "reason"),
    [
        (uid.UltrasoundImageStorage, "ultrasound"),
        (uid.UltrasoundMultiFrameImageStorage, "ultrasound"),
        (uid.SecondaryCaptureImageStorage, "secondary-capture"),
        (uid.MultiFrameSingleBitSecondaryCaptureImageStorage, "secondary-capture"),
        (uid.MultiFrameTrueColorSecondaryCaptureImageStorage, "secondary-capture"),
        (uid.VLEndoscopicImageStorage, "photograph"),
        (uid.OphthalmicPhotography8BitImageStorage, "photograph"),
        (uid.VLWholeSlideMicroscopyImageStorage, "photograph"),
        (uid.ComputedRadiographyImageStorage, "burned-in-unknown"),
        (uid.XRayAngiographicImageStorage, "burned-in-unknown"),
    ],
)
def test_pictures_with_text_come_out_only_cleaned(sop_class, reason):
    assert admitted(sop_class, NOTHING) == reason
    assert admitted(sop_class, CONTENT) == reason
    assert admitted(sop_class, PIXELS) is True


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({BURNED_IN: "YES"}, "burned-in-annotation"),
        ({IMAGE_TYPE: r"DERIVED\SECONDARY\SCREEN SAVE"}, "screen-capture"),
        ({0x00181016: "Frame grabber"}, "screen-capture"),
        ({PHOTOMETRIC: "RGB"}, "colour"),
    ],
)
@pytest.mark.parametrize("sop_class", [uid.CTImageStorage, uid.EnhancedMRImageStorage])
def test_slices_that_are_suspected_come_out_only_cleaned(sop_class, said, reason):
    assert admitted(sop_class, NOTHING, SLICE | said) == reason
    assert admitted(sop_class, PIXELS, SLICE | said) is True
    assert admitted(sop_class, PIXELS, SLICE) is False


def test_slices_like_captures_are_cleaned_when_they_can_be():
    for said in ({STORED: "\x08"}, {IMAGE_TYPE: r"DERIVED\SECONDARY\MPR", POSITION: ""}):
        assert admitted(uid.CTImageStorage, NOTHING, SLICE | said) is False
        assert admitted(uid.CTImageStorage, PIXELS, SLICE | said) is True
    derived = SLICE | {IMAGE_TYPE: r"DERIVED\SECONDARY\MPR"}
    assert admitted(uid.CTImageStorage, PIXELS, derived) is False
    assert admitted(uid.SegmentationStorage, PIXELS, {STORED: "\x08"}) is False


def test_a_radiograph_is_looked_at_whatever_it_says():
    assert admitted(uid.ComputedRadiographyImageStorage, NOTHING, {BURNED_IN: "NO"}) is False
    assert admitted(uid.ComputedRadiographyImageStorage, PIXELS, {BURNED_IN: "NO"}) is True


@pytest.mark.parametrize("policy", [NOTHING, EVERYTHING])
@pytest.mark.parametrize(
    ("sop_class", "said", "reason"),
    [
        (uid.CTImageStorage, {RECOGNIZABLE: "YES"}, "recognizable-features"),
        (uid.RawDataStorage, {}, "unlisted-class"),
        (uid.TwelveLeadECGWaveformStorage, {}, "unlisted-class"),
        (uid.VideoEndoscopicImageStorage, {}, "photograph"),
        ("1.2.3.88.11", {}, "unlisted-class"),
        (uid.VLPhotographicImageStorage, {}, "photograph"),
        (uid.VLPhotographicImageStorage, {RECOGNIZABLE: "MAYBE"}, "photograph"),
        (uid.VLWholeSlideMicroscopyImageStorage, {IMAGE_TYPE: r"DERIVED\PRIMARY\LABEL\NONE"}, "photograph"),
        (uid.VLWholeSlideMicroscopyImageStorage, {IMAGE_TYPE: r"ORIGINAL\PRIMARY\OVERVIEW"}, "photograph"),
        (uid.RTPlanStorage, {PIXEL_DATA: "x"}, "excess-pixels"),
    ],
)
def test_what_no_option_lets_out(sop_class, said, reason, policy):
    assert admitted(sop_class, policy, said) == reason


@pytest.mark.parametrize("sop_class", [uid.BasicTextSRStorage, uid.EncapsulatedPDFStorage])
def test_reports_have_no_pixels(sop_class):
    assert admitted(sop_class, EVERYTHING, {PIXEL_DATA: "x"}) == "excess-pixels"


def test_a_photograph_on_which_nobody_can_be_recognized_is_cleaned():
    assert admitted(uid.VLPhotographicImageStorage, PIXELS, {RECOGNIZABLE: "NO"}) is True


@pytest.mark.parametrize(
    ("sop_class", "option", "reason"),
    [
        (uid.BasicTextSRStorage, CONTENT, "structured-report"),
        (uid.KeyObjectSelectionDocumentStorage, CONTENT, "structured-report"),
        (uid.EncapsulatedPDFStorage, CONTENT, "encapsulated-document"),
        (uid.EncapsulatedCDAStorage, CONTENT, "encapsulated-document"),
        (uid.EncapsulatedSTLStorage, CONTENT, "encapsulated-document"),
        (uid.GrayscaleSoftcopyPresentationStateStorage, GRAPHICS, "presentation-state"),
    ],
)
def test_reports_and_drawings_come_out_with_their_own_option(sop_class, option, reason):
    assert admitted(sop_class, PIXELS) == reason
    assert admitted(sop_class, option) is False
