"""Where an ultrasound picture is ultrasound: its own regions (DICOM PS3.3, C.8.5.5). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from agents.anonymization.pixels.boxes import Box

_GRAPHICS = 5
_SPATIAL_FORMATS = range(6)
_SMALLEST = 1 / 50
"""Share of the picture that regions of a plausible object have at least."""


class Region(NamedTuple):
    """An item of Sequence of Ultrasound Regions; None: the attribute is missing or no number.

    `right` and `bottom` are the last column and row, as in the attribute.
    """

    spatial_format: int | None
    left: int | None
    top: int | None
    right: int | None
    bottom: int | None


def scanned(regions: Sequence[Region], rows: int, columns: int) -> list[Box] | None:
    """Give what is to be kept of the picture; None when the regions are absent or can't be right.

    One region that can't be right makes all of them doubtful. Regions of graphics don't count.
    """
    kept: list[Box] = []
    for region in regions:
        if region.spatial_format not in _SPATIAL_FORMATS:
            return None
        if region.left is None or region.top is None or region.right is None or region.bottom is None:
            return None
        box = Box(region.left, region.top, region.right + 1, region.bottom + 1)
        # some devices give the first column behind the region
        if not (0 <= box.left < box.right <= columns + 1 and 0 <= box.top < box.bottom <= rows + 1):
            return None
        if region.spatial_format != _GRAPHICS:
            kept.append(box)
    if sum(box.area for box in kept) < _SMALLEST * rows * columns:
        return None
    return kept
