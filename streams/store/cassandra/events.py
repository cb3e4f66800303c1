"""Streams in Cassandra: an append is one conditional batch in one partition.

The condition is on the event rows themselves, there is no counter that could fall behind them. Whoever
appends from version n writes into the bucket of n, so that racing writers always meet; what lies around a
bucket's border is looked at first, because an append across it has its later events in the earlier bucket.
"""

from __future__ import annotations

import uuid
import zlib
from collections.abc import AsyncIterator, Sequence

from schemas.catalogue import decode
from schemas.envelope import Event, parse_stream
from streams.errors import Conflict, Unavailable
from streams.store.api import BUCKET, Appended
from streams.store.appending import bucket_of_append, encoded, first_bucket_after, outcome
from streams.store.cassandra import statements as cql
from streams.store.cassandra.session import CassandraSession
from streams.store.cassandra.timestamps import Ticker, newest_version_wins

PAGE = 500
"""Events that are read at once."""

SHARDS = 16
"""Partitions of a category's list of streams. Never changes."""


class CassandraEvents:
    """The tables event, stream and snapshot.

    Attributes
    ----------
    bucket
        Events in a partition. Another number than the one that the data was written with loses events, so it
        is a constant; tests of fresh streams set a smaller one to have more borders.
    """

    def __init__(self, session: CassandraSession, ticker: Ticker) -> None:
        self.bucket = BUCKET
        self._session = session
        self._ticker = ticker

    async def append(self, stream: str, expected: int, events: Sequence[Event]) -> Appended:
        """Append all or nothing."""
        bodies = encoded(stream, expected, events)
        if expected > 0:
            done = await self._look(stream, expected, events)
            if done is not None:
                return done
        else:
            category, project, _ = parse_stream(stream)
            await self._session.run(cql.ADD_STREAM, category, _shard(stream), project, stream)
        bucket = bucket_of_append(expected, self.bucket)
        rows = [
            (stream, bucket, event.version, uuid.UUID(event.id), body)
            for event, body in zip(events, bodies, strict=True)
        ]
        try:
            applied = await self._session.applied_together(cql.APPEND, rows)
        except Unavailable:
            # It may have taken place. A serial read decides it, and finishes it if it was half done.
            stored = await self._ids(stream, bucket, expected + 1, expected + len(events), serial=True)
            if [stored.get(event.version) for event in events] != [event.id for event in events]:
                raise
            applied = True
        if applied:
            return Appended(expected + len(events), repeated=False)
        stored = await self._ids(stream, bucket, expected + 1, expected + len(events), serial=True)
        version = max([*stored, await self.version(stream)])
        done = outcome(stream, expected, events, version, [stored[found] for found in sorted(stored)])
        if done is None:  # refused, and yet nothing is there: cannot be, unless rows were deleted by hand
            raise Conflict(stream, expected, version)
        return done

    async def _look(self, stream: str, expected: int, events: Sequence[Event]) -> Appended | None:
        """Look whether version `expected` is there, and whether what follows is there already."""
        last = expected + len(events)
        found: dict[int, str] = {}
        for bucket in range(
            first_bucket_after(expected - 1, self.bucket), bucket_of_append(expected, self.bucket) + 1
        ):
            found |= await self._ids(stream, bucket, expected, last)
        if expected in found and len(found) == 1:
            return None
        version = await self.version(stream)
        if expected not in found:
            raise Conflict(stream, expected, version)
        stored = [found[number] for number in sorted(found) if number > expected]
        return outcome(stream, expected, events, max(version, *found), stored)

    async def _ids(
        self, stream: str, bucket: int, low: int, high: int, *, serial: bool = False
    ) -> dict[int, str]:
        run = self._session.run_serial if serial else self._session.run
        return {version: str(found) for version, found in await run(cql.EVENT_IDS, stream, bucket, low, high)}

    async def read(self, stream: str, *, after: int = 0, limit: int | None = None) -> AsyncIterator[Event]:
        """Yield events in order, page by page, bucket by bucket."""
        bucket, left = first_bucket_after(after, self.bucket), limit
        while left is None or left > 0:
            size = PAGE if left is None else min(left, PAGE)
            page = await self._session.run(cql.EVENTS_AFTER, stream, bucket, after, size)
            for _, body in page:
                yield decode(body)
            left = None if left is None else left - len(page)
            after = page[-1][0] if page else after
            if len(page) < size:
                # The bucket is at its end; the next append, if any, went to the bucket of our last version.
                if bucket_of_append(after, self.bucket) == bucket:
                    return
                bucket = bucket_of_append(after, self.bucket)

    async def version(self, stream: str) -> int:
        """Give the version of a stream: gallop to its last bucket, of which none before is empty."""
        known, low, step = await self._last(stream, 0), 0, 1
        while bucket_of_append(known, self.bucket) > low:
            found = await self._last(stream, low + step)
            if found:
                known, low, step = found, low + step, step * 2
            elif step == 1:
                return known
            else:
                step //= 2
        return known

    async def _last(self, stream: str, bucket: int) -> int:
        rows = await self._session.run(cql.LAST_EVENT, stream, bucket)
        return int(rows[0][0]) if rows else 0

    async def streams(self, category: str, project: str | None = None) -> AsyncIterator[str]:
        """Yield stream ids of a category, shard by shard."""
        for shard in range(SHARDS):
            if project is None:
                rows = await self._session.run(cql.STREAMS, category, shard)
            else:
                rows = await self._session.run(cql.STREAMS_OF_PROJECT, category, shard, project)
            for (stream,) in rows:
                yield stream

    async def save_snapshot(self, stream: str, version: int, schema: int, state: bytes) -> None:
        """Keep a snapshot; the newest version stays."""
        timestamp = newest_version_wins(version, self._ticker.now())
        await self._session.run(cql.SAVE_SNAPSHOT, stream, schema, version, state, timestamp)

    async def load_snapshot(self, stream: str, schema: int) -> tuple[int, bytes] | None:
        """Give the newest snapshot of a schema number."""
        rows = await self._session.run(cql.LOAD_SNAPSHOT, stream, schema)
        return (rows[0][0], rows[0][1]) if rows else None


def _shard(stream: str) -> int:
    return zlib.crc32(stream.encode()) % SHARDS
