"""Compressed pictures: decoded within bounds, and encoded again without loss.

What is decoded, by transfer syntax:

- JPEG Baseline (1.2.840.10008.1.2.4.50), Extended (.51), Lossless (.57, .70): GDCM
- JPEG-LS, lossless and near-lossless (.80, .81): CharLS
- JPEG 2000, lossless or not (.90, .91): GDCM's OpenJPEG
- RLE Lossless (1.2.840.10008.1.2.5): here

Written is JPEG-LS Lossless: it works on whole numbers only, so that one version gives the same bytes on every
machine, every IOD takes it, and it is a third to a fifth of the pixels. Each picture is decoded again and
compared. What it can't hold comes out uncompressed.
"""

from __future__ import annotations

import struct
from importlib import metadata

import jpeg_ls  # type: ignore[import-untyped]
import numpy as np

from agents.anonymization.codestream import Head, Undecodable, head_of
from agents.anonymization.outcome import Refusal
from agents.anonymization.pixels.decoder import Decoder, Undecoded
from agents.anonymization.pixels.decoding import Request
from agents.anonymization.pixels.picture import Picture, Samples

JPEG_LS_LOSSLESS = "1.2.840.10008.1.2.4.80"
RLE_LOSSLESS = "1.2.840.10008.1.2.5"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"

_KINDS = {
    "1.2.840.10008.1.2.4.50": ("jpeg",),
    "1.2.840.10008.1.2.4.51": ("jpeg",),
    "1.2.840.10008.1.2.4.57": ("jpeg-lossless",),
    "1.2.840.10008.1.2.4.70": ("jpeg-lossless",),
    JPEG_LS_LOSSLESS: ("jpeg-ls",),
    "1.2.840.10008.1.2.4.81": ("jpeg-ls",),
    "1.2.840.10008.1.2.4.90": ("jpeg2000",),
    "1.2.840.10008.1.2.4.91": ("jpeg2000",),
}
DECODED = frozenset((*_KINDS, RLE_LOSSLESS))
"""Transfer syntaxes of compressed pictures that are read."""

_METHODS = {"jpeg": "ISO_10918_1", "jpeg-ls": "ISO_14495_1", "jpeg2000": "ISO_15444_1"}
_NEAR_LOSSLESS = "1.2.840.10008.1.2.4.81"
_RLE_SEGMENTS, _RLE_HEAD = 15, 64
_DEPTHS_OF_JPEG_LS = {8: (8,), 16: range(9, 17)}
"""Bits stored by bits allocated that every reader takes."""


def versions(syntax: str) -> tuple[str, ...]:
    """Name the programs that decode a transfer syntax."""
    if syntax in (JPEG_LS_LOSSLESS, _NEAR_LOSSLESS):
        return (f"pyjpegls {metadata.version('pyjpegls')}",)
    return () if syntax == RLE_LOSSLESS else (f"gdcm {metadata.version('python-gdcm')}",)


def lossy_method(image: bytes, syntax: str) -> str | None:
    """Give the defined term of the method when it lost values for sure (PS3.3, C.7.6.1.1.5); else None."""
    if syntax == RLE_LOSSLESS:
        return None
    head = _head(image, syntax)
    return _METHODS[head.kind] if head.lossy or syntax == _NEAR_LOSSLESS else None


def colours_of(image: bytes, syntax: str, picture: Picture) -> str:
    """Give the photometric interpretation of a frame once it is decoded."""
    return picture.photometric if syntax == RLE_LOSSLESS else _colours(_head(image, syntax), picture)


def decode(image: bytes, syntax: str, picture: Picture, decoder: Decoder) -> Samples:
    """Decode one frame.

    Returns
    -------
    numpy.ndarray
        (rows, columns) or (rows, columns, 3), in the type of Bits Allocated.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        ``undecodable-pixels``, also when the picture is not of the size that the object says.
    """
    if syntax == RLE_LOSSLESS:
        return _run_lengths(image, picture)
    head = _head(image, syntax)
    size = head.rows, head.columns, head.components
    if size != (picture.rows, picture.columns, picture.samples) or head.precision > picture.allocated:
        raise _refusal()
    if head.signed and not picture.signed:
        raise _refusal()
    request = Request(
        decoder="charls" if head.kind == "jpeg-ls" else "gdcm",
        syntax=syntax,
        photometric=picture.photometric,
        rows=head.rows,
        columns=head.columns,
        samples=head.components,
        precision=head.precision,
        signed=head.signed,
    )
    container = np.dtype("u1" if head.precision <= 8 else "<u2" if head.precision <= 16 else "<u4")  # noqa: PLR2004 - bits
    needed = head.rows * head.columns * head.components * container.itemsize
    try:
        found = decoder.decode(request, image, needed + needed % 2)
    except Undecoded as error:
        raise _refusal() from error
    if len(found) < needed:
        raise _refusal()
    return _typed(np.frombuffer(found[:needed], container), head.precision, picture)


def fits_jpeg_ls(picture: Picture) -> bool:
    """Tell whether every reader of JPEG-LS gives this picture back as it is."""
    return not picture.signed and picture.stored in _DEPTHS_OF_JPEG_LS.get(picture.allocated, ())


def encode(frame: Samples, picture: Picture) -> bytes:
    """Encode a frame in JPEG-LS Lossless, and see that it is still the same.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        ``not-verified`` when it is not.
    """
    image = bytes(
        jpeg_ls.encode_pixel_data(
            np.ascontiguousarray(frame).tobytes(),
            rows=picture.rows,
            columns=picture.columns,
            samples_per_pixel=picture.samples,
            bits_stored=picture.stored,
            planar_configuration=0,
            lossy_error=0,
        )
    )
    buffer, _ = jpeg_ls.decode_pixel_data(image)
    again = np.frombuffer(buffer, frame.dtype.newbyteorder("<")).reshape(frame.shape)
    if not np.array_equal(again, frame):
        raise Refusal("not-verified", "The result did not have the pixels of the original.")
    return image


def _head(image: bytes, syntax: str) -> Head:
    try:
        head = head_of(image)
    except Undecodable as error:
        raise _refusal() from error
    if head.kind not in _KINDS[syntax]:
        raise _refusal()
    return head


def _colours(head: Head, picture: Picture) -> str:
    """Say what the decoded samples are."""
    if picture.photometric in ("YBR_RCT", "YBR_ICT"):
        return "RGB"
    if picture.photometric == "YBR_FULL_422" or (head.jfif and picture.photometric == "RGB"):
        return "YBR_FULL"
    return picture.photometric


def _typed(raw: Samples, precision: int, picture: Picture) -> Samples:
    """Give decoded samples in the type that the object says they have, by pixel."""
    kind = np.dtype(f"{'i' if picture.signed else 'u'}{picture.width}")
    shape = (picture.rows, picture.columns, *((3,) if picture.samples > 1 else ()))
    samples = raw.astype(f"u{picture.width}") & np.array((1 << precision) - 1, f"u{picture.width}")
    unused = 8 * picture.width - precision
    found: Samples = ((samples << unused).view(kind) >> unused).reshape(shape)
    return found


def _run_lengths(image: bytes, picture: Picture) -> Samples:
    """Decode RLE (PS3.5, Annex G): a segment for each byte of each sample, the highest first."""
    if len(image) < _RLE_HEAD:
        raise _refusal()
    count, *starts = struct.unpack_from("<16I", image)
    if count != picture.samples * picture.width or count > _RLE_SEGMENTS:
        raise _refusal()
    ends = [*starts[1:count], len(image)]
    planes = [
        _packed_bits(image[start:end], picture.rows * picture.columns)
        for start, end in zip(starts[:count], ends, strict=True)
    ]
    joined = np.stack([np.frombuffer(plane, np.uint8) for plane in planes], axis=1)
    samples = joined.reshape(-1, picture.samples, picture.width)
    kind = np.dtype(f">{'i' if picture.signed else 'u'}{picture.width}")
    found = np.ascontiguousarray(samples).view(kind).astype(kind.newbyteorder("="))
    shape = (picture.rows, picture.columns, *((3,) if picture.samples > 1 else ()))
    return found.reshape(shape)


def _packed_bits(segment: bytes, size: int) -> bytearray:
    """Expand one segment, at most to `size` bytes."""
    found = bytearray()
    position, end = 0, len(segment)
    while len(found) < size:
        if position >= end:
            raise _refusal()
        head = segment[position]
        if head < 128:  # noqa: PLR2004 - the rest of PackBits' numbers are its own
            found += segment[position + 1 : position + 2 + head]
            position += 2 + head
        elif head > 128:  # noqa: PLR2004
            found += segment[position + 1 : position + 2] * (257 - head)
            position += 2
        else:
            position += 1
    if len(found) != size:
        # Some encoders let the last run end behind the picture.
        del found[size:]
    return found


def _refusal() -> Refusal:
    return Refusal("undecodable-pixels", "The compressed pixels can't be decoded.")
