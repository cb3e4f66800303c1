"""Gaps in the positions of slices along their plane's normal. Pure.

A gap is a hole in a spacing that is uniform otherwise, as wide as a multiple of it. A spacing that changes,
several planes (localizers, radial slices) and few slices say nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from operator import mul
from statistics import median_low
from typing import Literal, NamedTuple

from schemas.facts import StoredInstance
from schemas.pacs import Hole, Placement
from streams.completeness.numbers import SLICES

LEAST = 5
"""Positions from which a spacing is told."""

_SAME_MM = 0.01
_PARALLEL = 0.99985
"""Cosine of 1°."""
_ASIDE = 3
"""Slices of another plane that a stack may have beside it, as its scouts."""
_TOLERANCE = 0.1
"""Of the spacing."""
_SMALLEST_MM = 0.05
_APART = 3
"""Times the spacing between two stacks of a series."""
_UNIFORM = 0.75
"""Part of the steps that have to be the spacing itself."""

Normal = tuple[float, float, float]


class Positions(NamedTuple):
    """What positions say."""

    said: Literal["uniform", "gaps", "unknown"]
    holes: Sequence[Hole] = ()
    missing: int = 0


def positions_of(images: Iterable[StoredInstance]) -> Positions:
    """Look for holes in a series; each acquisition and temporal position is a stack of its own."""
    slices = [one.placement or Placement() for one in images if one.sop_class_uid in SLICES]
    stack = _one_plane(slices)
    groups: dict[tuple[int | None, int | None], list[float]] = {}
    for place in stack:
        if place.position is not None:
            groups.setdefault((place.acquisition, place.temporal), []).append(place.position)
    found = [_of_stack(sorted(group)) for group in groups.values()]
    missing = sum(one.missing for one in found)
    if missing:
        return Positions("gaps", [hole for one in found for hole in one.holes], missing)
    uniform = bool(found) and all(one.said == "uniform" for one in found)
    return Positions("uniform" if uniform else "unknown")


def _one_plane(slices: Sequence[Placement]) -> list[Placement]:
    """Give the slices of the only plane that has more than a few; none when a slice has no place."""
    planes: list[tuple[Normal, list[Placement]]] = []
    for place in slices:
        if place.normal is None:
            return []
        for normal, members in planes:
            if sum(map(mul, normal, place.normal)) > _PARALLEL:
                members.append(place)
                break
        else:
            if len(planes) > _ASIDE:
                return []
            planes.append((place.normal, [place]))
    stacks = [members for _, members in planes if len(members) > _ASIDE]
    return stacks[0] if len(stacks) == 1 else []


def _are_stacks(steps: Sequence[int]) -> bool:
    """Tell equal stacks that lie well apart, as through the discs of a spine."""
    wide = [at for at, step in enumerate(steps) if step > 1]
    ends = [-1, *wide, len(steps)]
    alike = len({after - before for before, after in pairwise(ends)}) == 1
    return bool(wide) and alike and all(steps[at] >= _APART for at in wide)


def _of_stack(ordered: Sequence[float]) -> Positions:
    distinct = list(ordered[:1]) + [b for a, b in pairwise(ordered) if b - a > _SAME_MM]
    if len(distinct) < LEAST:
        return Positions("unknown")
    widths = [b - a for a, b in pairwise(distinct)]
    spacing = median_low(widths)
    steps = [round(width / spacing) for width in widths]
    off = any(abs(width / spacing - step) > _TOLERANCE for width, step in zip(widths, steps, strict=True))
    # Two wide steps of a kind in a row are another spacing, as in the upper half of a head.
    changes = any(a == b != 1 for a, b in pairwise(steps))
    if spacing < _SMALLEST_MM or off or changes or steps.count(1) < _UNIFORM * len(steps):
        return Positions("unknown")
    if _are_stacks(steps):
        return Positions("unknown")
    holes = [
        Hole(after=a, before=b, slices=step - 1)
        for (a, b), step in zip(pairwise(distinct), steps, strict=True)
        if step > 1
    ]
    return Positions("gaps" if holes else "uniform", holes, sum(hole.slices for hole in holes))
