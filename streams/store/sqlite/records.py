"""Records in SQLite."""

from __future__ import annotations

import sqlite3

from streams.clock import Clock
from streams.errors import Conflict
from streams.store.api import Stored
from streams.store.sqlite.database import Database, insert
from streams.store.times import to_us

SECOND = 1_000_000
"""µs."""

_ALIVE = "FROM record WHERE kind=? AND (expires IS NULL OR expires>?)"


class SqliteRecords:
    """The table record; what has expired is taken out with the next write."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def get(self, kind: str, key: str) -> Stored | None:
        """Give a record that has not expired."""
        now = to_us(self._clock())
        found = await self._database.read(
            lambda db: db.execute(
                f"SELECT key, version, body {_ALIVE} AND key=?",
                (kind, now, key),
            ).fetchone()
        )
        return None if found is None else Stored(*found)

    async def put(
        self, kind: str, key: str, body: bytes, *, expected: int | None = None, ttl_s: int | None = None
    ) -> int:
        """Write a record by compare-and-set."""
        now = to_us(self._clock())
        expires = None if ttl_s is None else now + ttl_s * SECOND

        def work(db: sqlite3.Connection) -> int:
            db.execute("DELETE FROM record WHERE expires<=?", (now,))
            row = db.execute("SELECT version FROM record WHERE kind=? AND key=?", (kind, key)).fetchone()
            version = int(row[0]) if row else 0
            if expected not in {None, version}:
                raise Conflict(f"A record of kind {kind}", expected or 0, version)
            values = (kind, key, version + 1, body, expires)
            insert(db, "INSERT OR REPLACE INTO record(kind, key, version, body, expires)", [values])
            return version + 1

        return await self._database.write(work)

    async def delete(self, kind: str, key: str) -> None:
        """Forget a record."""
        await self._database.write(
            lambda db: db.execute("DELETE FROM record WHERE kind=? AND key=?", (kind, key)).rowcount
        )

    async def list(self, kind: str, limit: int = 10_000) -> list[Stored]:
        """Give the records of a kind by key."""
        now = to_us(self._clock())
        return await self._database.read(
            lambda db: [
                Stored(*found)
                for found in db.execute(
                    f"SELECT key, version, body {_ALIVE} ORDER BY key LIMIT ?",
                    (kind, now, limit),
                )
            ]
        )
