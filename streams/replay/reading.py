"""Streams of feeds from the store, folded, with what is missing in them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import NamedTuple

from schemas.envelope import Event
from streams.aggregates.feed_evolution import evolve
from streams.aggregates.state import FeedState
from streams.store.api import EventStore


class Gap(NamedTuple):
    """Versions that a stream lacks, `first` to `last`."""

    stream: str
    first: int
    last: int


class Step(NamedTuple):
    """An event of a feed, the state after it, and what was missing before it."""

    event: Event
    state: FeedState
    gap: Gap | None


async def fold(events: EventStore, stream: str, *, at: datetime | None = None) -> AsyncIterator[Step]:
    """Fold a feed's stream, event by event.

    Parameters
    ----------
    at
        End before the first event that became part of the record after this time.
    """
    state = FeedState()
    async for event in events.read(stream):
        if at is not None and (event.recordedtime or event.time) > at:
            return
        if event.version <= state.version:
            continue  # a reader that pages by count meets an event again behind a gap
        missing = event.version - state.version - 1
        gap = Gap(stream, state.version + 1, event.version - 1) if missing else None
        state = evolve(state, event)
        yield Step(event, state, gap)


async def gaps(events: EventStore, stream: str) -> AsyncIterator[Gap]:
    """Yield what a stream of whatever kind lacks before its last event."""
    version = 0
    async for event in events.read(stream):
        if event.version > version + 1:
            yield Gap(stream, version + 1, event.version - 1)
        version = max(version, event.version)


async def feeds(events: EventStore) -> list[str]:
    """Give the streams of all feeds, in the order of their ids."""
    return sorted([stream async for stream in events.streams("feed")])
