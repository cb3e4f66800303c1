"""Who sends: a fold of the inner topic into what a page shows of each source. Pure.

States are values: `Seen` is all sources by (project, name). Bounded in sources, reasons, slices and series.
A name that is no configured source's must be a valid AE title; what has none counts under the empty name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec.structs import replace

from schemas import pacs
from schemas.envelope import Event
from schemas.identity import default_feed
from schemas.sources import ConnectionTest, IncompleteSeries, RefusalCount, SourceView
from streams.projections.windows import MINUTE_S, MINUTES, RECENT, RECENT_S, counted, sliced

MOST_SOURCES: Final = 256
MOST_REASONS: Final = 16
MOST_SERIES: Final = 32
"""Of a source."""
OPEN_FOR: Final = timedelta(minutes=15)
"""Without an image for so long an open series is none: its images were there already, and nothing settles."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}|[ -\[\]-~]{1,16}")

SourceId = tuple[str, str]
"""Project and name."""
Seen = Mapping[SourceId, SourceView]


def fold(seen: Seen, event: Event) -> Seen:
    """Give the sources after an event; the same mapping when it says nothing of any."""
    match event.data:
        case pacs.InstanceStored() as data:
            after = _with(seen, _stored(_of(seen, data.project, data.origin), data))
        case pacs.AssociationsCounted() as data:
            after = _associations(seen, data)
        case pacs.AssociationRefused() | pacs.ObjectRefused() as data:
            after = _with(seen, _refused(_of(seen, data.project, data.source), data))
        case pacs.SeriesReopened() as data:
            after = _series(seen, data.project, data.series, None)
        case pacs.SeriesSettled() as data:
            after = _series(seen, data.project, data.series, data)
        case pacs.SourceTested() as data:
            test = ConnectionTest(outcome=data.outcome, at=event.time, seconds=data.seconds)
            after = _with(seen, replace(_of(seen, data.project, data.source), test=test))
        case _:
            after = seen
    return after


def changed(before: Seen, after: Seen) -> list[SourceView]:
    """Give the sources that are others than before."""
    return [view for key, view in after.items() if before.get(key) is not view]


def _of(seen: Seen, project: str, name: str) -> SourceView:
    name = name if _NAME.fullmatch(name) else ""
    if (project, name) not in seen and len(seen) >= MOST_SOURCES and not _idle(seen):
        name = ""
    return seen.get((project, name)) or SourceView(project=project, source=name, version=0)


def _with(seen: Seen, view: SourceView) -> Seen:
    key = (view.project, view.source)
    if key not in seen and len(seen) >= MOST_SOURCES and (idle := _idle(seen)):
        gone = min(idle, key=lambda one: one.seen.timestamp() if one.seen else 0.0)
        seen = {other: kept for other, kept in seen.items() if kept is not gone}
    return {**seen, key: view}


def _idle(seen: Seen) -> list[SourceView]:
    """Give those that can go: strangers that stored nothing, such as who tries one AE title after another."""
    return [
        one
        for one in seen.values()
        if one.source and not (one.images or one.is_configured or one.associations)
    ]


def _touched(view: SourceView, at: datetime) -> SourceView:
    return replace(
        view,
        seen=at if view.seen is None else max(view.seen, at),
        since=at if view.since is None else min(view.since, at),
    )


def _stored(view: SourceView, data: pacs.InstanceStored) -> SourceView:
    at, size = int(data.received.timestamp()), data.blob.size
    view = _touched(view, data.received)
    return replace(
        view,
        images=view.images + 1,
        bytes=view.bytes + size,
        recent=sliced(view.recent, at, size, width_s=RECENT_S, most=RECENT),
        minutes=sliced(view.minutes, at, size, width_s=MINUTE_S, most=MINUTES),
        incomplete=_arriving(view.incomplete, data),
    )


def _arriving(before: list[IncompleteSeries], data: pacs.InstanceStored) -> list[IncompleteSeries]:
    """Note an image of a series; whether one that is settled is open again, its own event tells."""
    known = next((one for one in before if one.series == data.series), None)
    if known is None:
        known = IncompleteSeries(
            series=data.series,
            study=data.study,
            feed=default_feed(data.project, data.study),
            modality=data.modality,
            state="open",
            images=0,
            last=data.received,
        )
    is_open = known.state == "open"
    # A settled one has its count from the evidence.
    now = replace(known, images=known.images + is_open, last=max(known.last, data.received))
    if before and before[-1] is known:
        return [*before[:-1], now]
    rest = [
        one
        for one in before
        if one is not known and not (one.state == "open" and data.received - one.last > OPEN_FOR)
    ]
    return [*rest, now][-MOST_SERIES:]


def _series(seen: Seen, project: str, series: str, settled: pacs.SeriesSettled | None) -> Seen:
    """Take in how whole a series is, at whoever sent of it; None: it is open again."""
    told = {
        key: replace(view, incomplete=_graded(view.incomplete, series, settled))
        for key, view in seen.items()
        if view.project == project and any(one.series == series for one in view.incomplete)
    }
    return {**seen, **told} if told else seen


def _graded(
    before: list[IncompleteSeries], series: str, settled: pacs.SeriesSettled | None
) -> list[IncompleteSeries]:
    grown: list[IncompleteSeries] = []
    for one in before:
        if one.series != series:
            grown.append(one)
        elif settled is None:
            images = one.images if one.state == "open" else 0
            grown.append(replace(one, state="open", images=images, missing=0, lacks=[]))
        elif (whole := settled.completeness) and whole.grade in {"partial", "quiescent"}:
            grown.append(
                replace(
                    one, state=whole.grade, images=whole.received, missing=whole.missing, lacks=whole.lacks
                )
            )
    return grown


Refused = pacs.AssociationRefused | pacs.ObjectRefused


def _refused(view: SourceView, data: Refused) -> SourceView:
    kind: Literal["association", "object"] = (
        "association" if isinstance(data, pacs.AssociationRefused) else "object"
    )
    same = next((one for one in view.refusals if (one.kind, one.reason) == (kind, data.reason)), None)
    now = RefusalCount(
        kind=kind,
        reason=data.reason,
        last=max(same.last, data.until) if same else data.until,
        minutes=counted(same.minutes if same else [], int(data.until.timestamp()), data.count),
    )
    rest = [one for one in view.refusals if one is not same]
    return replace(_touched(view, data.until), refusals=[*rest, now][-MOST_REASONS:])


def _associations(seen: Seen, data: pacs.AssociationsCounted) -> Seen:
    """Take in who has associations open: all of them, so that whoever is not named has none."""
    told = {one.source: one for one in data.sources}
    there = [name for project, name in seen if project == data.project]
    for name in dict.fromkeys([*data.configured, *told, *there]):
        before = _of(seen, data.project, name)
        one = told.get(name, pacs.SourceAssociations(source=name))
        now = before if one.last is None else _touched(before, one.last)
        if before.source == name:
            now = replace(now, associations=one.open, is_configured=name in data.configured)
        if now != before:
            seen = _with(seen, now)
    return seen
