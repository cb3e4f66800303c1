"""Pictures with a name drawn into them, as DICOM objects in every form that pixels are stored in."""

from __future__ import annotations

import functools
import subprocess
from io import BytesIO
from typing import NamedTuple

import numpy as np
import pydicom
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from tests.dcmtk import dcmtk

NAME = "MUSTERMANN^E"
ROWS, COLUMNS = 160, 224
NATIVE = {
    "implicit": ImplicitVRLittleEndian,
    "explicit": ExplicitVRLittleEndian,
    "big": ExplicitVRBigEndian,
}


class Kind(NamedTuple):
    """How pixels are stored."""

    photometric: str = "MONOCHROME2"
    allocated: int = 8
    stored: int = 8
    signed: bool = False
    planar: int = 0

    @property
    def samples(self):
        return 1 if self.photometric.startswith(("MONO", "PAL")) else 3

    @property
    def dtype(self):
        return np.dtype(f"{'i' if self.signed else 'u'}{max(1, self.allocated // 8)}")

    def __str__(self):
        sign = "s" if self.signed else "u"
        return f"{self.photometric}-{self.allocated}{sign}{self.stored}-p{self.planar}".replace(" ", "_")


@functools.cache
def ink(text=NAME, size=20):
    """The letters: a mask."""
    font = ImageFont.load_default(size)
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(image).text((-left, -top), text, 255, font=font)
    return np.asarray(image) > 127


@functools.cache
def background(rows=ROWS, columns=COLUMNS):
    """Soft shades with a little noise, from 0 to 1; a dark margin, as around a scan."""
    rng = np.random.default_rng(7)
    down, across = np.mgrid[0:rows, 0:columns] / max(rows, columns)
    shades = 0.35 + 0.2 * np.sin(5 * down) * np.cos(4 * across) + rng.normal(0, 0.01, (rows, columns))
    shades[: rows // 8] = shades[:, : columns // 10] = 0.05
    return np.clip(shades, 0, 1)


class Drawn(NamedTuple):
    """Grey from 0 to 1 by frame, and where letters are, by frame."""

    greys: np.ndarray
    letters: np.ndarray


def drawn(*, frames=1, places=((90, 60),), text=NAME, size=20, level=1.0, shape=(ROWS, COLUMNS)):
    """Draw a name into frames: `places` (row, column) by frame, the last for all that follow; None: none."""
    greys = np.repeat(background(*shape)[None], frames, axis=0)
    letters = np.zeros(greys.shape, bool)
    mask = ink(text, size)
    for number in range(frames):
        place = places[min(number, len(places) - 1)]
        if place is not None:
            top, left = place
            letters[number, top : top + mask.shape[0], left : left + mask.shape[1]] = mask
    greys[letters] = level
    return Drawn(greys, letters)


def samples(greys, kind):
    """Give stored values by pixel: (frames, rows, columns) or (frames, rows, columns, 3)."""
    if kind.allocated == 1:
        return (greys > 0.6).astype(np.uint8)
    top = (1 << kind.stored) - 1
    if kind.photometric == "MONOCHROME1":
        greys = 1 - greys
    low = -(1 << kind.stored - 1) if kind.signed else 0
    values = np.round(greys * top) + low
    match kind.photometric:
        case "RGB" | "YBR_RCT":
            values = np.stack([values, values * 0.9, values * 0.8], axis=-1)
        case "YBR_FULL" | "YBR_FULL_422":
            values = np.stack([values, np.full_like(values, 120), np.full_like(values, 140)], axis=-1)
    return np.round(values).astype(kind.dtype)


def dataset(kind, frames=1, shape=(ROWS, COLUMNS), *, big=False, **changes):
    """Make an object without pixels."""
    data = Dataset()
    values = {
        "SpecificCharacterSet": "ISO_IR 100",
        "ImageType": ["ORIGINAL", "PRIMARY"],
        "SOPClassUID": SecondaryCaptureImageStorage,
        "SOPInstanceUID": "2.25.123456789012345678901234567890123456789",
        "StudyDate": "",
        "StudyTime": "",
        "AccessionNumber": "",
        "Modality": "OT",
        "ConversionType": "WSD",
        "ReferringPhysicianName": "",
        "PatientName": "0123456789abcdef0123456789abcdef",
        "PatientID": "0123456789abcdef0123456789abcdef",
        "PatientBirthDate": "",
        "PatientSex": "",
        "StudyInstanceUID": "2.25.123456789012345678901234567890123456780",
        "SeriesInstanceUID": "2.25.123456789012345678901234567890123456781",
        "StudyID": "",
        "SeriesNumber": "1",
        "InstanceNumber": "1",
        "PatientOrientation": "",
        "SamplesPerPixel": kind.samples,
        "PhotometricInterpretation": kind.photometric,
        "Rows": shape[0],
        "Columns": shape[1],
        "BitsAllocated": kind.allocated,
        "BitsStored": kind.stored,
        "HighBit": kind.stored - 1,
        "PixelRepresentation": int(kind.signed),
        **changes,
    }
    if frames > 1:
        values["NumberOfFrames"] = frames
    if kind.samples > 1:
        values["PlanarConfiguration"] = kind.planar
    for name, value in values.items():
        if value is not None:
            setattr(data, name, value)
    if kind.photometric == "PALETTE COLOR":
        _add_palette(data, kind, ">u2" if big else "<u2")
    return data


def _add_palette(data, kind, word):
    entries = 1 << kind.stored
    table = np.linspace(0, 65535, entries)
    for name, part in {"Red": 1.0, "Green": 0.9, "Blue": 0.8}.items():
        setattr(data, f"{name}PaletteColorLookupTableDescriptor", [entries % 65536, 0, 16])
        setattr(data, f"{name}PaletteColorLookupTableData", (table * part).astype(word).tobytes())


def native(values, kind, *, big=False):
    """Give the bytes of stored values."""
    if kind.allocated == 1:
        return np.packbits(values.ravel(), bitorder="little").tobytes()
    if kind.photometric == "YBR_FULL_422":
        pairs = values.reshape(*values.shape[:2], -1, 2, 3)
        joined = np.concatenate([pairs[..., 0], pairs[:, :, :, 0, 1:]], axis=-1)
        return joined.tobytes()
    if kind.samples > 1 and kind.planar:
        values = np.moveaxis(values, -1, 1)
    return values.astype(values.dtype.newbyteorder(">" if big else "<")).tobytes()


def written(data, syntax, pixels, *, fragments=False):
    """Write the object as a Part 10 file."""
    raw = pixels + bytes(len(pixels) % 2)
    wide = data.BitsAllocated > 8 or syntax == ImplicitVRLittleEndian
    data.add_new(0x7FE00010, "OW" if wide and not fragments else "OB", raw)
    data["PixelData"].is_undefined_length = fragments
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    stream = BytesIO()
    pydicom.dcmwrite(
        stream,
        data,
        enforce_file_format=True,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=syntax != ExplicitVRBigEndian,
    )
    return stream.getvalue()


def stored_as(drawing, kind, syntax="explicit", **changes):
    """Give a native object of a drawing."""
    shape = drawing.greys.shape[1:]
    data = dataset(kind, len(drawing.greys), shape, big=syntax == "big", **changes)
    return written(data, NATIVE[syntax], native(samples(drawing.greys, kind), kind, big=syntax == "big"))


def compressed_as(images, kind, syntax, frames=1, shape=(ROWS, COLUMNS), **changes):
    """Give an object of frames that are compressed already."""
    data = dataset(kind, frames, shape, **changes)
    return written(data, syntax, encapsulate(images), fragments=True)


def by_pydicom(drawing, kind, syntax, **changes):
    """Give an object that pydicom compresses: RLE and JPEG-LS."""
    data = pydicom.dcmread(BytesIO(stored_as(drawing, kind, **changes)))
    options = {"jls_error": 3} if syntax == JPEGLSNearLossless else {}
    plugin = "pydicom" if syntax == RLELossless else "pyjpegls"
    assert syntax in (RLELossless, JPEGLSLossless, JPEGLSNearLossless)
    data.compress(syntax, encoding_plugin=plugin, generate_instance_uid=False, **options)
    stream = BytesIO()
    pydicom.dcmwrite(stream, data, enforce_file_format=True)
    return stream.getvalue()


def by_pillow(drawing, kind, syntax, form, **options):
    """Give an object that Pillow compresses: JPEG Baseline and JPEG 2000; attributes are capitalized."""
    changes = {name: options.pop(name) for name in list(options) if name[0].isupper()}
    images = []
    for frame in samples(drawing.greys, kind):
        stream = BytesIO()
        # colours that Pillow makes YBR of by itself
        shown = frame if kind.samples == 1 else np.repeat(frame[..., :1], 3, axis=2)
        Image.fromarray(shown).save(stream, form, **options)
        images.append(stream.getvalue())
    return compressed_as(images, kind, syntax, len(images), drawing.greys.shape[1:], **changes)


def uncompressed(source, folder):
    """Give the object as dcmtk's dcmdjpeg decodes it, which knows JPEG of 12 bits."""
    (folder / "in.dcm").write_bytes(source)
    command = [dcmtk("dcmdjpeg"), "+cn", str(folder / "in.dcm"), str(folder / "native.dcm")]
    subprocess.run(command, check=True, capture_output=True)
    return (folder / "native.dcm").read_bytes()


def by_dcmtk(source, folder, *options):
    """Give an object that dcmtk's dcmcjpeg compresses: JPEG Lossless and Extended."""
    (folder / "in.dcm").write_bytes(source)
    command = [dcmtk("dcmcjpeg"), *options, "+un", str(folder / "in.dcm"), str(folder / "out.dcm")]
    subprocess.run(command, check=True, capture_output=True)
    return (folder / "out.dcm").read_bytes()
