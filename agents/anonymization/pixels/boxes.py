"""Rectangles of pixels. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle: `right` and `bottom` are the first column and row behind it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> int:
        """Pixels in it."""
        return max(0, self.right - self.left) * max(0, self.bottom - self.top)

    def grown(self, margin: int) -> Box:
        """Give the box with `margin` more pixels on every side."""
        return Box(self.left - margin, self.top - margin, self.right + margin, self.bottom + margin)

    def moved(self, columns: int, rows: int) -> Box:
        """Give the box so many columns to the right and rows further down."""
        return Box(self.left + columns, self.top + rows, self.right + columns, self.bottom + rows)

    def holds(self, other: Box) -> bool:
        """Tell whether all of `other` lies in this one."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )


def clipped(boxes: Iterable[Box], rows: int, columns: int) -> list[Box]:
    """Give what of the boxes lies in the picture, sorted, without those that lie in another."""
    inside = {
        Box(max(box.left, 0), max(box.top, 0), min(box.right, columns), min(box.bottom, rows))
        for box in boxes
    }
    found: list[Box] = []
    for box in sorted(inside, key=lambda box: (-box.area, box)):
        if box.area and not any(other.holds(box) for other in found):
            found.append(box)
    return sorted(found)


def bridges(lines: Iterable[tuple[Box, float]]) -> Iterator[Box]:
    """Give boxes over gaps between two that follow each other on a line of text: letters may be left there.

    Parameters
    ----------
    lines
        Boxes, and how far from the next one each may be, in pixels.
    """
    found = list(lines)
    yield from _bridges(found)
    for box in _bridges([(_turned(box), reach) for box, reach in found]):
        yield _turned(box)


def _bridges(lines: list[tuple[Box, float]]) -> Iterator[Box]:
    following = sorted(set(lines))
    lefts = [box.left for box, _ in following]
    for one, reach in following:
        for box, other in following[bisect_left(lefts, one.right) : bisect_right(lefts, one.right + reach)]:
            top, bottom = max(one.top, box.top), min(one.bottom, box.bottom)
            tallest = max(one.bottom - one.top, box.bottom - box.top)
            if box.left - one.right <= other and 2 * (bottom - top) >= tallest:
                yield Box(one.right, top, box.left, bottom)


def _turned(box: Box) -> Box:
    return Box(box.top, box.left, box.bottom, box.right)


def outside(kept: Sequence[Box], rows: int, columns: int) -> list[Box]:
    """Give boxes that together cover the picture but for what `kept` covers."""
    across = sorted({0, columns, *(edge for box in kept for edge in (box.left, box.right))})
    down = sorted({0, rows, *(edge for box in kept for edge in (box.top, box.bottom))})
    found: list[Box] = []
    for top, bottom in pairwise(down):
        open_from: int | None = None
        for left, right in pairwise(across):
            if any(box.holds(Box(left, top, right, bottom)) for box in kept):
                if open_from is not None:
                    found.append(Box(open_from, top, left, bottom))
                open_from = None
            elif open_from is None:
                open_from = left
        if open_from is not None:
            found.append(Box(open_from, top, across[-1], bottom))
    return found
