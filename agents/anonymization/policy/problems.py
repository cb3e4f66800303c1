"""What is wrong with a policy document: where, and what to do. Types, pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from streams.errors import Rejected

Place = tuple[str | int, ...]
"""Keys and positions from the top of the document down."""


class Problem(NamedTuple):
    """One thing that is wrong, or (as a warning) odd."""

    place: Place
    says: str

    @property
    def path(self) -> str:
        """The place as people write it: ``attributes.StudyDate.action``, ``regions[0].boxes``."""
        return "".join(
            f"[{part}]" if isinstance(part, int) else f".{_word(part)}" if at else _word(part)
            for at, part in enumerate(self.place)
        )


class WrongPolicy(Rejected):
    """A policy document that can't be followed.

    Attributes
    ----------
    problems
        At least one, in the document's order.
    lines
        Line numbers, from 1 on, by place, as far as they are known.
    """

    def __init__(self, problems: Sequence[Problem], lines: Mapping[Place, int] | None = None) -> None:
        self.lines = lines or {}
        self.problems = sorted(problems, key=lambda problem: self._line(problem.place) or 0)
        more = len(self.problems) - 1
        others = f" ({more} more: `chips policy check` lists all)" if more else ""
        super().__init__(f"{self.told(self.problems[0])}{others}")

    def told(self, problem: Problem) -> str:
        """Say a problem with its path and line."""
        line = self._line(problem.place)
        where = ", ".join(part for part in (problem.path, f"line {line}" if line else "") if part)
        return f"{where}: {problem.says}" if where else problem.says

    def _line(self, place: Place) -> int | None:
        """Give the line of a place, else of what holds it."""
        holders = (place[:depth] for depth in range(len(place), -1, -1))
        return next((self.lines[holder] for holder in holders if holder in self.lines), None)


def nearest(name: str, known: Iterable[str]) -> str:
    """Ask whether another name was meant; empty when none is like it."""
    close = difflib.get_close_matches(name[:_LONGEST], sorted(known), n=1, cutoff=0.7)
    return f": is it {close[0]}?" if close else ""


_LONGEST = 64


def _word(text: str) -> str:
    """Give a key of the document so that a terminal can show it."""
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return short if short.isprintable() else ascii(short)
