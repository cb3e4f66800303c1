"""Views in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from streams.store.api import Row
from streams.store.generations import Generations, activated, begun
from streams.store.sqlite.database import Database, insert

_SCOPE = "FROM view_row WHERE view=? AND generation=coalesce(?, (SELECT active FROM view WHERE view=?), 1)"


class SqliteViews:
    """The tables view_row and view."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, view: str, generation: int, rows: Sequence[Row]) -> None:
        """Write rows that are not older than those there."""
        values = [(view, generation, row.project, row.scope, row.key, row.version, row.body) for row in rows]
        await self._database.write(
            lambda db: insert(
                db,
                "INSERT INTO view_row(view, generation, project, scope, key, version, body)",
                values,
                "ON CONFLICT DO UPDATE SET version=excluded.version, body=excluded.body"
                " WHERE excluded.version >= view_row.version",
            )
        )

    async def delete(self, view: str, generation: int, row: Row) -> None:
        """Take a row out."""
        values = (view, generation, row.project, row.scope, row.key, row.version)
        await self._database.write(
            lambda db: (
                db.execute(
                    "DELETE FROM view_row WHERE view=? AND generation=? AND project=? AND scope=? AND key=?"
                    " AND version<=?",
                    values,
                ).rowcount
            )
        )

    async def rows(
        self,
        view: str,
        project: str,
        scope: str,
        *,
        generation: int | None = None,
        after: str = "",
        limit: int = 10_000,
        descending: bool = False,
    ) -> list[Row]:
        """Give rows of a scope by key."""
        order = "AND (?='' OR key<?) ORDER BY key DESC" if descending else "AND (?='' OR key>?) ORDER BY key"
        return await self._database.read(
            lambda db: [
                Row(project, scope, *found)
                for found in db.execute(
                    f"SELECT key, version, body {_SCOPE} AND project=? AND scope=? {order} LIMIT ?",
                    (view, generation, view, project, scope, after, after, limit),
                )
            ]
        )

    async def row(
        self, view: str, project: str, scope: str, key: str, *, generation: int | None = None
    ) -> Row | None:
        """Give one row."""
        found = await self._database.read(
            lambda db: db.execute(
                # Constants only, no data.
                f"SELECT key, version, body {_SCOPE} AND project=? AND scope=? AND key=?",
                (view, generation, view, project, scope, key),
            ).fetchone()
        )
        return None if found is None else Row(project, scope, *found)

    async def scopes(self, view: str, generation: int) -> list[tuple[str, str]]:
        """Give every scope that has rows."""
        return await self._database.read(
            lambda db: db.execute(
                "SELECT DISTINCT project, scope FROM view_row WHERE view=? AND generation=? ORDER BY 1, 2",
                (view, generation),
            ).fetchall()
        )

    async def active(self, view: str) -> int:
        """Give the generation that pages read."""
        return (await self._database.read(lambda db: _find(db, view))).active

    async def filling(self, view: str) -> list[int]:
        """Give the generations that projections write."""
        return (await self._database.read(lambda db: _find(db, view))).filling

    async def begin(self, view: str) -> int:
        """Open a new generation."""

        def work(db: sqlite3.Connection) -> int:
            state, unfinished = begun(_find(db, view))
            _save(db, view, state, unfinished)
            return state.last

        return await self._database.write(work)

    async def activate(self, view: str, generation: int) -> None:
        """Let pages read this generation."""

        def work(db: sqlite3.Connection) -> None:
            state, others = activated(_find(db, view), generation)
            _save(db, view, state, others)

        await self._database.write(work)

    async def drop(self, view: str, generation: int) -> None:
        """Forget a generation that is not active."""
        await self._database.write(
            lambda db: _save(db, view, _find(db, view).without(generation), [generation])
        )


def _find(db: sqlite3.Connection, view: str) -> Generations:
    row = db.execute("SELECT active, building, last FROM view WHERE view=?", (view,)).fetchone()
    return Generations() if row is None else Generations(*row)


def _save(db: sqlite3.Connection, view: str, state: Generations, dropped: Sequence[int]) -> None:
    row = (view, state.active, state.building, state.last)
    insert(db, "INSERT OR REPLACE INTO view(view, active, building, last)", [row])
    for generation in dropped:
        db.execute("DELETE FROM view_row WHERE view=? AND generation=?", (view, generation))
