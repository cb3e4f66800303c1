"""Which time buckets may hold rows, so that no sweeper reads an emptied one again.

Deleted rows stay as tombstones for days, and reading over them is what makes queues in Cassandra slow. A
sweeper that reads only live buckets meets at most one bucket's tombstones.
"""

from __future__ import annotations

from streams.store.cassandra import statements as cql
from streams.store.cassandra.session import CassandraSession

MARGIN_US = 60_000_000
"""How far apart the clocks of two processes may be, µs."""


class Buckets:
    """The table bucket."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session

    async def mark(self, purpose: str, number: int, now: int) -> None:
        """Note that a bucket may hold rows; `now` in µs since 1970."""
        await self._session.run(cql.MARK_BUCKET, purpose, number, now)

    async def until(self, purpose: str, number: int) -> list[int]:
        """Give the buckets up to `number` that may hold rows, in order."""
        return [found for (found,) in await self._session.run(cql.BUCKETS, purpose, number)]

    async def retire(self, purpose: str, number: int, looked: int) -> None:
        """Forget a bucket that was empty when it was looked at (µs since 1970).

        The deletion carries the time before the look, so that whoever marks the bucket meanwhile wins.
        """
        await self._session.run(cql.RETIRE_BUCKET, looked - MARGIN_US, purpose, number)
