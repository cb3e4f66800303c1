"""Counts of what is done to elements, quick because they count numbers. Pure but for what it remembers."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Sequence

from agents.anonymization.outcome import GroupCounts, Tally, What

_MANY = 2048
"""Elements of an object whose counts are remembered."""

Counts = tuple[dict[str, GroupCounts], dict[str, GroupCounts]]
"""By group and by reason."""


class Tallies:
    """Numbers for (group, reason, what is done), and counts of them."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, str, What], int] = {}
        self._next = itertools.count()
        # The slices of a series have the same elements.
        self._remembered = functools.lru_cache(maxsize=64)(self._counted)

    def number(self, tag: int, reason: str, what: What) -> int:
        """Give the number that stands for something done to an element of the tag's group."""
        return self._numbers.setdefault((tag >> 16, reason, what), next(self._next))

    def counts(self, numbers: Sequence[int]) -> Counts:
        """Count."""
        key = tuple(numbers)
        groups, reasons = self._remembered(key) if len(key) <= _MANY else self._counted(key)
        return dict(groups), dict(reasons)

    def _counted(self, numbers: tuple[int, ...]) -> Counts:
        found = Counter(numbers)
        tally = Tally()
        for (group, reason, what), number in list(self._numbers.items()):
            if number in found:
                tally.add(group << 16, reason, what, found[number])
        return tally.groups(), tally.reasons()
