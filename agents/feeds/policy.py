"""What the feed of a study is told of images and jobs, and what it tells other feeds. Pure.

Everything about a study is recorded in its default feed first, which forwards what it appended to the other
feeds that have the study as an input; a feed that gets a new input is told everything that the default feed
has by then. A feed is known as a receiver before it asks, so that one of the two ways brings every record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from schemas import command as commands
from schemas import feed, image, job
from schemas.envelope import Event
from schemas.identity import default_feed
from streams.aggregates.feed_system import SystemCommand
from streams.aggregates.state import FeedSeries, FeedState, Run


def of_image(event: image.SeriesReceiving | image.SeriesAnonymized) -> SystemCommand:
    """Tell the study's default feed of a series."""
    to = default_feed(event.project, event.study)
    if isinstance(event, image.SeriesReceiving):
        return commands.ReceiveSeries(
            project=event.project,
            feed=to,
            patient=event.patient,
            study=event.study,
            series=event.series,
            modality=event.modality,
        )
    return commands.RecordSeries(
        project=event.project,
        feed=to,
        patient=event.patient,
        record=feed.FeedSeriesAnonymized(
            study=event.study,
            series=event.series,
            modality=event.modality,
            version=event.version,
            anonymized=event.anonymized,
            quarantined=event.quarantined,
            conflicts=event.conflicts,
            attributes=event.attributes,
            reasons=event.reasons,
            completeness=event.completeness,
            grading=event.grading,
            since=event.since,
        ),
    )


def of_job(
    event: job.JobRequested | job.JobRunning | job.JobSucceeded | job.JobFailed,
    order: job.WorkOrder,
    patient: str,
) -> list[SystemCommand]:
    """Tell the study's default feed of a job, with what must be known before: topics have no common order."""
    queued = feed.RunQueued(job=order.job, series=order.series, version=order.version, plugin=order.plugin)
    told: list[SystemCommand] = [
        commands.ReceiveSeries(
            project=order.project,
            feed=default_feed(order.project, order.study),
            patient=patient,
            study=order.study,
            series=order.series,
            modality=order.modality,
        ),
        commands.RecordRunQueued(run=queued),
    ]
    match event:
        case job.JobRunning():
            started = feed.RunStarted(job=event.job, attempt=event.attempt, isolation=event.isolation)
            told.append(commands.RecordRunStarted(run=started))
        case job.JobSucceeded():
            succeeded = feed.RunSucceeded(
                job=event.job,
                outcome=event.outcome,
                artefacts=event.artefacts,
                measures=event.measures,
                findings=event.findings,
                seconds=event.seconds,
            )
            told.append(commands.RecordRunSucceeded(run=succeeded))
        case job.JobFailed():
            failed = feed.RunFailed(
                job=event.job, attempt=event.attempt, cause=event.cause, final=event.final
            )
            told.append(commands.RecordRunFailed(run=failed))
        case job.JobRequested():
            pass
    return told


def study_of(state: FeedState, event: Event) -> str | None:
    """Give the study that a feed's event says something of; None when it is about the feed alone."""
    match event.data:
        case feed.FeedSeriesReceiving() | feed.FeedSeriesAnonymized() as data:
            return data.study
        case feed.RunQueued() | feed.RunStarted() | feed.RunSucceeded() | feed.RunFailed() as data:
            run = state.runs.get(data.job)
            return state.series[run.series].study if run else None
        case _:
            return None


def forwarded(state: FeedState, event: Event, study: str, to: str) -> list[SystemCommand]:
    """Tell another feed what the default feed of a study has appended.

    Parameters
    ----------
    state
        The default feed, after the event.
    to
        The feed that has the study as an input too.
    """
    match event.data:
        case feed.FeedSeriesReceiving() as data:
            return [_receive(state, state.series[data.series], to)]
        case feed.FeedSeriesAnonymized() as data:
            return [_record(state, study, data, to)]
        case feed.RunQueued() | feed.RunStarted() | feed.RunSucceeded() | feed.RunFailed() as data:
            run = state.runs[data.job]
            known: list[SystemCommand] = [_receive(state, state.series[run.series], to), _queued(run)]
            return known + _reported(data)
        case _:
            return []


def backfill(state: FeedState, study: str, to: str) -> list[SystemCommand]:
    """Tell a feed everything that the default feed has of a study."""
    told: list[SystemCommand] = []
    series = {key: one for key, one in sorted(state.series.items()) if one.study == study}
    for one in series.values():
        told.append(_receive(state, one, to))
        if one.record:
            told.append(_record(state, study, one.record, to))
    for run in sorted(state.runs.values(), key=lambda run: (run.version, run.job)):
        if run.series in series:
            told += [_queued(run), *_so_far(run)]
    return told


def inputs_added(events: Iterable[Event]) -> Sequence[feed.InputAdded]:
    """Give the inputs that events added."""
    return [event.data for event in events if isinstance(event.data, feed.InputAdded)]


def _receive(state: FeedState, series: FeedSeries, to: str) -> SystemCommand:
    return commands.ReceiveSeries(
        project=state.project,
        feed=to,
        patient=state.inputs[series.study],
        study=series.study,
        series=series.series,
        modality=series.modality,
    )


def _record(state: FeedState, study: str, record: feed.FeedSeriesAnonymized, to: str) -> SystemCommand:
    return commands.RecordSeries(project=state.project, feed=to, patient=state.inputs[study], record=record)


def _queued(run: Run) -> SystemCommand:
    return commands.RecordRunQueued(
        run=feed.RunQueued(job=run.job, series=run.series, version=run.version, plugin=run.plugin)
    )


def _reported(
    data: feed.RunQueued | feed.RunStarted | feed.RunSucceeded | feed.RunFailed,
) -> list[SystemCommand]:
    match data:
        case feed.RunStarted():
            return [commands.RecordRunStarted(run=data)]
        case feed.RunSucceeded():
            return [commands.RecordRunSucceeded(run=data)]
        case feed.RunFailed():
            return [commands.RecordRunFailed(run=data)]
        case _:
            return []


def _so_far(run: Run) -> list[SystemCommand]:
    told: list[SystemCommand] = []
    if run.started and run.isolation:
        started = feed.RunStarted(job=run.job, attempt=run.started, isolation=run.isolation)
        told.append(commands.RecordRunStarted(run=started))
    if run.failed:
        failed = feed.RunFailed(job=run.job, attempt=run.failed, cause=run.cause or "unknown", final=run.dead)
        told.append(commands.RecordRunFailed(run=failed))
    if run.ended:
        succeeded = feed.RunSucceeded(
            job=run.job,
            outcome=run.ended.outcome,
            artefacts=run.ended.artefacts,
            measures=run.ended.measures,
            findings=run.ended.findings,
            seconds=run.ended.seconds,
        )
        told.append(commands.RecordRunSucceeded(run=succeeded))
    return told
