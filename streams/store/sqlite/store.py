"""The store in SQLite, put together, and its migration."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from streams.clock import Clock, utc_now
from streams.store.api import Stored
from streams.store.sqlite.database import Database, insert
from streams.store.sqlite.deadlines import SqliteDeadlines
from streams.store.sqlite.events import SqliteEvents
from streams.store.sqlite.facts import SqliteFacts
from streams.store.sqlite.jobs import SqliteJobs
from streams.store.sqlite.leases import SqliteLeases
from streams.store.sqlite.records import SqliteRecords
from streams.store.sqlite.tables import MIGRATIONS
from streams.store.sqlite.views import SqliteViews
from streams.store.stamp import KEY, KIND, check_stamp, encoded_stamp, steps


class SqliteStore:
    """Everything in one file; several processes may have it open."""

    def __init__(self, file: Path, *, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._database = Database(file)
        self.events = SqliteEvents(self._database)
        self.facts = SqliteFacts(self._database)
        self.deadlines = SqliteDeadlines(self._database)
        self.leases = SqliteLeases(self._database)
        self.jobs = SqliteJobs(self._database)
        self.views = SqliteViews(self._database)
        self.records = SqliteRecords(self._database, clock)

    async def migrate(self) -> list[str]:
        """Make or upgrade the tables, with the stamp, in one transaction: broken off, nothing was done."""
        self._database.create()

        def work(db: sqlite3.Connection) -> list[str]:
            todo = steps(_stamped(db))
            for step in todo:
                for statement in MIGRATIONS[step]:
                    db.execute(statement)
                values = (KIND, KEY, 1, encoded_stamp(step, self._clock()), None)
                insert(db, "INSERT OR REPLACE INTO record(kind, key, version, body, expires)", [values])
            return [f"store format {step}" for step in todo]

        return await self._database.write(work)

    async def check(self) -> None:
        """Tell whether it answers and has our format."""
        await check_stamp(self.records)

    async def close(self) -> None:
        """Write what waits, then let go of the file."""
        await self._database.close()


def _stamped(db: sqlite3.Connection) -> Stored | None:
    if not db.execute("SELECT 1 FROM sqlite_master WHERE type='table' AND name='record'").fetchone():
        return None
    row = db.execute("SELECT key, version, body FROM record WHERE kind=? AND key=?", (KIND, KEY)).fetchone()
    return None if row is None else Stored(*row)
