"""How much drawn text the pixel cleaning finds, by its size and what it lies on, and what looking costs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels import pixel_array

from agents.anonymization.outcome import Refusal
from agents.anonymization.pixels.cleaning import clean_pixels
from agents.anonymization.pixels.detector import load_detector
from agents.anonymization.policy.ready import BASIC
from tests.bench.figures import number, table
from tests.unit.agents.anonymization.pixels.drawn import Kind, dataset, ink, native, written

SEED = 20
SIZES = 8, 10, 12, 16, 24, 32, 48, 64
GONE = 0.98
"""Part of a line's pixels that is black when it counts as found."""
TITLE = "Text in pixels"
ABOUT = (
    "Names, numbers and days, drawn in one picture in sizes of 8 to 64 pixels (of the type; small letters "
    "are about half as high), every third row upright, are blacked out by `clean_pixels`. "
    f"*Found* are lines of which {GONE:.0%} is black afterwards, of those drawn; *black "
    "elsewhere* is the part of the picture that was blacked out farther than a line's height from any. "
    "Processor time, one process, detector loaded."
)
_WORDS = (
    *("Doe, Jane", "MUSTERMANN^ERIKA", "1970-01-31", "PID 0012345", "Dr. K. Huber", "Nguyen Thi Lan"),
    *("31.01.1970", "ACC0047114", "Born 01/31/70", "O'Brien, M.", "St. Mary 4711", "M 054Y"),
)
_APART = 14
"""Pixels between lines at least."""

Greys = NDArray[np.float64]


class Case(NamedTuple):
    """A picture: its sides, what text lies on, and how bright text is; greys from 0 to 1."""

    name: str
    rows: int
    columns: int
    shade: float
    waves: float
    noise: float
    text: float
    bits: int = 8
    colour: bool = False


CASES = (
    Case("dark", 512, 512, 0.05, 0.0, 0.005, 1.0),
    Case("middle", 512, 512, 0.45, 0.2, 0.02, 1.0),
    Case("bright", 512, 512, 0.9, 0.05, 0.01, 0.1),
    Case("noise", 512, 512, 0.4, 0.1, 0.1, 1.0),
    Case("faint", 512, 512, 0.4, 0.1, 0.01, 0.65),
    Case("colour", 480, 640, 0.3, 0.2, 0.02, 1.0, colour=True),
    Case("capture", 768, 1024, 0.3, 0.2, 0.03, 0.9),
    Case("12 bits", 1024, 1024, 0.4, 0.3, 0.02, 1.0, bits=12),
    Case("radiograph", 2000, 1600, 0.5, 0.3, 0.015, 1.0, bits=12),
)


class Line(NamedTuple):
    """A drawn line: size of its type, its box's corner, and where ink is in that."""

    size: int
    top: int
    left: int
    shape: NDArray[np.bool_]


class Row(NamedTuple):
    """What came of a case: (found, drawn) by size, seconds, and the part that is black without text.

    Without those, and with a reason, when the picture stays in.
    """

    case: Case
    found: dict[int, tuple[int, int]]
    seconds: float
    elsewhere: float
    refused: str = ""


def measure(cases: int = len(CASES)) -> list[Row]:
    """Clean each case's picture."""
    load_detector()
    return [_measured(case, np.random.default_rng((SEED, place))) for place, case in enumerate(CASES[:cases])]


def _measured(case: Case, chance: np.random.Generator) -> Row:
    lines = list(_lines(case, chance))
    source = _object(case, lines, chance)
    began = time.process_time()
    try:
        cleaned = clean_pixels(source, BASIC).content
    except Refusal as refusal:
        return Row(case, dict.fromkeys(SIZES, (0, 0)), time.process_time() - began, 0.0, refusal.reason)
    took = time.process_time() - began
    before, after = (pixel_array(BytesIO(content), raw=True) for content in (source, cleaned))
    if case.colour:
        black, changed = (after == 0).all(axis=-1), (before != after).any(axis=-1)
    else:
        black, changed = after == before.min(), before != after
    found = dict.fromkeys(SIZES, (0, 0))
    for size, top, left, shape in lines:
        bottom, right = top + shape.shape[0], left + shape.shape[1]
        gone = black[top:bottom, left:right][shape].mean() >= GONE
        found[size] = found[size][0] + int(gone), found[size][1] + 1
        changed[max(top - size, 0) : bottom + size, max(left - size, 0) : right + size] = False
    return Row(case, found, took, float(changed.mean()))


def _lines(case: Case, chance: np.random.Generator) -> Iterator[Line]:
    """Set rows of lines from top to bottom: sizes take turns by row, every third row is upright."""
    top, row, without = _APART, 0, 0
    while without < len(SIZES):
        size = SIZES[row % len(SIZES)]
        left, height = _APART, 0
        while left < case.columns:
            shape = ink(_WORDS[int(chance.integers(len(_WORDS)))], size)
            shape = np.rot90(shape) if row % 3 == 2 else shape
            right, bottom = left + shape.shape[1], top + shape.shape[0]
            if right + _APART <= case.columns and bottom + _APART <= case.rows:
                yield Line(size, top, left, shape)
                height = max(height, shape.shape[0])
            left = right + max(_APART, size)
        top += height + _APART if height else 0
        row, without = row + 1, 0 if height else without + 1


def _object(case: Case, lines: list[Line], chance: np.random.Generator) -> bytes:
    down, across = np.mgrid[0 : case.rows, 0 : case.columns] / max(case.rows, case.columns)
    greys: Greys = case.shade + case.waves * np.sin(5 * down) * np.cos(4 * across)
    greys = greys + chance.normal(0, case.noise, greys.shape)
    top = (1 << case.bits) - 1
    letters = np.zeros(greys.shape, bool)
    for line in lines:
        rows, columns = line.shape.shape
        letters[line.top : line.top + rows, line.left : line.left + columns] |= line.shape
    greys = np.clip(greys, 0.01, 1)
    values = np.stack([greys, greys * 0.6, greys * 0.4], axis=-1) if case.colour else greys
    values[letters] = (case.text, case.text, 0.1) if case.colour else case.text
    kind = Kind("RGB" if case.colour else "MONOCHROME2", 8 if case.bits == 8 else 16, case.bits)
    values = np.round(values * top).astype(kind.dtype)[None]
    data = dataset(kind, shape=greys.shape)
    return written(data, pydicom.uid.ExplicitVRLittleEndian, native(values, kind))


def markdown(rows: list[Row]) -> str:
    sizes = [f"{size} px" for size in SIZES]
    head = ["picture", "size", *sizes, "all", "black elsewhere", "s", "s a million pixels"]
    return table(head, [*map(_cells, rows), _together(rows)])


def _cells(row: Row) -> list[str]:
    case = row.case
    return [
        case.name,
        f"{case.columns} x {case.rows}",
        *(f"{found} of {drawn}" for found, drawn in row.found.values()),
        row.refused or _part([row]),
        f"{row.elsewhere:.1%}",
        number(row.seconds),
        number(row.seconds / (case.rows * case.columns) * 1e6),
    ]


def _together(rows: list[Row]) -> list[str]:
    counted = ([row.found[size] for row in rows] for size in SIZES)
    seconds, pixels = sum(row.seconds for row in rows), sum(row.case.rows * row.case.columns for row in rows)
    return [
        "all",
        "",
        *(f"{sum(one for one, _ in each)} of {sum(of for _, of in each)}" for each in counted),
        _part(rows),
        f"{sum(row.elsewhere for row in rows) / len(rows):.1%}",
        number(seconds),
        number(seconds / pixels * 1e6),
    ]


def _part(rows: list[Row]) -> str:
    found, drawn = (sum(pair[at] for row in rows for pair in row.found.values()) for at in (0, 1))
    return f"{found / max(1, drawn):.1%}"
