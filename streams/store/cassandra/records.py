"""Records in Cassandra: conditional writes, each with a mark of its writer."""

from __future__ import annotations

import uuid

from streams.errors import Conflict, Unavailable
from streams.store.api import Stored
from streams.store.cassandra import statements as cql
from streams.store.cassandra.session import CassandraSession

TRIES = 8


class CassandraRecords:
    """The table record."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session

    async def get(self, kind: str, key: str) -> Stored | None:
        """Give a record that has not expired."""
        rows = await self._session.run(cql.RECORD, kind, key)
        return Stored(key, rows[0][0], rows[0][1]) if rows else None

    async def put(
        self, kind: str, key: str, body: bytes, *, expected: int | None = None, ttl_s: int | None = None
    ) -> int:
        """Write a record by compare-and-set."""
        for _ in range(TRIES):
            rows = await self._session.run_serial(cql.RECORD, kind, key)
            version, found = (rows[0][0], rows[0][2]) if rows else (0, None)
            if expected not in {None, version}:
                raise Conflict(f"A record of kind {kind}", expected or 0, version)
            new = Stored(key, int(version) + 1, body)
            if await self._replace(kind, new, ttl_s or 0, found):
                return new.version
        raise Unavailable(f"A record of kind {kind} is being changed by others: try again")

    async def delete(self, kind: str, key: str) -> None:
        """Forget a record."""
        await self._session.applied(cql.DELETE_RECORD, kind, key)

    async def list(self, kind: str, limit: int = 10_000) -> list[Stored]:
        """Give the records of a kind by key."""
        return [Stored(*row) for row in await self._session.run(cql.RECORDS, kind, limit)]

    async def _replace(self, kind: str, new: Stored, ttl_s: int, found: uuid.UUID | None) -> bool:
        """Write a record in place of the one with the mark `found`; False when that is there no more."""
        writer = uuid.uuid4()
        try:
            if found is None:
                return await self._session.applied(
                    cql.NEW_RECORD, kind, new.key, new.version, new.body, writer, ttl_s
                )
            return await self._session.applied(
                cql.SET_RECORD, ttl_s, new.version, new.body, writer, kind, new.key, new.version - 1, found
            )
        except Unavailable:
            # It may have taken place; then the mark there is ours.
            rows = await self._session.run_serial(cql.RECORD, kind, new.key)
            if rows and rows[0][2] == writer:
                return True
            raise
