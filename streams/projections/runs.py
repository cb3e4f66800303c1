"""Series and their runs as pages show them. Pure."""

from __future__ import annotations

import msgspec

from schemas.views import RunState, RunView, SeriesView
from streams.aggregates.state import FeedSeries, FeedState, Run


def series_views(state: FeedState) -> list[SeriesView]:
    """Make the series of a feed, ordered by key, each with the run on its newest version."""
    newest: dict[str, Run] = {}
    for run in state.runs.values():
        other = newest.get(run.series)
        if other is None or (run.version, run.job) > (other.version, other.job):
            newest[run.series] = run
    return [_series(series, newest.get(key)) for key, series in sorted(state.series.items())]


def run_state(run: Run) -> RunState:
    """Tell what a run is doing. A result stands, whatever else is reported."""
    if run.ended:
        return "succeeded"
    if run.dead:
        return "failed"
    return "running" if run.started > run.failed else "queued"


def _series(series: FeedSeries, run: Run | None) -> SeriesView:
    record = series.record
    return SeriesView(
        study=series.study,
        series=series.series,
        modality=series.modality,
        version=series.version,
        anonymized=record.anonymized if record else 0,
        quarantined=record.quarantined if record else 0,
        conflicts=record.conflicts if record else 0,
        attributes=series.attributes,
        reasons=record.reasons if record else [],
        run=_run(run) if run else None,
        completeness=(record.completeness if record else None) or msgspec.UNSET,
        since=series.since if series.since > 1 else msgspec.UNSET,
    )


def _run(run: Run) -> RunView:
    ended = run.ended
    return RunView(
        job=run.job,
        plugin=run.plugin,
        state=run_state(run),
        version=run.version,
        attempt=max(run.started, run.failed),
        isolation=run.isolation,
        outcome=ended.outcome if ended else None,
        cause=None if ended else run.cause,
        seconds=ended.seconds if ended else None,
        artefacts=ended.artefacts if ended else [],
        measures=ended.measures if ended else [],
        findings=ended.findings if ended else [],
    )
