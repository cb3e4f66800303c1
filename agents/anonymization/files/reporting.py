"""The report of a run: counts taken from the index, written as JSON and as a page. An adapter."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from agents.anonymization.files.index import Index
from agents.anonymization.files.outputs import unwritable
from agents.anonymization.files.tallies import Tallies, Told
from agents.anonymization.policy.document import Policy
from agents.anonymization.report import building
from agents.anonymization.report.page import page
from agents.anonymization.report.types import Count, Overview, Series
from agents.anonymization.report.written import as_json
from streams.durable import lasting_folder, sync, sync_folder

JSON, PAGE = "report.json", "report.html"


def check_report(folder: Path) -> None:
    """Make a report's folder before a run that can take hours; raises as `write_report`."""
    try:
        lasting_folder(folder)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise unwritable(folder, error) from error


def write_report(folder: Path, index: Index, policy: Policy, made: datetime) -> None:
    """Write the report, series by series, so that memory does not grow with their number.

    Raises
    ------
    streams.errors.Unavailable
        When the folder does not take it.
    """
    tallies = Tallies(index)
    overview = overview_of(tallies, policy, made)
    try:
        lasting_folder(folder)
        _write(folder / JSON, as_json(overview, series_of(tallies)))
        _write(folder / PAGE, page(overview, series_of(tallies)))
        sync_folder(folder)
    except OSError as error:
        raise unwritable(folder, error) from error


def overview_of(tallies: Tallies, policy: Policy, made: datetime) -> Overview:
    """Give what the report says of all files together."""
    told = tallies.results()
    changes, compared = tallies.changes()
    patients, studies, series = tallies.distinct()
    return Overview(
        made=made.date().isoformat(),
        policy=building.policy_part(policy),
        software=building.software(),
        files=_by_result(told),
        reasons=_counts(told),
        patients=patients,
        studies=studies,
        series=series,
        compared=compared,
        pixels_changed=building.pixels_changed(changes),
        tools=building.tools(tallies.tools()),
        attributes=building.attributes(changes),
    )


def series_of(tallies: Tallies) -> Iterator[Series]:
    """Yield the parts of series."""
    for place in tallies.series():
        told = tallies.results(place)
        files = _by_result(told)
        changes, compared = tallies.changes(place)
        yield Series(
            patient=place.patient,
            study=place.study,
            series=place.series,
            modality=place.modality,
            objects=files.total(),
            anonymized=files["anonymized"],
            duplicates=files["duplicate"],
            quarantined=_counts(one for one in told if one.result == "quarantined"),
            failed=files["failed"],
            compared=compared,
            pixels_changed=building.pixels_changed(changes),
            tools=building.tools(tallies.tools(place)),
            attributes=building.attributes(changes),
        )


def _by_result(told: Iterable[Told]) -> Counter[str]:
    files: Counter[str] = Counter()
    for one in told:
        files[one.result] += one.files
    return files


def _counts(told: Iterable[Told]) -> list[Count]:
    return [Count(reason=one.reason, words=one.message, number=one.files) for one in told if one.reason]


def _write(file: Path, parts: Iterable[str]) -> None:
    partial = file.with_name(f".{file.name}.partial")
    try:
        with partial.open("w", encoding="utf-8") as stream:
            stream.writelines(parts)
            stream.flush()
            sync(stream.fileno())
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
