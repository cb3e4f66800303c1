"""Streams in memory; events rest encoded, so that what cannot be stored elsewhere cannot be stored here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from schemas.catalogue import decode
from schemas.envelope import Event, parse_stream
from streams.store.api import Appended
from streams.store.appending import encoded, outcome


class MemoryEvents:
    """Streams and snapshots as dictionaries."""

    def __init__(self) -> None:
        self._streams: dict[str, list[tuple[str, bytes]]] = {}
        self._snapshots: dict[tuple[str, int], tuple[int, bytes]] = {}

    async def append(self, stream: str, expected: int, events: Sequence[Event]) -> Appended:
        """Append all or nothing."""
        bodies = encoded(stream, expected, events)
        there = self._streams.get(stream, [])
        stored = [event_id for event_id, _ in there[expected : expected + len(events)]]
        done = outcome(stream, expected, events, len(there), stored)
        if done is not None:
            return done
        rows = zip((event.id for event in events), bodies, strict=True)
        self._streams[stream] = [*there, *rows]
        return Appended(expected + len(events), repeated=False)

    async def read(self, stream: str, *, after: int = 0, limit: int | None = None) -> AsyncIterator[Event]:
        """Yield events in order."""
        end = None if limit is None else after + limit
        for _, body in self._streams.get(stream, [])[after:end]:
            yield decode(body)

    async def version(self, stream: str) -> int:
        """Give the version of a stream."""
        return len(self._streams.get(stream, []))

    async def streams(self, category: str, project: str | None = None) -> AsyncIterator[str]:
        """Yield stream ids of a category."""
        for stream in list(self._streams):
            found, belongs, _ = parse_stream(stream)
            if found == category and project in {None, belongs}:
                yield stream

    async def save_snapshot(self, stream: str, version: int, schema: int, state: bytes) -> None:
        """Keep a snapshot unless a newer one is there."""
        there = self._snapshots.get((stream, schema))
        if there is None or there[0] <= version:
            self._snapshots[stream, schema] = (version, state)

    async def load_snapshot(self, stream: str, schema: int) -> tuple[int, bytes] | None:
        """Give the newest snapshot of a schema number."""
        return self._snapshots.get((stream, schema))
