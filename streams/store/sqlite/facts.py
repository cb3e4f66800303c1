"""Facts in SQLite."""

from __future__ import annotations

from collections.abc import Sequence

from streams.store.api import Fact
from streams.store.sqlite.database import Database, insert

MOST = 200_000
"""Facts of one scope that are given at once."""


class SqliteFacts:
    """The table fact."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, facts: Sequence[Fact]) -> None:
        """Write facts that are not there."""
        rows = [(fact.project, fact.kind, fact.scope, fact.key, fact.body) for fact in facts]
        await self._database.write(
            lambda db: insert(db, "INSERT OR IGNORE INTO fact(project, kind, scope, key, body)", rows)
        )

    async def has(self, project: str, kind: str, scope: str, key: str) -> bool:
        """Tell whether a fact is there."""
        return await self._database.read(
            lambda db: bool(
                db.execute(
                    "SELECT 1 FROM fact WHERE project=? AND kind=? AND scope=? AND key=?",
                    (project, kind, scope, key),
                ).fetchall()
            )
        )

    async def get(self, project: str, kind: str, scope: str, key: str) -> Fact | None:
        """Give a fact."""
        found = await self._database.read(
            lambda db: db.execute(
                "SELECT body FROM fact WHERE project=? AND kind=? AND scope=? AND key=?",
                (project, kind, scope, key),
            ).fetchone()
        )
        return None if found is None else Fact(project, kind, scope, key, found[0])

    async def all(self, project: str, kind: str, scope: str) -> list[Fact]:
        """Give the facts of a scope by key."""
        return await self._database.read(
            lambda db: [
                Fact(project, kind, scope, key, body)
                for key, body in db.execute(
                    "SELECT key, body FROM fact WHERE project=? AND kind=? AND scope=? ORDER BY key LIMIT ?",
                    (project, kind, scope, MOST),
                )
            ]
        )

    async def count(self, project: str, kind: str, scope: str) -> int:
        """Count the facts of a scope."""
        return await self._database.read(
            lambda db: int(
                db.execute(
                    "SELECT count(*) FROM fact WHERE project=? AND kind=? AND scope=?", (project, kind, scope)
                ).fetchone()[0]
            )
        )
