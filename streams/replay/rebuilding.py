"""Making a view again, from the store alone, beside the one that pages read, then switching.

While it is filled, projections write the new generation too (`Views.filling`): an event is either read here
or written there, for it is begun before anything is read, and an older row never overwrites a newer one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from streams.errors import Rejected
from streams.projections.views import VIEWS, View, rows
from streams.replay.reading import Gap, Step, feeds, fold
from streams.store.api import Row, Store

BATCH = 200
"""Rows in one write."""


class Progress(NamedTuple):
    """How far a rebuild or a comparison is."""

    feeds: int
    of: int
    events: int


OnProgress = Callable[[Progress], None]


class Rebuilt(NamedTuple):
    """What was made. `gaps`: events that the store lacks; the view is made from those that are there."""

    view: str
    generation: int
    feeds: int
    events: int
    rows: int
    gaps: list[Gap]


async def rebuild(
    store: Store, view: View, *, at: datetime | None = None, on_progress: OnProgress = lambda _: None
) -> Rebuilt:
    """Make a view again and switch to it.

    Parameters
    ----------
    at
        As it was then (an aware time). Made under a name of its own, `name_at`, that nothing writes later;
        what pages read stays as it is.

    Raises
    ------
    streams.errors.Rejected
        When there is no such view, or the time has no zone.
    streams.errors.Unavailable
        When the store is away; what was begun is dropped, now or by the next rebuild.
    """
    if view not in VIEWS:
        raise Rejected(f"There is no view {view}: choose one of {', '.join(VIEWS)}")
    name = view if at is None else name_at(view, at)
    generation = await store.views.begin(name)
    try:
        rebuilt = await _fill(store, view, (name, generation), at=at, on_progress=on_progress)
    except BaseException:
        # Whatever ended it: a generation that is not whole must not be filled on.
        with contextlib.suppress(Exception):
            await store.views.drop(name, generation)
        raise
    await store.views.activate(name, generation)
    return rebuilt


def name_at(view: View, at: datetime) -> str:
    """Name a view as it was at a time.

    Raises
    ------
    streams.errors.Rejected
        When the time has no zone.
    """
    if at.tzinfo is None:
        raise Rejected("A time needs its zone: write it as 2026-01-31T12:00:00Z")
    return f"{view}@{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


async def _fill(
    store: Store, view: View, into: tuple[str, int], *, at: datetime | None, on_progress: OnProgress
) -> Rebuilt:
    name, generation = into
    streams = await feeds(store.events)
    events = written = 0
    gaps: list[Gap] = []
    waiting: list[Row] = []
    for number, stream in enumerate(streams, 1):
        last: Step | None = None
        async for step in fold(store.events, stream, at=at):
            events += 1
            last = step
            if step.gap:
                gaps.append(step.gap)
            if view == "timeline":
                waiting += rows(view, step.state, [step.event])
            if len(waiting) >= BATCH:
                written += await _write(store, name, generation, waiting)
        if last and view != "timeline":
            waiting += rows(view, last.state, [last.event])
        on_progress(Progress(number, len(streams), events))
    written += await _write(store, name, generation, waiting)
    return Rebuilt(name, generation, len(streams), events, written, gaps)


async def _write(store: Store, name: str, generation: int, waiting: list[Row]) -> int:
    for begin in range(0, len(waiting), BATCH):
        await store.views.put(name, generation, waiting[begin : begin + BATCH])
    written = len(waiting)
    waiting.clear()
    return written
