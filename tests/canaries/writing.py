"""Objects as Part 10 files, in each transfer syntax that can be written here."""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pydicom
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate

NATIVE = {
    "implicit": uid.ImplicitVRLittleEndian,
    "explicit": uid.ExplicitVRLittleEndian,
    "big": uid.ExplicitVRBigEndian,
    "deflated": uid.DeflatedExplicitVRLittleEndian,
}
COMPRESSED = {
    "rle": uid.RLELossless,
    "jpeg-ls": uid.JPEGLSLossless,
    "jpeg-2000": uid.JPEG2000Lossless,
    "jpeg-2000-lossy": uid.JPEG2000,
    "jpeg": uid.JPEGBaseline8Bit,
    "jpeg-lossless": uid.JPEGLosslessSV1,
}
"""Those that need an image; "jpeg" of eight bits only."""
SYNTAXES = {**NATIVE, **COMPRESSED}
PREAMBLE = b"II*\0preamble "


def written(data: Dataset, syntax: str = "explicit", *, preamble: bytes = b"", **meta: object) -> bytes:
    """Give the file. `meta`: more file meta information; `preamble`: what stands in front."""
    name = SYNTAXES.get(syntax, syntax)
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = name
    with pydicom.config.disable_value_validation():
        for keyword, value in meta.items():
            setattr(data.file_meta, keyword, value)
        data.preamble = preamble.ljust(128, b"\0")[:128]
        stream = BytesIO()
        pydicom.dcmwrite(
            stream,
            data,
            enforce_file_format=True,
            implicit_vr=syntax == "implicit",
            little_endian=syntax != "big",
        )
    return stream.getvalue()


def compressed(data: Dataset, syntax: str) -> Dataset:
    """Put the native pixels of a data set into fragments, one a frame."""
    frames = frames_of(data)
    encode = ENCODERS[syntax]
    signed = bool(data.PixelRepresentation)
    data.PixelData = encapsulate(
        [_even(encode(frame, int(data.BitsStored), signed=signed)) for frame in frames]
    )
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = True
    if syntax == "jpeg" and data.SamplesPerPixel == 3:
        data.PhotometricInterpretation = "YBR_FULL_422"
    return data


def frames_of(data: Dataset) -> np.ndarray:
    """Give native pixels as (frame, row, column[, sample]), samples interleaved."""
    number = int(data.get("NumberOfFrames", 1) or 1)
    kind = np.dtype(f"<{'i' if data.PixelRepresentation else 'u'}{data.BitsAllocated // 8}")
    shape: tuple[int, ...] = (number, data.Rows, data.Columns)
    if data.SamplesPerPixel > 1:
        shape = (*shape, data.SamplesPerPixel)
    return np.frombuffer(data.PixelData, dtype=kind, count=int(np.prod(shape))).reshape(shape)


def _even(content: bytes) -> bytes:
    return content + b"\0" * (len(content) % 2)


def _jpeg(frame: np.ndarray, bits: int, *, signed: bool) -> bytes:
    assert bits == 8
    assert not signed
    stream = BytesIO()
    Image.fromarray(frame).save(stream, "JPEG", quality=92)
    return stream.getvalue()


def _jpeg_2000(frame: np.ndarray, bits: int, *, signed: bool, lossless: bool = True) -> bytes:
    assert not signed
    stream = BytesIO()
    options = {} if lossless else {"quality_mode": "rates", "quality_layers": [4]}
    image = Image.fromarray(frame)
    image.save(stream, "JPEG2000", no_jp2=True, irreversible=not lossless, num_resolutions=3, **options)
    return stream.getvalue()


def _jpeg_2000_lossy(frame: np.ndarray, bits: int, *, signed: bool) -> bytes:
    return _jpeg_2000(frame, bits, signed=signed, lossless=False)


def _by_pydicom(syntax: str) -> Callable[..., bytes]:
    def encode(frame: np.ndarray, bits: int, *, signed: bool) -> bytes:
        encoder = pydicom.pixels.get_encoder(syntax)
        return encoder.encode(
            frame,
            rows=frame.shape[0],
            columns=frame.shape[1],
            samples_per_pixel=frame.shape[2] if frame.ndim == 3 else 1,
            bits_allocated=frame.dtype.itemsize * 8,
            bits_stored=bits,
            pixel_representation=int(signed),
            photometric_interpretation="RGB" if frame.ndim == 3 else "MONOCHROME2",
            number_of_frames=1,
            planar_configuration=0,
        )

    return encode


def _jpeg_lossless(frame: np.ndarray, bits: int, *, signed: bool) -> bytes:
    """Write process 14, selection value 1 (ITU-T T.81, H): differences to the left, codes of five bits."""
    assert not signed
    values = frame.astype(np.int64).reshape((*frame.shape[:2], -1))
    left = np.roll(values, 1, axis=1)
    left[1:, 0], left[0, 0] = values[:-1, 0], 1 << (bits - 1)
    differences = (values - left).reshape(-1).tolist()
    # A category says how many bits follow; those of a negative difference are one less
    written = (_category(one) for one in differences)
    text = "".join(f"{size:05b}" + (f"{rest:0{size}b}" if size else "") for size, rest in written)
    text += "1" * (-len(text) % 8)
    data = int(text, 2).to_bytes(len(text) // 8).replace(b"\xff", b"\xff\0")
    rows, columns, samples = values.shape
    parts = range(1, samples + 1)
    table = bytes((0, *(0, 0, 0, 0, 17), *(0,) * 11, *range(17)))
    size = struct.pack(">BHHB", bits, rows, columns, samples) + bytes(x for n in parts for x in (n, 0x11, 0))
    scan = bytes((samples, *(x for n in parts for x in (n, 0)), 1, 0, 0))
    return b"".join(
        (
            b"\xff\xd8",
            *(
                bytes((0xFF, mark)) + struct.pack(">H", len(body) + 2) + body
                for mark, body in ((0xC4, table), (0xC3, size))
            ),
            b"\xff\xda" + struct.pack(">H", len(scan) + 2) + scan,
            data,
            b"\xff\xd9",
        )
    )


def _category(difference: int) -> tuple[int, int]:
    size = abs(difference).bit_length()
    return size, difference if difference >= 0 else difference + (1 << size) - 1


ENCODERS: dict[str, Callable[..., bytes]] = {
    "rle": _by_pydicom(uid.RLELossless),
    "jpeg-ls": _by_pydicom(uid.JPEGLSLossless),
    "jpeg-2000": _jpeg_2000,
    "jpeg-2000-lossy": _jpeg_2000_lossy,
    "jpeg": _jpeg,
    "jpeg-lossless": _jpeg_lossless,
}
