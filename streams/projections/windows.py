"""What happened lately, in slices of time that forget. Pure."""

from __future__ import annotations

from schemas.sources import Slice, Times

RECENT_S = 10
MINUTE_S = 60
RECENT = 7
"""Slices of `RECENT_S`: a minute, and the one that has begun."""
MINUTES = 61


def sliced(before: list[Slice], at: int, size: int, *, width_s: int, most: int) -> list[Slice]:
    """Count an image of `size` bytes at a time (s since 1970); slices too old for the newest are forgotten.

    One that comes late, as from another partition, finds its slice, or is too old for any.
    """
    start = at - at % width_s
    if before and before[-1][0] == start:
        _, images, total = before[-1]
        return [*before[:-1], (start, images + 1, total + size)]
    counts = {one[0]: one for one in before}
    _, images, total = counts.get(start, (start, 0, 0))
    counts[start] = (start, images + 1, total + size)
    oldest = max(counts) - (most - 1) * width_s
    return [counts[one] for one in sorted(counts) if one >= oldest]


def counted(before: list[Times], at: int, number: int) -> list[Times]:
    """Count something that happened `number` times, by the minute, and forget what is older than an hour."""
    start = at - at % MINUTE_S
    counts = dict(before)
    counts[start] = counts.get(start, 0) + number
    oldest = max(counts) - (MINUTES - 1) * MINUTE_S
    return [(one, counts[one]) for one in sorted(counts) if one >= oldest]
