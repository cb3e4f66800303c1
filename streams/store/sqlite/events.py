"""Streams in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence

from schemas.catalogue import decode
from schemas.envelope import Event, parse_stream
from streams.store.api import Appended
from streams.store.appending import encoded, outcome
from streams.store.sqlite.database import Database, insert

PAGE = 500
"""Events that are read at once."""


class SqliteEvents:
    """Streams and snapshots in the tables event, stream and snapshot."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, stream: str, expected: int, events: Sequence[Event]) -> Appended:
        """Append all or nothing."""
        bodies = encoded(stream, expected, events)

        def work(db: sqlite3.Connection) -> Appended:
            stored = db.execute(
                "SELECT id FROM event WHERE stream=? AND version>? ORDER BY version LIMIT ?",
                (stream, expected, len(events)),
            )
            done = outcome(
                stream, expected, events, _version(db, stream), [event_id for (event_id,) in stored]
            )
            if done is not None:
                return done
            if expected == 0:
                category, project, _ = parse_stream(stream)
                insert(
                    db,
                    "INSERT OR IGNORE INTO stream(category, project, stream)",
                    [(category, project, stream)],
                )
            insert(
                db,
                "INSERT INTO event(stream, version, id, body)",
                [(stream, event.version, event.id, body) for event, body in zip(events, bodies, strict=True)],
            )
            return Appended(expected + len(events), repeated=False)

        return await self._database.write(work)

    async def read(self, stream: str, *, after: int = 0, limit: int | None = None) -> AsyncIterator[Event]:
        """Yield events in order, page by page."""
        left = limit
        while left is None or left > 0:
            page = await self._page(stream, after, PAGE if left is None else min(left, PAGE))
            for event in page:
                yield event
            if len(page) < PAGE:
                return
            after += len(page)
            left = None if left is None else left - len(page)

    async def _page(self, stream: str, after: int, size: int) -> list[Event]:
        return await self._database.read(
            lambda db: [
                decode(body)
                for (body,) in db.execute(
                    "SELECT body FROM event WHERE stream=? AND version>? ORDER BY version LIMIT ?",
                    (stream, after, size),
                )
            ]
        )

    async def version(self, stream: str) -> int:
        """Give the version of a stream."""
        return await self._database.read(lambda db: _version(db, stream))

    async def streams(self, category: str, project: str | None = None) -> AsyncIterator[str]:
        """Yield stream ids of a category, page by page."""
        after = ("", "")
        while True:
            page = await self._streams(category, project, after)
            for _, stream in page:
                yield stream
            if len(page) < PAGE:
                return
            after = page[-1]

    async def _streams(
        self, category: str, project: str | None, after: tuple[str, str]
    ) -> list[tuple[str, str]]:
        return await self._database.read(
            lambda db: db.execute(
                "SELECT project, stream FROM stream WHERE category=? AND (project, stream) > (?, ?)"
                " AND (? IS NULL OR project=?) ORDER BY project, stream LIMIT ?",
                (category, *after, project, project, PAGE),
            ).fetchall()
        )

    async def save_snapshot(self, stream: str, version: int, schema: int, state: bytes) -> None:
        """Keep a snapshot unless a newer one is there."""
        await self._database.write(
            lambda db: insert(
                db,
                "INSERT INTO snapshot(stream, schema, version, state)",
                [(stream, schema, version, state)],
                "ON CONFLICT DO UPDATE SET version=excluded.version, state=excluded.state"
                " WHERE excluded.version >= snapshot.version",
            )
        )

    async def load_snapshot(self, stream: str, schema: int) -> tuple[int, bytes] | None:
        """Give the newest snapshot of a schema number."""
        found: tuple[int, bytes] | None = await self._database.read(
            lambda db: db.execute(
                "SELECT version, state FROM snapshot WHERE stream=? AND schema=?", (stream, schema)
            ).fetchone()
        )
        return found


def _version(db: sqlite3.Connection, stream: str) -> int:
    (version,) = db.execute(
        "SELECT coalesce(max(version), 0) FROM event WHERE stream=?", (stream,)
    ).fetchone()
    return int(version)
