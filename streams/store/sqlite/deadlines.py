"""Deadlines in SQLite."""

from __future__ import annotations

from datetime import datetime

from streams.store.api import Deadline
from streams.store.sqlite.database import Database, insert
from streams.store.times import from_us, to_us


class SqliteDeadlines:
    """The table deadline."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def set(self, deadline: Deadline) -> None:
        """Set or move a deadline."""
        row = (deadline.kind, deadline.key, to_us(deadline.due), deadline.body)
        await self._database.write(
            lambda db: insert(db, "INSERT OR REPLACE INTO deadline(kind, key, due, body)", [row])
        )

    async def clear(self, kind: str, key: str, due: datetime) -> None:
        """Forget a deadline unless it was moved."""
        row = (kind, key, to_us(due))
        await self._database.write(
            lambda db: db.execute("DELETE FROM deadline WHERE kind=? AND key=? AND due=?", row).rowcount
        )

    async def due(self, kind: str, now: datetime, limit: int = 1000) -> list[Deadline]:
        """Give deadlines that have passed, the oldest first."""
        until = to_us(now)
        return await self._database.read(
            lambda db: [
                Deadline(kind, key, from_us(due), body)
                for key, due, body in db.execute(
                    "SELECT key, due, body FROM deadline WHERE kind=? AND due<=? ORDER BY due, key LIMIT ?",
                    (kind, until, limit),
                )
            ]
        )
