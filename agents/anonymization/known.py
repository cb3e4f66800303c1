"""What the object itself says its people are called, to find it again in text that is kept. Pure.

The table trusts attributes such as Manufacturer, Code Meaning or Body Part Examined. Where one of them
repeats a name, an id or an accession number of the same object, it is not trusted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_SHORTEST = 4
"""Shorter words say little and occur everywhere."""
_NOBODY = frozenset((b"anonymized", b"anonymous", b"none", b"unknown"))
_WORDS = re.compile(rb"[0-9A-Za-z\x80-\xff]+(?:[_.-][0-9A-Za-z\x80-\xff]+)*")
_PARTS = re.compile(rb"[_.-]")

NAMING = frozenset(
    (
        *(0x00080050, 0x00080090, 0x00081048, 0x00081050, 0x00081060, 0x00081070),  # accession, people
        *(0x00100010, 0x00100020, 0x00100030, 0x00101000, 0x00101001, 0x00101005, 0x00101060),  # patient
        *(0x00102154, 0x00380010),  # telephone, admission
    )
)
"""Top-level attributes whose values are looked for."""


class KnownValues:
    """Finds words of the given values, whatever their case, in the object's own encoding."""

    def __init__(self, values: Iterable[bytes]) -> None:
        words = set().union(*(_words(value) for value in values)) - _NOBODY
        self._words = frozenset(word for word in words if len(word) >= _SHORTEST)

    def occur_in(self, value: bytes) -> bool:
        """Tell whether any of them stands in the value."""
        return bool(self._words) and not self._words.isdisjoint(_words(value))


def _words(value: bytes) -> set[bytes]:
    """Give words as they stand, and the parts of those that are joined by hyphens, dots and underscores."""
    words = set(_WORDS.findall(value.lower()))
    return words | {part for word in words for part in _PARTS.split(word)}
