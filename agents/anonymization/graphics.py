"""Overlays (DICOM PS3.3, C.9.2), of which Clean Graphics keeps those without text in their drawing. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.anonymization.policy.rules import Action, Decision

FindsText = Callable[[NDArray[np.uint8]], bool]
"""Tells whether text is drawn in an image, of shape (rows, columns), from 0 to 255."""

_GROUPS = range(0x6000, 0x6020, 2)
_ROWS, _COLUMNS, _FRAMES, _ALLOCATED, _POSITION, _DATA = 0x0010, 0x0011, 0x0015, 0x0100, 0x0102, 0x3000
_REASON = "option clean_graphics"
_KEPT = {
    **dict.fromkeys((_ROWS, _COLUMNS, _FRAMES, 0x0050, 0x0051, _ALLOCATED, _POSITION), Action.KEEP),
    **dict.fromkeys((0x0040, 0x1301, 0x1302, 0x1303, _DATA), Action.KEEP),
    **dict.fromkeys((0x0022, 0x0045, 0x1500, 0x4000), Action.CLEAN),
}
"""Geometry, type, statistics and drawing; description, subtype, label and comments."""
_LARGEST = 64 * 1024 * 1024
"""Pixels of a drawing that is looked at."""


class Overlays(NamedTuple):
    """The groups whose drawing was looked at, and those of them that stay."""

    seen: frozenset[int]
    kept: frozenset[int]

    def decide(self, tag: int) -> Decision:
        """Decide about an element of an overlay group at the top level."""
        action = _KEPT.get(tag & 0xFFFF, Action.REMOVE) if tag >> 16 in self.kept else Action.REMOVE
        reason = _REASON if tag >> 16 in self.kept else "overlays that can't be judged"
        return Decision(action, reason, None, Action.REMOVE)


NO_OVERLAYS = Overlays(frozenset(), frozenset())


def judge_overlays(values: Mapping[int, bytes], finds_text: FindsText | None, *, little: bool) -> Overlays:
    """Judge the overlays of an object.

    Parameters
    ----------
    values
        Of the elements of all overlay groups at the top level, by tag.
    finds_text
        Looks at a drawing; None: nobody can, so none is kept.
    little
        Whether the object is little endian.
    """
    present = {tag >> 16 for tag in values} & set(_GROUPS)
    if finds_text is None or not present:
        return NO_OVERLAYS
    seen, kept = set(), set()
    for group in present:
        own = {tag & 0xFFFF: value for tag, value in values.items() if tag >> 16 == group}
        drawing = _drawing(own, little=little)
        if drawing is not None:
            seen.add(group)
            if not any(finds_text(frame * np.uint8(255)) for frame in drawing):
                kept.add(group)
    return Overlays(frozenset(seen), frozenset(kept))


def _drawing(values: Mapping[int, bytes], *, little: bool) -> NDArray[np.uint8] | None:
    """Give the bits as (frames, rows, columns), None unless they are exactly what the group describes."""

    def number(element: int) -> int:
        value = values.get(element, b"")
        return int.from_bytes(value, "little" if little else "big") if len(value) == 2 else -1  # noqa: PLR2004 - US

    frames = values.get(_FRAMES, b"1").strip(b" \0")
    rows, columns = number(_ROWS), number(_COLUMNS)
    if number(_ALLOCATED) != 1 or number(_POSITION) != 0 or not frames.isdigit() or min(rows, columns) < 1:
        return None
    size = int(frames[:9]) * rows * columns
    data = values.get(_DATA, b"")
    needed = -(-size // 8)
    if not 0 < size <= _LARGEST or len(data) not in (needed, needed + needed % 2):
        return None
    packed = np.frombuffer(data, np.uint8)
    if not little:
        # 16-bit words: the first pixel is the lowest bit of the first word
        if len(data) % 2:
            return None
        packed = packed.reshape(-1, 2)[:, ::-1].reshape(-1)
    bits = np.unpackbits(packed, bitorder="little")
    return None if bits[size:].any() else bits[:size].reshape(-1, rows, columns)
