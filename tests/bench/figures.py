"""Figures of a bench: how often repeated measurements spread, and tables of them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Spread(NamedTuple):
    """The median of repeated measurements, and the lowest and highest."""

    median: float
    low: float
    high: float


def spread(values: Iterable[float]) -> Spread:
    found = sorted(values)
    return Spread(statistics.median(found), found[0], found[-1])


def percentile(values: Iterable[float], per_cent: int) -> float:
    """The nearest-rank percentile: a value that was measured, never one between two."""
    found = sorted(values)
    return found[rank(len(found), per_cent) - 1]


def rank(count: int, per_cent: int) -> int:
    """Which of `count` sorted values, from 1, is that percentile."""
    return max(1, math.ceil(count * per_cent / 100))


def number(value: float) -> str:
    """Three significant digits at least, thousands apart."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}"


def ranged(one: Spread) -> str:
    return f"{number(one.median)} ({number(one.low)} to {number(one.high)})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> str:
    """A Markdown table; the first `left` columns are text."""
    marks = ["---"] * left + ["--:"] * (len(head) - left)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, marks, *rows])
