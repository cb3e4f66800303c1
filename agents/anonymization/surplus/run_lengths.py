"""What follows the run-length coded segments of a frame (DICOM PS3.5, Annex G). Pure."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator

from agents.anonymization.surplus.spans import Span, broken

_HEADER = struct.Struct("<16L")
_NOTHING = 0x80
"""The code of a run of nothing."""


def beside(frame: bytes, plane: int, segments: int) -> Iterator[Span]:
    """Give where a segment's bytes go on behind its plane, and offsets that there is no segment for.

    Parameters
    ----------
    plane
        Bytes that each segment is of once decoded.
    segments
        How many there should be.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When it is not built as a frame.
    """
    if len(frame) < _HEADER.size:
        raise broken()
    number, *offsets = _HEADER.unpack_from(frame)
    begins = [*offsets[:number], len(frame)]
    if number != segments or begins[0] != _HEADER.size or begins != sorted(begins):
        raise broken()
    yield 4 + 4 * number, _HEADER.size
    for begin, end in itertools.pairwise(begins):
        yield _end(frame, begin, end, plane), end


def _end(frame: bytes, position: int, end: int, plane: int) -> int:
    """Tell where a segment ends that decodes to a plane."""
    left = plane
    while left > 0 and position < end:
        code = frame[position]
        if code < _NOTHING:
            position += code + 2
            left -= code + 1
        else:
            position += 2 if code > _NOTHING else 1
            left -= 257 - code if code > _NOTHING else 0
    if left or position > end:
        raise broken()
    return position
