"""Finds bar codes and two-dimensional codes, which name a patient to machines. Pure.

A code is where a picture has two greys only, about as much of each, and many edges between them. Of all ways
in which greys can lie around their mean, two equal heaps have the lowest kurtosis, 1; a wave has 1.5, an even
spread 1.8, noise 3. The text detector finds some codes and not others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from agents.anonymization.pixels.boxes import Box
from agents.anonymization.pixels.views import Bytes, around

_REACH = 10
"""Pixels to each side that are looked at together."""
_KURTOSIS, _DEVIATION, _EDGES = 1.45, 32, 0.09
"""Highest kurtosis; lowest deviation in greys, and edges for each pixel of a row or column."""
_STEP = 1.2
"""Deviations between the two sides of an edge, at least; between two greys they are two."""
_TOGETHER, _SMALLEST = 8, 300
"""Half the pixels between places that belong together; pixels of the smallest code."""
_MARGIN = 12
"""Pixels that a box grows: near its end a code is not alone in what is looked at together."""
_COARSE = 2


def codes(view: Bytes, hidden: NDArray[np.bool_]) -> Iterator[tuple[Box, Box]]:
    """Give codes in a view (rows, columns, 1 or 3): where they are for sure, and what to black out.

    Parameters
    ----------
    hidden
        A mask of what is redacted: it counts for nothing, because black boxes make patterns of their own.
    """
    grey = view.sum(axis=2, dtype=np.int64) // view.shape[2]
    for box in _codes(grey, ~hidden):
        yield box, box.grown(_MARGIN)
    # large modules: a quarter of the pixels
    small = _quarters(grey).sum(axis=(1, 3)) // _COARSE**2
    shown = np.logical_not(_quarters(hidden).any(axis=(1, 3)))
    for coarse in _codes(small, shown):
        box = Box(*(_COARSE * side for side in coarse))
        yield box, box.grown(_COARSE * _MARGIN)


def _quarters(values: NDArray[Any]) -> NDArray[Any]:
    rows, columns = (side // _COARSE for side in values.shape)
    return values[: rows * _COARSE, : columns * _COARSE].reshape(rows, _COARSE, columns, _COARSE)


def _codes(grey: NDArray[np.int64], shown: NDArray[np.bool_]) -> Iterator[Box]:
    if not grey.size:
        return
    area = _area(grey, shown)
    if area is None:
        return
    left, top, right, bottom = area
    for box in _codes_in(grey[top:bottom, left:right], shown[top:bottom, left:right]):
        yield box.moved(left, top)


def _area(grey: NDArray[np.int64], shown: NDArray[np.bool_]) -> Box | None:
    """Give the part of a picture outside of which there are too few edges for a code; None: all of it is.

    A code's edges are at least as steep as those of the least deviation, so that none is left out.
    """
    edges = _edges(grey, shown, np.float64(_STEP * _DEVIATION))
    found = edges > _EDGES * around(shown.astype(np.int64), _REACH)
    down, across = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    if not len(down):
        return None
    rows, columns = grey.shape
    box = Box(int(across[0]), int(down[0]), int(across[-1]) + 1, int(down[-1]) + 1).grown(_REACH + 1)
    return Box(max(box.left, 0), max(box.top, 0), min(box.right, columns), min(box.bottom, rows))


def _edges(
    grey: NDArray[np.int64], shown: NDArray[np.bool_], step: NDArray[np.float64] | np.float64
) -> NDArray[np.int64]:
    """Give, for each pixel, how many edges of at least `step` are around it: across or down, the more."""
    beside, below = np.roll(shown, -1, axis=1), np.roll(shown, -1, axis=0)
    across = (np.abs(np.diff(grey, axis=1, append=grey[:, -1:])) > step) & shown & beside
    down = (np.abs(np.diff(grey, axis=0, append=grey[-1:])) > step) & shown & below
    return np.maximum(around(across.astype(np.int64), _REACH), around(down.astype(np.int64), _REACH))


def _codes_in(grey: NDArray[np.int64], shown: NDArray[np.bool_]) -> Iterator[Box]:
    there = shown.astype(np.int64)
    count = around(there, _REACH)
    enough = 2 * count > around(np.ones_like(there), _REACH)
    mean, square, cube, fourth = (
        around(grey**power * there, _REACH) / np.maximum(count, 1) for power in range(1, 5)
    )
    variance = square - mean**2
    central = fourth - 4 * mean * cube + 6 * mean**2 * square - 3 * mean**4
    deviation = np.sqrt(np.maximum(variance, 0))
    edges = _edges(grey, shown, _STEP * np.maximum(deviation, _DEVIATION))
    found = enough & (deviation > _DEVIATION) & (central < _KURTOSIS * variance**2)
    found &= edges > _EDGES * count
    if not found.any():
        return
    grown = SimpleITK.BinaryDilate(
        SimpleITK.GetImageFromArray(found.astype(np.uint8)), [_TOGETHER] * 2, SimpleITK.sitkBox
    )
    labels = SimpleITK.GetArrayFromImage(SimpleITK.ConnectedComponent(grown, True))
    numbers, sizes = np.unique(labels[found], return_counts=True)
    for number in numbers[sizes >= _SMALLEST]:
        rows, columns = np.nonzero((labels == number) & found)
        yield Box(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
