"""Deadlines in Cassandra: what counts under its key, and where a sweeper finds it in hours and shards.

The first is written before the second and both carry one write timestamp, by which deletions remove exactly
what they saw: whoever moves a deadline meanwhile wins. So no conditional write is needed.
"""

from __future__ import annotations

import asyncio
import zlib
from datetime import datetime

from streams.store.api import Deadline
from streams.store.cassandra import statements as cql
from streams.store.cassandra.buckets import Buckets
from streams.store.cassandra.session import CassandraSession
from streams.store.cassandra.timestamps import Ticker
from streams.store.times import from_us, to_us

HOUR_US = 3_600_000_000
SHARDS = 8
"""Partitions of an hour. Never changes."""


class CassandraDeadlines:
    """The tables deadline and deadline_at."""

    def __init__(self, session: CassandraSession, ticker: Ticker) -> None:
        self._session = session
        self._ticker = ticker
        self._buckets = Buckets(session)

    async def set(self, deadline: Deadline) -> None:
        """Set or move a deadline. Where it stood before, in another hour, the sweeper tidies up."""
        due, written = to_us(deadline.due), self._ticker.now()
        kind, key, hour = deadline.kind, deadline.key, due // HOUR_US
        await self._session.run(cql.SET_DEADLINE, kind, key, due, deadline.body, written)
        await asyncio.gather(
            self._buckets.mark(_purpose(kind), hour, written),
            self._session.run(cql.SET_DEADLINE_AT, kind, hour, _shard(key), key, due, written),
        )

    async def clear(self, kind: str, key: str, due: datetime) -> None:
        """Forget a deadline unless it was moved."""
        rows = await self._session.run(cql.DEADLINE, kind, key)
        if rows and rows[0][0] == to_us(due):
            written = rows[0][2]
            await self._session.run(cql.CLEAR_DEADLINE, written, kind, key)
            await self._unlist(kind, to_us(due) // HOUR_US, key, written)

    async def due(self, kind: str, now: datetime, limit: int = 1000) -> list[Deadline]:
        """Give deadlines that have passed, the oldest first."""
        looked, until = self._ticker.now(), to_us(now)
        hours = await self._buckets.until(_purpose(kind), until // HOUR_US)
        places = [(kind, hour, shard) for hour in hours for shard in range(SHARDS)]
        found = await self._session.run_all(cql.DEADLINES_AT, places)
        emptied = [hour for hour in hours if hour < until // HOUR_US]
        passed: list[tuple[int, str, int, int]] = []
        for (_, hour, _), rows in zip(places, found, strict=True):
            if rows and hour in emptied:
                emptied.remove(hour)
            passed += [(due, key, hour, written) for key, due, written in rows if due <= until]
        for hour in emptied:
            await self._buckets.retire(_purpose(kind), hour, looked)
        return await self._confirmed(kind, sorted(passed), limit)

    async def _confirmed(
        self, kind: str, passed: list[tuple[int, str, int, int]], limit: int
    ) -> list[Deadline]:
        """Keep what still stands; take out of the list what was moved or cleared."""
        confirmed: list[Deadline] = []
        for start in range(0, len(passed), SLICE):
            part = passed[start : start + SLICE]
            truth = await self._session.run_all(cql.DEADLINE, [(kind, key) for _, key, _, _ in part])
            for (due, key, hour, written), rows in zip(part, truth, strict=True):
                if rows and rows[0][0] == due:
                    confirmed.append(Deadline(kind, key, from_us(due), rows[0][1]))
                else:
                    await self._unlist(kind, hour, key, written)
            if len(confirmed) >= limit:
                break
        return confirmed[:limit]

    async def _unlist(self, kind: str, hour: int, key: str, written: int) -> None:
        await self._session.run(cql.CLEAR_DEADLINE_AT, written, kind, hour, _shard(key), key)


SLICE = 100
"""Deadlines that are confirmed at once."""


def _purpose(kind: str) -> str:
    return f"deadline/{kind}"


def _shard(key: str) -> int:
    return zlib.crc32(key.encode()) % SHARDS
