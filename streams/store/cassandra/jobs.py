"""Open jobs in Cassandra: what counts under its key, and where runners find it by day and shard."""

from __future__ import annotations

import zlib

from streams.clock import Clock
from streams.errors import Unavailable
from streams.store.api import OpenJob
from streams.store.cassandra import statements as cql
from streams.store.cassandra.buckets import Buckets
from streams.store.cassandra.session import CassandraSession
from streams.store.cassandra.timestamps import Ticker
from streams.store.times import from_us, to_us

DAY_US = 86_400_000_000
SHARDS = 8
"""Partitions of a day. Never changes."""

PURPOSE = "job"
SLICE = 100
"""Jobs that are confirmed at once."""

TRIES = 4

# The class has a method named list.
_Listed = list[tuple[int, str, str]]
_Jobs = list[OpenJob]


class CassandraJobs:
    """The tables job and job_open."""

    def __init__(self, session: CassandraSession, ticker: Ticker, clock: Clock) -> None:
        self._session = session
        self._ticker = ticker
        self._clock = clock
        self._buckets = Buckets(session)

    async def open(self, job: OpenJob) -> None:
        """Write the row, and list it; again repairs a listing that a crash left out."""
        opened = to_us(job.opened)
        first = await self._session.applied(cql.OPEN_JOB, job.project, job.job, opened, job.body, False)
        if not first:
            rows = await self._session.run_serial(cql.JOB, job.project, job.job)
            opened, _, closed = rows[0]
            if closed:
                return
        day = opened // DAY_US
        await self._buckets.mark(PURPOSE, day, self._ticker.now())
        await self._session.run(cql.LIST_JOB, day, _shard(job.job), job.project, job.job, opened)

    async def close(self, project: str, job: str) -> None:
        """Take the row out, also one that is opened only later."""
        for _ in range(TRIES):
            rows = await self._session.run_serial(cql.JOB, project, job)
            if rows and rows[0][2]:
                await self._unlist(project, job, rows[0][0])
                return
            if rows:
                await self._session.applied(cql.CLOSE_JOB, project, job)
            else:
                await self._session.applied(cql.OPEN_JOB, project, job, 0, b"", True)
        raise Unavailable(f"Job {job} could not be closed: try again")

    async def list(self, limit: int = 1000) -> list[OpenJob]:
        """Give open jobs, the oldest first."""
        looked, today = self._ticker.now(), to_us(self._clock()) // DAY_US
        days = await self._buckets.until(PURPOSE, today + 1)
        places = [(day, shard) for day in days for shard in range(SHARDS)]
        found = await self._session.run_all(cql.JOBS_OPEN, places)
        emptied = {day for day in days if day < today - 1}
        listed: _Listed = []
        for (day, _), rows in zip(places, found, strict=True):
            if rows:
                emptied.discard(day)
            listed += [(opened, project, job) for project, job, opened in rows]
        for day in emptied:
            await self._buckets.retire(PURPOSE, day, looked)
        return await self._confirmed(sorted(listed), limit)

    async def _confirmed(self, listed: _Listed, limit: int) -> _Jobs:
        confirmed: _Jobs = []
        for start in range(0, len(listed), SLICE):
            part = listed[start : start + SLICE]
            truth = await self._session.run_all(cql.JOB, [(project, job) for _, project, job in part])
            for (opened, project, job), rows in zip(part, truth, strict=True):
                if rows and not rows[0][2]:
                    confirmed.append(OpenJob(project, job, from_us(opened), rows[0][1]))
                elif rows:  # closed while it was being listed, or by one who died in between
                    await self._unlist(project, job, opened)
            if len(confirmed) >= limit:
                break
        return confirmed[:limit]

    async def _unlist(self, project: str, job: str, opened: int) -> None:
        await self._session.run(cql.UNLIST_JOB, opened // DAY_US, _shard(job), project, job)


def _shard(job: str) -> int:
    return zlib.crc32(job.encode()) % SHARDS
