"""What the system records in a feed: series, their versions, and runs. Pure.

The default rule: the first word of a series of a study opens that study's feed. Each record is judged by
what the feed knows alone: it is taken when it says something newer, so that records in any order, once or
often, end in the same state. A run's records need the run to be queued first; who sends them sees to that.
"""

from __future__ import annotations

import msgspec

from schemas import command as commands
from schemas.feed import (
    FeedCreated,
    FeedSeriesAnonymized,
    FeedSeriesReceiving,
    InputAdded,
    RunFailed,
    RunQueued,
    RunStarted,
    RunSucceeded,
)
from schemas.identity import default_feed
from streams.aggregates.state import FeedSeries, FeedState, Run
from streams.errors import Rejected

SystemCommand = (
    commands.ReceiveSeries
    | commands.RecordSeries
    | commands.RecordRunQueued
    | commands.RecordRunStarted
    | commands.RecordRunSucceeded
    | commands.RecordRunFailed
)
SYSTEM_COMMANDS = (
    commands.ReceiveSeries,
    commands.RecordSeries,
    commands.RecordRunQueued,
    commands.RecordRunStarted,
    commands.RecordRunSucceeded,
    commands.RecordRunFailed,
)
SystemEvent = (
    FeedCreated
    | InputAdded
    | FeedSeriesReceiving
    | FeedSeriesAnonymized
    | RunQueued
    | RunStarted
    | RunSucceeded
    | RunFailed
)

MAX_SERIES = 2_000
MAX_RUNS = 10_000
MAX_OUTDATED = 64


def decide(  # noqa: PLR0911 - one return for each command
    state: FeedState, command: SystemCommand, project: str, feed: str
) -> list[SystemEvent]:
    """Decide what a record adds; nothing when it says nothing newer.

    Parameters
    ----------
    project, feed
        Those of the target stream.

    Raises
    ------
    streams.errors.Rejected
        When it belongs to another feed, or its series or run is unknown.
    """
    match command:
        case commands.ReceiveSeries():
            _own(command.project, command.feed, project, feed)
            opened = _open(state, project, feed, command.study, command.patient)
            if command.series in state.series:
                return opened
            _room(len(state.series), MAX_SERIES, "series")
            return [
                *opened,
                FeedSeriesReceiving(study=command.study, series=command.series, modality=command.modality),
            ]
        case commands.RecordSeries(record=record):
            _own(command.project, command.feed, project, feed)
            opened = _open(state, project, feed, record.study, command.patient)
            known = state.series.get(record.series)
            if known is None:
                _room(len(state.series), MAX_SERIES, "series")
            if known and known.has(record):
                return opened
            return [*opened, msgspec.structs.replace(record, outdated=_outdated(state, known, record))]
        case commands.RecordRunQueued(run=queued):
            return _queued(state, queued)
        case commands.RecordRunStarted(run=started):
            return [started] if started.attempt > _run(state, started.job).started else []
        case commands.RecordRunSucceeded(run=succeeded):
            return [] if _run(state, succeeded.job).ended else [succeeded]
        case commands.RecordRunFailed(run=failed):
            return _failed(_run(state, failed.job), failed)


def default_title(study: str) -> str:
    """Give the title of the feed that the default rule opens: a pseudonym says no name."""
    return f"Study {study[:8]}"


def _outdated(state: FeedState, known: FeedSeries | None, record: FeedSeriesAnonymized) -> list[str]:
    """Name the runs that a record outdates: they used a version before the images that it has."""
    before = known.since if known else 0
    runs = (run for run in state.runs.values() if run.series == record.series and not run.dead)
    return sorted(run.job for run in runs if before <= run.version < record.since)[:MAX_OUTDATED]


def _own(project: str, feed: str, to_project: str, to_feed: str) -> None:
    if (project, feed) != (to_project, to_feed):
        raise Rejected("The record is for another feed than the command targets: send it to its own feed.")


def _open(state: FeedState, project: str, feed: str, study: str, patient: str) -> list[SystemEvent]:
    if study in state.inputs:
        return []
    if feed != default_feed(project, study):
        raise Rejected("The study is not an input of this feed: add it first.")
    made: list[SystemEvent] = []
    if state.version == 0:
        made.append(FeedCreated(project=project, feed=feed, title=default_title(study)))
    made.append(InputAdded(study=study, patient=patient))
    return made


def _queued(state: FeedState, queued: RunQueued) -> list[SystemEvent]:
    if queued.job in state.runs:
        return []
    if queued.series not in state.series:
        raise Rejected("The run's series is not in this feed: record the series first.")
    _room(len(state.runs), MAX_RUNS, "runs")
    return [queued]


def _failed(run: Run, failed: RunFailed) -> list[SystemEvent]:
    newer = failed.attempt > run.failed or (failed.final and not run.dead)
    return [failed] if newer else []


def _run(state: FeedState, job: str) -> Run:
    run = state.runs.get(job)
    if run is None:
        raise Rejected("The run is not in this feed: record that it is queued first.")
    return run


def _room(have: int, limit: int, what: str) -> None:
    if have >= limit:
        raise Rejected(f"A feed has at most {limit} {what}: open another feed for more.")
