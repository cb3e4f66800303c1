"""Where an object stands in its series, from its header's numbers. Pure; none of them identifies.

A number that is missing or no number is left out, never refused: only completeness asks for it.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Mapping

from schemas.pacs import Placement

ACQUISITION, INSTANCE, POSITION, ORIENTATION = 0x00200012, 0x00200013, 0x00200032, 0x00200037
TEMPORAL = LAST = 0x00200100
PLACING = frozenset((ACQUISITION, INSTANCE, POSITION, ORIENTATION, TEMPORAL))
"""Acquisition and Instance Number, Image Position and Orientation (Patient), Temporal Position Identifier.
None lies behind `LAST`, so that the walk ends before private groups and sequences of the image."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,12}")
_FAR_MM = 1e5
_UNIT = 0.01
"""How far direction cosines may be from a unit vector, and from each other's right angle."""


def placement_of(found: Mapping[int, bytes]) -> Placement | None:
    """Give the placement that top-level values tell, by tag; None when they tell nothing.

    The position is that of the image's first voxel along the normal of its plane, mm: Image Position
    (Patient) times the cross product of the direction cosines (DICOM PS3.3, C.7.6.2.1.1).
    """
    normal = _normal(_decimals(found, ORIENTATION, 6))
    corner = _decimals(found, POSITION, 3)
    position = None
    if normal and corner and max(map(abs, corner)) < _FAR_MM:
        position = round(sum(map(operator.mul, normal, corner)), 4)
    placed = Placement(
        number=_integer(found, INSTANCE),
        acquisition=_integer(found, ACQUISITION),
        temporal=_integer(found, TEMPORAL),
        position=position,
        normal=normal if position is not None else None,
    )
    return None if placed == Placement() else placed


def _integer(found: Mapping[int, bytes], tag: int) -> int | None:
    text = _text(found, tag)
    return int(text) if _INTEGER.fullmatch(text) else None


def _decimals(found: Mapping[int, bytes], tag: int, count: int) -> list[float] | None:
    parts = _text(found, tag).split("\\")
    if len(parts) != count:
        return None
    try:
        values = [float(part) for part in parts]
    except ValueError:
        return None
    return values if all(map(math.isfinite, values)) else None


def _normal(cosines: list[float] | None) -> tuple[float, float, float] | None:
    if cosines is None:
        return None
    (a, b, c), (d, e, f) = cosines[:3], cosines[3:]
    unit = abs(math.hypot(a, b, c) - 1) < _UNIT and abs(math.hypot(d, e, f) - 1) < _UNIT
    if not unit or abs(a * d + b * e + c * f) > _UNIT:
        return None
    return (round(b * f - c * e, 5) + 0.0, round(c * d - a * f, 5) + 0.0, round(a * e - b * d, 5) + 0.0)


def _text(found: Mapping[int, bytes], tag: int) -> str:
    return found.get(tag, b"").decode("ascii", "replace").strip("\0 ")
