"""What the index says in counts, for the end of a run and its report. An adapter."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from agents.anonymization.files.entries import Result, from_line
from agents.anonymization.files.index import Index
from agents.anonymization.report.comparing import Change


class SeriesPlace(NamedTuple):
    """A series in the output; objects of one series that name several patients are several."""

    study: str
    series: str
    patient: str
    modality: str


class Told(NamedTuple):
    """How many files have a result, and the reason when it has one, in words."""

    result: Result
    reason: str | None
    message: str
    files: int


class Tallies:
    """Asks an index for counts; raises as it does."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def results(self, series: SeriesPlace | None = None) -> list[Told]:
        """Count results by reason, the most frequent first: of all files, or of a series."""
        rows = self._of(
            "e.result, e.reason, MIN(e.line), COUNT(*)",
            series,
            "GROUP BY e.result, e.reason ORDER BY COUNT(*) DESC, e.result, e.reason",
        )
        return [
            Told(result, reason, from_line(line).message or "", number)
            for result, reason, line, number in rows
        ]

    def tools(self, series: SeriesPlace | None = None) -> Iterator[tuple[tuple[str, ...], int]]:
        """Count outputs by what decided beside the policy."""
        rows = self._of("e.tools, COUNT(*)", series, "AND e.result = 'anonymized' GROUP BY e.tools")
        return ((tuple(json.loads(tools)), number) for tools, number in rows)

    def series(self) -> Iterator[SeriesPlace]:
        """Yield all series, by study, series and patient."""
        rows = self._index.rows(
            "SELECT study, series, patient, MIN(modality) FROM found GROUP BY study, series, patient"
        )
        return (SeriesPlace(*row) for row in rows)

    def distinct(self) -> tuple[int, int, int]:
        """Count patients, studies and series."""
        ((patients, studies),) = self._index.rows(
            "SELECT COUNT(DISTINCT patient), COUNT(DISTINCT study) FROM found"
        )
        return patients, studies, sum(1 for _ in self.series())

    def changes(self, series: SeriesPlace | None = None) -> tuple[Counter[Change], int]:
        """Count objects by what was changed in them, and all that were compared."""
        told = "SELECT p.changes, SUM(d.objects) FROM profiled d JOIN profile p ON p.id = d.profile"
        if series is None:
            return _added(self._index.rows(f"{told} GROUP BY p.id"))
        folder = f"{series.patient}/{series.study}/{series.series}"
        return _added(self._index.rows(f"{told} WHERE d.folder = ? GROUP BY p.id", folder))

    def _of(self, columns: str, series: SeriesPlace | None, rest: str) -> Iterator[tuple[Any, ...]]:
        if series is None:
            return self._index.rows(f"SELECT {columns} FROM entry e WHERE TRUE {rest}")  # noqa: S608 - ours
        joined = "found f JOIN entry e ON e.path = f.path"
        here = "f.study = ? AND f.series = ? AND f.patient = ?"
        return self._index.rows(
            f"SELECT {columns} FROM {joined} WHERE {here} {rest}",  # noqa: S608 - ours
            series.study,
            series.series,
            series.patient,
        )


def _added(rows: Iterable[tuple[str, int]]) -> tuple[Counter[Change], int]:
    counts: Counter[Change] = Counter()
    compared = 0
    for content, objects in rows:
        compared += objects
        for change in json.loads(content):
            counts[Change(*change)] += objects
    return counts, compared
