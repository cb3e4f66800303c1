"""Names drawn into pixels of every form go; everything else stays bit by bit."""

from __future__ import annotations

from io import BytesIO

import pydicom
import pytest
from pydicom import uid

from agents.anonymization.pixels.cleaning import clean_pixels
from agents.anonymization.policy.ready import BASIC
from tests.unit.agents.anonymization.pixels.checks import is_gone, pointed
from tests.unit.agents.anonymization.pixels.drawn import (
    Kind,
    by_dcmtk,
    by_pillow,
    by_pydicom,
    drawn,
    stored_as,
    uncompressed,
)

PLAIN = Kind()
KINDS = [
    PLAIN,
    Kind("MONOCHROME1"),
    Kind(allocated=1, stored=1),
    Kind(allocated=16, stored=12),
    Kind("MONOCHROME1", 16, 12),
    Kind(allocated=16, stored=16),
    Kind(allocated=16, stored=12, signed=True),
    Kind(allocated=16, stored=16, signed=True),
    Kind(allocated=32, stored=32),
    Kind("PALETTE COLOR"),
    Kind("PALETTE COLOR", 16, 12),
    Kind("RGB"),
    Kind("RGB", planar=1),
    Kind("RGB", 16, 16),
    Kind("YBR_FULL"),
    Kind("YBR_FULL", planar=1),
    Kind("YBR_FULL_422"),
]


NATIVE_CASES = [
    *((kind, "explicit") for kind in KINDS),
    *((kind, "big") for kind in (PLAIN, Kind("PALETTE COLOR", 16, 12), Kind("RGB", 16, 16))),
    (Kind(allocated=16, stored=12), "implicit"),
]


SEEN = [
    *((kind, "explicit") for kind in (PLAIN, Kind("MONOCHROME1", 16, 12), Kind(allocated=1, stored=1))),
    *((kind, "explicit") for kind in (Kind("PALETTE COLOR", 16, 12), Kind("YBR_FULL_422"))),
    (Kind("RGB", 16, 16), "big"),
]
"""Those in which the detector itself looks for the name."""


@pytest.mark.parametrize(("kind", "syntax"), NATIVE_CASES, ids=str)
def test_a_name_goes_from_native_pixels(kind, syntax):
    drawing = drawn()
    source = stored_as(drawing, kind, syntax)
    cleaned = clean_pixels(source, BASIC) if (kind, syntax) in SEEN else pointed(source)
    new = is_gone(source, cleaned, drawing.letters)
    assert new.BurnedInAnnotation == "NO"
    assert new.PhotometricInterpretation == kind.photometric
    assert new.file_meta.TransferSyntaxUID == pydicom.dcmread(BytesIO(source)).file_meta.TransferSyntaxUID


COMPRESSED = {
    "RLE grey": lambda drawing, _: by_pydicom(drawing, PLAIN, uid.RLELossless),
    "RLE signed": lambda drawing, _: by_pydicom(
        drawing, Kind(allocated=16, stored=12, signed=True), uid.RLELossless
    ),
    "RLE colour": lambda drawing, _: by_pydicom(drawing, Kind("RGB"), uid.RLELossless),
    "RLE YBR": lambda drawing, _: by_pydicom(drawing, Kind("YBR_FULL"), uid.RLELossless),
    "JPEG-LS": lambda drawing, _: by_pydicom(drawing, Kind(allocated=16, stored=12), uid.JPEGLSLossless),
    "JPEG-LS palette": lambda drawing, _: by_pydicom(drawing, Kind("PALETTE COLOR"), uid.JPEGLSLossless),
    "JPEG-LS colour": lambda drawing, _: by_pydicom(drawing, Kind("RGB"), uid.JPEGLSLossless),
    "JPEG-LS near": lambda drawing, _: by_pydicom(drawing, PLAIN, uid.JPEGLSNearLossless),
    "JPEG grey": lambda drawing, _: by_pillow(drawing, PLAIN, uid.JPEGBaseline8Bit, "JPEG", quality=90),
    "JPEG 4:4:4": lambda drawing, _: by_pillow(
        drawing, Kind("YBR_FULL"), uid.JPEGBaseline8Bit, "JPEG", quality=90, subsampling=0
    ),
    "JPEG 4:2:2": lambda drawing, _: by_pillow(
        drawing, Kind("YBR_FULL_422"), uid.JPEGBaseline8Bit, "JPEG", quality=90, subsampling=1
    ),
    "JPEG 12 bits": lambda drawing, folder: by_dcmtk(
        stored_as(drawing, Kind(allocated=16, stored=12)), folder, "+ee", "--bits-force-12"
    ),
    "JPEG lossless": lambda drawing, folder: by_dcmtk(
        stored_as(drawing, Kind("MONOCHROME1", 16, 12)), folder, "+e1"
    ),
    "JPEG lossless 14": lambda drawing, folder: by_dcmtk(stored_as(drawing, Kind("RGB")), folder, "+el"),
    "JPEG 2000": lambda drawing, _: by_pillow(
        drawing, Kind(allocated=16, stored=16), uid.JPEG2000Lossless, "JPEG2000", no_jp2=True
    ),
    "JPEG 2000 lossy": lambda drawing, _: by_pillow(
        drawing, PLAIN, uid.JPEG2000, "JPEG2000", no_jp2=True, irreversible=True, quality_layers=[10]
    ),
    "JPEG 2000 colour": lambda drawing, _: by_pillow(
        drawing, Kind("YBR_RCT"), uid.JPEG2000Lossless, "JPEG2000", no_jp2=True, mct=1
    ),
}
LOSSY = {"JPEG-LS near": "ISO_14495_1", "JPEG 2000 lossy": "ISO_15444_1"} | dict.fromkeys(
    ("JPEG grey", "JPEG 4:4:4", "JPEG 4:2:2"), "ISO_10918_1"
)


SEEN_COMPRESSED = {"RLE YBR", "JPEG 4:4:4", "JPEG 2000 lossy"}


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_name_goes_from_compressed_pixels(name, tmp_path):
    drawing = drawn()
    source = COMPRESSED[name](drawing, tmp_path)
    cleaned = clean_pixels(source, BASIC) if name in SEEN_COMPRESSED else pointed(source)
    new = is_gone(
        uncompressed(source, tmp_path) if name == "JPEG 12 bits" else source, cleaned, drawing.letters
    )
    old = pydicom.dcmread(BytesIO(source))
    fits = not old.PixelRepresentation and old.BitsStored <= 16
    assert new.file_meta.TransferSyntaxUID == (uid.JPEGLSLossless if fits else uid.ExplicitVRLittleEndian)
    expected = {"YBR_FULL_422": "YBR_FULL", "YBR_RCT": "RGB"}
    kept = old.PhotometricInterpretation
    assert new.PhotometricInterpretation == expected.get(kept, kept)
    assert new.get("PlanarConfiguration", 0) == 0
    if name in LOSSY:
        assert new.LossyImageCompression == "01"
        assert new.LossyImageCompressionMethod == LOSSY[name]
        assert float(new.LossyImageCompressionRatio) > 1
    elif name != "JPEG 12 bits":
        assert "LossyImageCompression" not in new
