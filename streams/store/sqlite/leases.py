"""Leases in SQLite: read, decide and write within one transaction."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from streams.store.api import Lease
from streams.store.leasing import acquired, is_held, released
from streams.store.sqlite.database import Database, insert
from streams.store.times import from_us, to_us


class SqliteLeases:
    """The table lease."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def acquire(self, resource: str, owner: str, now: datetime, expires: datetime) -> Lease | None:
        """Take a lease."""

        def work(db: sqlite3.Connection) -> Lease | None:
            lease = acquired(_find(db, resource), resource, owner, now, expires)
            return None if lease is None else _save(db, lease)

        return await self._database.write(work)

    async def renew(self, lease: Lease, expires: datetime) -> Lease | None:
        """Hold it longer."""

        def work(db: sqlite3.Connection) -> Lease | None:
            if not is_held(_find(db, lease.resource), lease):
                return None
            return _save(db, Lease(lease.resource, lease.owner, lease.fencing, expires))

        return await self._database.write(work)

    async def release(self, lease: Lease) -> None:
        """Give it back."""

        def work(db: sqlite3.Connection) -> None:
            if is_held(_find(db, lease.resource), lease):
                _save(db, released(lease))

        await self._database.write(work)

    async def holder(self, resource: str) -> Lease | None:
        """Give the last lease."""
        return await self._database.read(lambda db: _find(db, resource))


def _find(db: sqlite3.Connection, resource: str) -> Lease | None:
    row = db.execute("SELECT owner, fencing, expires FROM lease WHERE resource=?", (resource,)).fetchone()
    return None if row is None else Lease(resource, row[0], row[1], from_us(row[2]))


def _save(db: sqlite3.Connection, lease: Lease) -> Lease:
    row = (lease.resource, lease.owner, lease.fencing, to_us(lease.expires))
    insert(db, "INSERT OR REPLACE INTO lease(resource, owner, fencing, expires)", [row])
    return lease
