"""Gaps in Instance Numbers, where they count images. Pure.

Numbers count in slices of CT, MR and PET, one image an object. Elsewhere an operator deletes images before
they are sent, or an object holds many frames, so that a number that is missing says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import gcd
from typing import Literal, NamedTuple

from schemas.facts import StoredInstance
from schemas.pacs import Placement, Span

SLICES = frozenset(("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.128"))
"""CT, MR and PET Image Storage."""

_REGULAR = 4
"""So many numbers with equal steps above one are a numbering of its own; fewer may be what a loss left."""


class Numbers(NamedTuple):
    """What Instance Numbers say."""

    said: Literal["contiguous", "gaps", "unknown"]
    gaps: Sequence[Span] = ()
    missing: int = 0


def numbers_of(images: Iterable[StoredInstance]) -> Numbers:
    """Look for gaps in a series, of each instance one image.

    Where a number repeats, it counts within an acquisition or temporal position; where it repeats there, too,
    as with echoes, nothing is known. Where the first number should have been is never known, nor the last.
    """
    placed = [(one.sop_class_uid in SLICES, one.placement or Placement()) for one in images]
    slices = [place for is_slice, place in placed if is_slice]
    if not slices or any(place.number is None for place in slices):
        return Numbers("unknown")
    others = [place.number for is_slice, place in placed if not is_slice and place.number is not None]
    found = [_of_group(group, others) for group in _unique(slices)]
    missing = sum(one.missing for one in found)
    if missing:
        return Numbers("gaps", [gap for one in found for gap in one.gaps], missing)
    contiguous = bool(found) and all(one.said == "contiguous" for one in found)
    return Numbers("contiguous" if contiguous else "unknown")


def _unique(slices: Sequence[Placement]) -> list[list[int]]:
    """Give the numbers in groups without a repetition; none when there is no such grouping."""
    whole = [place.number for place in slices if place.number is not None]
    if len(set(whole)) == len(whole):
        return [whole]
    groups: dict[tuple[int | None, int | None], list[int]] = {}
    for place in slices:
        if place.number is not None:
            groups.setdefault((place.acquisition, place.temporal), []).append(place.number)
    unique = all(len(set(group)) == len(group) for group in groups.values())
    return list(groups.values()) if unique else []


def _of_group(group: Sequence[int], others: Iterable[int]) -> Numbers:
    first, last = min(group), max(group)
    # An object of another class, such as a screen of the dose, takes a number of the same count.
    ordered = sorted({*group, *(number for number in others if first < number < last)})
    steps = [after - before for before, after in pairwise(ordered)]
    step = gcd(*steps) if len(ordered) >= _REGULAR else 1
    missing = sum(one // step - 1 for one in steps)
    if missing > len(ordered):  # more than there are: numbers in blocks, as 1000 * echo + slice
        return Numbers("unknown")
    if not missing:
        return Numbers("contiguous" if step <= 1 else "unknown")
    gaps = [
        Span(first=before + step, last=after - step)
        for before, after in pairwise(ordered)
        if after - before > step
    ]
    return Numbers("gaps", gaps, missing)
