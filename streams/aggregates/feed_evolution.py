"""How a feed's events change its state. Pure; never refuses: what is in the history happened."""

from __future__ import annotations

from typing import Any

import msgspec

from schemas.envelope import Event
from schemas.feed import (
    CommentEdited,
    CommentPosted,
    FeedCreated,
    FeedRenamed,
    FeedSeriesAnonymized,
    FeedSeriesReceiving,
    FeedTagged,
    FeedUntagged,
    InputAdded,
    RunFailed,
    RunQueued,
    RunStarted,
    RunSucceeded,
)
from schemas.views import CommentView
from streams.aggregates.handled import remember
from streams.aggregates.state import FeedSeries, FeedState, Outcome, Run

replace = msgspec.structs.replace


def evolve(state: FeedState, event: Event) -> FeedState:
    """Fold one event of the stream into its state."""
    return replace(
        state,
        version=event.version,
        updated=max(event.time, state.updated or event.time),
        handled=remember(state.handled, event),
        **_changed(state, event),
    )


def _changed(state: FeedState, event: Event) -> dict[str, Any]:  # noqa: PLR0911 - one for each event
    match event.data:
        case FeedCreated() as data:
            return {
                "project": data.project,
                "feed": data.feed,
                "title": data.title,
                "created": event.time,
            }
        case FeedRenamed(title=title):
            return {"title": title}
        case FeedTagged(tag=tag):
            return {"tags": (*(other for other in state.tags if other != tag), tag)}
        case FeedUntagged(tag=tag):
            return {"tags": tuple(other for other in state.tags if other != tag)}
        case InputAdded(study=study, patient=patient):
            return {"inputs": {**state.inputs, study: patient}}
        case FeedSeriesReceiving() | FeedSeriesAnonymized() as data:
            return {"series": {**state.series, data.series: _series(state.series.get(data.series), data)}}
        case CommentPosted() | CommentEdited() as data:
            return {"comments": _comments(state.comments, data, event)}
        case RunQueued() | RunStarted() | RunSucceeded() | RunFailed() as data:
            run = _run(state.runs.get(data.job), data)
            return {"runs": {**state.runs, data.job: run}} if run else {}
        case _:
            return {}


def _series(known: FeedSeries | None, data: FeedSeriesReceiving | FeedSeriesAnonymized) -> FeedSeries:
    if isinstance(data, FeedSeriesReceiving):
        return known or FeedSeries(study=data.study, series=data.series, modality=data.modality)
    if known and known.has(data):
        return known
    # What it outdated then is the history's; what lacks images now follows from `since`.
    record = replace(data, outdated=[])
    return FeedSeries(study=data.study, series=data.series, modality=data.modality, record=record)


def _comments(
    known: dict[str, CommentView], data: CommentPosted | CommentEdited, event: Event
) -> dict[str, CommentView]:
    if isinstance(data, CommentPosted):
        posted = CommentView(
            comment=data.comment, author=event.authid or "", posted=event.time, text=data.text
        )
        return {**known, data.comment: posted}
    comment = known.get(data.comment)
    if comment is None:
        return known
    return {**known, data.comment: replace(comment, text=data.text, edited=event.time)}


def _run(known: Run | None, data: RunQueued | RunStarted | RunSucceeded | RunFailed) -> Run | None:
    if isinstance(data, RunQueued):
        return known or Run(job=data.job, series=data.series, version=data.version, plugin=data.plugin)
    return None if known is None else _reported(known, data)


def _reported(known: Run, data: RunStarted | RunSucceeded | RunFailed) -> Run:
    match data:
        case RunStarted() if data.attempt > known.started:
            return replace(known, started=data.attempt, isolation=data.isolation)
        case RunSucceeded() if known.ended is None:
            return replace(
                known,
                ended=Outcome(
                    outcome=data.outcome,
                    artefacts=data.artefacts,
                    measures=data.measures,
                    findings=data.findings,
                    seconds=data.seconds,
                ),
            )
        case RunFailed() if data.attempt > known.failed:
            return replace(known, failed=data.attempt, cause=data.cause, dead=known.dead or data.final)
        case RunFailed() if data.final:
            return replace(known, dead=True)
        case _:
            return known
