"""How entries lie in a journal segment. Pure.

A segment is a header (magic, index of its first entry) and entries (length, CRC-32, payload), big endian.
After a crash only the end of the newest segment may be torn: everything before it was fsynced.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import NamedTuple

from schemas.envelope import MAX_BYTES

FORMAT = 1
"""The format that this CHIPS reads and writes: two digits at the end of the magic."""

_FAMILY = b"CHIPSJ"
MAGIC = b"%b%02d" % (_FAMILY, FORMAT)
_SEGMENT = struct.Struct(">8sQ")
_ENTRY = struct.Struct(">II")

SEGMENT_HEADER = _SEGMENT.size
ENTRY_HEADER = _ENTRY.size
LARGEST = ENTRY_HEADER + MAX_BYTES
"""Bytes of the largest entry."""


class Parsed(NamedTuple):
    """Whole entries found at the start of some bytes, and how many bytes they fill."""

    payloads: list[bytes]
    size: int


def segment_header(first: int) -> bytes:
    """Give the header of a segment whose first entry has the index `first`."""
    return _SEGMENT.pack(MAGIC, first)


def format_of(header: bytes) -> int | None:
    """Read the format of a segment from the start of its header; None when it is no segment of any CHIPS."""
    found = re.match(re.escape(_FAMILY) + rb"([0-9]{2})", header)
    return int(found[1]) if found else None


def first_of(header: bytes) -> int | None:
    """Read the index of the first entry; None when this is no (whole) segment header."""
    if len(header) < SEGMENT_HEADER:
        return None
    magic, first = _SEGMENT.unpack_from(header)
    return int(first) if magic == MAGIC else None


def pack(payload: bytes) -> bytes:
    """Frame one payload.

    Raises
    ------
    ValueError
        When it is empty (zeros after a power loss would look like it) or larger than an event may be.
    """
    if not 0 < len(payload) <= MAX_BYTES:
        raise ValueError(f"A journal entry has 1 to {MAX_BYTES} bytes, not {len(payload)}")
    return _ENTRY.pack(len(payload), _crc(payload)) + payload


def parse(data: bytes | memoryview, limit: int | None = None) -> Parsed:
    """Read whole entries from the start of `data`, at most `limit`; stop at one that is cut or damaged."""
    view = memoryview(data)
    payloads: list[bytes] = []
    at = 0
    while at + ENTRY_HEADER <= len(view) and (limit is None or len(payloads) < limit):
        length, crc = _ENTRY.unpack_from(view, at)
        end = at + ENTRY_HEADER + length
        if not 0 < length <= MAX_BYTES or end > len(view):
            break
        payload = bytes(view[at + ENTRY_HEADER : end])
        if _crc(payload) != crc:
            break
        payloads.append(payload)
        at = end
    return Parsed(payloads, at)


def _crc(payload: bytes) -> int:
    """Give the CRC-32 of length and payload: alone, a run of ones would be its own."""
    return zlib.crc32(payload, zlib.crc32(len(payload).to_bytes(4, "big")))
