"""Fragments of encapsulated pixel data, by frames (DICOM PS3.5, A.4). Pure."""

from __future__ import annotations

import struct
from typing import NamedTuple

from agents.anonymization.surplus import jpeg, jpeg_2000
from agents.anonymization.surplus.spans import Span, broken

_HEAD = struct.Struct("<HHI")
_ITEM = 0xFFFE, 0xE000
_STARTS = jpeg.START, jpeg_2000.START


class Fragments(NamedTuple):
    """Where things lie in the value of Pixel Data.

    Attributes
    ----------
    table
        The Basic Offset Table's value.
    frames
        The values of each frame's fragments.
    """

    table: Span
    frames: list[list[Span]]

    @property
    def offsets(self) -> list[int]:
        """Where each frame begins, in bytes behind the offset table."""
        return [frame[0][0] - _HEAD.size - self.table[1] for frame in self.frames]

    @property
    def lengths(self) -> list[int]:
        """Bytes of each frame."""
        return [sum(end - begin for begin, end in frame) for frame in self.frames]


def by_frames(pixels: memoryview, frames: int) -> Fragments:
    """Find the fragments of each of so many frames.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When it can't be told which belong to which, or there is something else.
    """
    table, *fragments = _items(pixels) or [(0, 0)]
    if not fragments or len(fragments) < frames:
        raise broken()
    if len(fragments) == frames:
        return Fragments(table, [[fragment] for fragment in fragments])
    if frames == 1:
        return Fragments(table, [fragments])
    count = (table[1] - table[0]) // 4
    if count:
        offsets = struct.unpack_from(f"<{count}L", pixels, table[0])
        begins = {begin - _HEAD.size - table[1] for begin, _ in fragments}
        first = set(offsets)
        if not first <= begins or 0 not in first:
            raise broken()
        starts = [begin - _HEAD.size - table[1] in first for begin, _ in fragments]
    else:
        starts = [bytes(pixels[begin : begin + 4]).startswith(_STARTS) for begin, _ in fragments]
    if sum(starts) != frames or not starts[0]:
        raise broken()
    grouped: list[list[Span]] = []
    for fragment, is_first in zip(fragments, starts, strict=True):
        if is_first:
            grouped.append([])
        grouped[-1].append(fragment)
    return Fragments(table, grouped)


def _items(pixels: memoryview) -> list[Span]:
    found, position = [], 0
    while position < len(pixels):
        if position + _HEAD.size > len(pixels):
            raise broken()
        group, element, length = _HEAD.unpack_from(pixels, position)
        position += _HEAD.size
        if (group, element) != _ITEM or position + length > len(pixels):
            raise broken()
        found.append((position, position + length))
        position += length
    return found
