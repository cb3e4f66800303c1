"""Facts in Cassandra: plain writes of which the first wins."""

from __future__ import annotations

from collections.abc import Sequence

from streams.store.api import Fact
from streams.store.cassandra import statements as cql
from streams.store.cassandra.session import CassandraSession
from streams.store.cassandra.timestamps import Ticker, first_wins

MOST = 200_000
"""Facts of one scope that are given at once."""


class CassandraFacts:
    """The table fact."""

    def __init__(self, session: CassandraSession, ticker: Ticker) -> None:
        self._session = session
        self._ticker = ticker

    async def put(self, facts: Sequence[Fact]) -> None:
        """Write facts that are not there."""
        rows = [
            (fact.project, fact.kind, fact.scope, fact.key, fact.body, first_wins(self._ticker.now()))
            for fact in facts
        ]
        await self._session.run_all(cql.PUT_FACT, rows)

    async def has(self, project: str, kind: str, scope: str, key: str) -> bool:
        """Tell whether a fact is there."""
        return bool(await self._session.run(cql.HAS_FACT, project, kind, scope, key))

    async def get(self, project: str, kind: str, scope: str, key: str) -> Fact | None:
        """Give a fact."""
        rows = await self._session.run(cql.FACT, project, kind, scope, key)
        return Fact(project, kind, scope, key, rows[0][0]) if rows else None

    async def all(self, project: str, kind: str, scope: str) -> list[Fact]:
        """Give the facts of a scope by key."""
        rows = await self._session.run(cql.FACTS, project, kind, scope, MOST)
        return [Fact(project, kind, scope, key, body) for key, body in rows]

    async def count(self, project: str, kind: str, scope: str) -> int:
        """Count the facts of a scope."""
        return int((await self._session.run(cql.COUNT_FACTS, project, kind, scope))[0][0])
