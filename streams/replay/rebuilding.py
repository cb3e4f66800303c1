"""Making a view again, from the store alone, beside the one that pages read, then switching.

While it is filled, projections write the new generation too (`Views.filling`): an event is either read here
or written there, for it is begun before anything is read, and an older row never overwrites a newer one.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime
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


class Part(NamedTuple):
    """Some of a view's rows, and what was missing among the events that were read for them."""

    rows: list[Row]
    gaps: list[Gap]


async def rebuild(store: Store, view: View, *, on_progress: OnProgress = lambda _: None) -> Rebuilt:
    """Make a view again and switch to it.

    Raises
    ------
    streams.errors.Rejected
        When there is no such view.
    streams.errors.Unavailable
        When the store is away; what was begun is dropped, now or by the next rebuild.
    """
    _known(view)
    generation = await store.views.begin(view)
    done = Progress(0, 0, 0)
    written = 0
    gaps: list[Gap] = []

    def tell(progress: Progress) -> None:
        nonlocal done
        done = progress
        on_progress(progress)

    try:
        async for part in parts(store, view, on_progress=tell):
            await store.views.put(view, generation, part.rows)
            written += len(part.rows)
            gaps += part.gaps
    except BaseException:
        # Whatever ended it: a generation that is not whole must not be filled on.
        with contextlib.suppress(Exception):
            await store.views.drop(view, generation)
        raise
    await store.views.activate(view, generation)
    return Rebuilt(view, generation, done.of, done.events, written, gaps)


async def parts(
    store: Store, view: View, *, at: datetime | None = None, on_progress: OnProgress = lambda _: None
) -> AsyncIterator[Part]:
    """Make a view's rows from the store, feed by feed, in parts of about `BATCH` rows; writes nothing.

    Parameters
    ----------
    at
        As it was then (an aware time).

    Raises
    ------
    streams.errors.Rejected
        When there is no such view, or the time has no zone.
    streams.errors.Unavailable
        When the store is away.
    """
    _known(view)
    if at is not None and at.tzinfo is None:
        raise Rejected("A time needs its zone: write it as 2026-01-31T12:00:00Z")
    streams = await feeds(store.events)
    part, read = Part([], []), 0
    for number, stream in enumerate(streams, 1):
        last: Step | None = None
        async for step in fold(store.events, stream, at=at):
            last = step
            read += 1
            if step.gap:
                part.gaps.append(step.gap)
            if view == "timeline":
                part.rows.extend(rows(view, step.state, [step.event]))
            if len(part.rows) >= BATCH:
                yield part
                part = Part([], [])
        if last and view != "timeline":
            part.rows.extend(rows(view, last.state, [last.event]))
        if len(part.rows) >= BATCH:
            yield part
            part = Part([], [])
        on_progress(Progress(number, len(streams), read))
    yield part


def _known(view: str) -> None:
    if view not in VIEWS:
        raise Rejected(f"There is no view {view}: choose one of {', '.join(VIEWS)}")
