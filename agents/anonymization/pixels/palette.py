"""Colours of PALETTE COLOR pictures (DICOM PS3.3, C.7.6.3.1.5, C.7.6.3.1.6 and C.7.9.2). Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agents.anonymization.outcome import Refusal
from agents.anonymization.pixels.header import Header
from agents.anonymization.pixels.picture import PALETTE, Picture

_DESCRIPTORS = 0x00281101, 0x00281102, 0x00281103
_TABLES = 0x00281201, 0x00281202, 0x00281203
_SEGMENTED = 0x00281221, 0x00281222, 0x00281223
_ENTRIES = 65_536
_DISCRETE, _LINEAR = range(2)
_NUMBERS_OF_DESCRIPTOR = 3
_BYTE = 255


def palette_of(header: Header, picture: Picture) -> NDArray[np.uint8] | None:
    """Give the colour of every value a pixel can have, as bytes (values, 3); None: there is no palette.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When it can't be read.
    """
    if picture.photometric != PALETTE:
        return None
    if picture.signed or picture.stored > 16:  # noqa: PLR2004 - bits of the largest table
        raise _refusal()
    columns = []
    for number in range(3):
        descriptor = _words(header, _DESCRIPTORS[number])
        if len(descriptor) != _NUMBERS_OF_DESCRIPTOR:
            raise _refusal()
        entries, first = descriptor[0] or _ENTRIES, descriptor[1]
        table = _table(header, number, entries, wide=descriptor[2] > 8)  # noqa: PLR2004 - bits of a byte
        values = np.arange(1 << picture.stored, dtype=np.int64) - first
        columns.append(table[np.clip(values, 0, entries - 1)])
    colours = np.stack(columns, axis=1)
    # Tables of 8 bits are also written as if they had 16: the darker reading would hide what is shown.
    return (colours >> 8 if colours.max() > _BYTE else colours).astype(np.uint8)


def _table(header: Header, number: int, entries: int, *, wide: bool) -> NDArray[np.uint32]:
    words = _words(header, _TABLES[number])
    if words:
        if len(words) >= entries:
            return np.array(words[:entries], np.uint32)
        small = np.frombuffer(np.array(words, "<u2").tobytes(), np.uint8)
        if len(small) < entries:
            raise _refusal()
        return small[:entries].astype(np.uint32)
    words = _words(header, _SEGMENTED[number])
    numbers = words if wide else list(np.frombuffer(np.array(words, "<u2").tobytes(), np.uint8).tolist())
    table = _expanded(numbers)
    if len(table) < entries:
        raise _refusal()
    return np.array(table[:entries], np.uint32)


def _expanded(numbers: Sequence[int]) -> list[int]:
    """Give the values of a segmented table; segments that repeat others are not read."""
    table: list[int] = []
    position = 0
    while position + 1 < len(numbers) and len(table) < _ENTRIES:
        kind, length = numbers[position], numbers[position + 1]
        values = numbers[position + 2 : position + 2 + (length if kind == _DISCRETE else 1)]
        if kind == _DISCRETE and len(values) == length:
            table += values
        elif kind == _LINEAR and len(values) == 1 and table and length:
            table += np.rint(np.linspace(table[-1], values[0], length + 1)[1:]).astype(int).tolist()
        else:
            raise _refusal()
        position += 2 + len(values)
    return table


def _words(header: Header, tag: int) -> list[int]:
    value = header.value(tag)
    order = "<u2" if header.encoding.little else ">u2"
    return [int(word) for word in np.frombuffer(value[: len(value) // 2 * 2], order)]


def _refusal() -> Refusal:
    return Refusal("unsupported-pixels", "The picture's palette can't be read.")
