"""DICOM Part 10 files from the outside: preamble, file meta information, encoding, inflation.

Believes nothing that a file declares (DICOM PS3.10, section 7; PS3.5, Annex A).
"""

from __future__ import annotations

import mmap
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from streams.errors import Rejected

Buffer = bytes | mmap.mmap

PREAMBLE = 132
"""Bytes before the file meta information: 128 of preamble, then DICM."""

SHORT_VRS = frozenset(
    (
        *("AE", "AS", "AT", "CS", "DA", "DS", "DT", "FL", "FD", "IS", "LO", "LT", "PN", "SH"),
        *("SL", "SS", "ST", "TM", "UI", "UL", "US"),
    )
)
"""Value representations with a length of 16 bits (DICOM PS3.5, section 7.1.2)."""
LONG_VRS = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"))
"""Value representations with a length of 32 bits."""
VR_NAMES = {name.encode(): name for name in SHORT_VRS | LONG_VRS}
_META_ELEMENTS = 64
_META_HEAD, _LONG_LENGTH = struct.Struct("<HH2sH"), struct.Struct("<I")


class Malformed(Rejected):
    """The bytes are no DICOM file that can be judged.

    Attributes
    ----------
    code
        A short reason, fit for a quarantine: ``not-part10``, ``truncated``, ``too-deep`` and so on.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What a data set may ask of a reader.

    A real object spends most of its bytes on pixels, a bomb on structure: the number of elements and items
    may grow with the size, by one for every `bytes_per_element`.
    """

    depth: int = 32
    """Levels of nested sequences."""
    elements: int = 20_000
    bytes_per_element: int = 512
    elements_at_most: int = 500_000
    inflated: int = 16 * 1024 * 1024
    """Bytes that any deflated data set may have once inflated."""
    inflation: int = 32
    """And how many more for each of its bytes. Real images deflate to a tenth, a bomb to a thousandth."""

    def allowed(self, size: int) -> int:
        """Give how many elements and items together a data set of `size` bytes may have."""
        return min(self.elements + size // self.bytes_per_element, self.elements_at_most)

    def inflatable(self, size: int) -> int:
        """Give how many bytes `size` deflated ones may become."""
        return self.inflated + self.inflation * size


class Encoding(NamedTuple):
    """How a transfer syntax writes a data set (DICOM PS3.5, Annex A)."""

    implicit: bool
    little: bool
    deflated: bool = False


def encoding_of(transfer_syntax: str) -> Encoding:
    """Give the encoding of a transfer syntax; all but three of the standard's are explicit little endian."""
    match transfer_syntax:
        case "1.2.840.10008.1.2":
            return Encoding(implicit=True, little=True)
        case "1.2.840.10008.1.2.2":
            return Encoding(implicit=False, little=False)
        case "1.2.840.10008.1.2.1.99" | "1.2.840.10008.1.2.4.95" | "1.2.840.10008.1.2.4.205":
            return Encoding(implicit=False, little=True, deflated=True)
        case _:
            return Encoding(implicit=False, little=True)


class Meta(NamedTuple):
    """The file meta information: values by tag, and where the data set begins."""

    values: dict[int, bytes]
    dataset: int

    def text(self, tag: int) -> str:
        """Give a value as text without padding; empty when there is none."""
        return self.values.get(tag, b"").decode("ascii", "replace").rstrip("\0 ")


def read_meta(data: Buffer) -> Meta:
    """Read preamble and file meta information (DICOM PS3.10, section 7.1).

    Raises
    ------
    Malformed
        ``not-part10`` when this is no DICOM file, ``truncated`` or ``bad-vr`` when its meta is broken.
    """
    if len(data) < PREAMBLE or bytes(data[128:PREAMBLE]) != b"DICM":
        raise Malformed("not-part10", "Not a DICOM file: send a DICOM Part 10 file.")
    position, size = PREAMBLE, len(data)
    values: dict[int, bytes] = {}
    while position + 8 <= size:
        group, number, name, length = _META_HEAD.unpack_from(data, position)
        if group != 2:  # noqa: PLR2004 - the group of file meta information
            break
        vr = VR_NAMES.get(name)
        if vr is None or vr == "SQ" or len(values) >= _META_ELEMENTS:
            raise Malformed("bad-vr", "The file meta information is not explicit VR little endian.")
        position += 8
        if vr in LONG_VRS:
            if position + 4 > size:
                raise Malformed("truncated", "The file ends inside its meta information.")
            length = _LONG_LENGTH.unpack_from(data, position)[0]
            position += 4
        if position + length > size:
            raise Malformed("truncated", "The file ends inside its meta information.")
        values[group << 16 | number] = bytes(data[position : position + length])
        position += length
    return Meta(values, position)


def inflate(data: Buffer, start: int, bounds: Bounds) -> bytes:
    """Inflate a deflated data set (RFC 1951), at most `bounds.inflatable` bytes.

    Raises
    ------
    Malformed
        ``bomb`` when there would be more, ``truncated`` when the stream is broken.
    """
    return b"".join(inflate_chunks(data, start, bounds))


def inflate_chunks(data: Buffer, start: int, bounds: Bounds) -> Iterator[bytes]:
    """Inflate piecewise, so that memory stays flat; else as `inflate`."""
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    budget, step = bounds.inflatable(len(data) - start), 1 << 20
    for position in range(start, len(data), step):
        pending = bytes(data[position : position + step])
        while pending or machine.unconsumed_tail:
            try:
                chunk = machine.decompress(pending or machine.unconsumed_tail, step)
            except zlib.error as error:
                raise Malformed("truncated", "The deflated data set is broken.") from error
            pending = machine.unconsumed_tail
            budget -= len(chunk)
            if budget < 0:
                raise Malformed("bomb", "The data set inflates to far more bytes than an image does.")
            yield chunk
            if machine.eof:
                return
            if not chunk and not pending:
                break
    raise Malformed("truncated", "The deflated data set ends too early.")
