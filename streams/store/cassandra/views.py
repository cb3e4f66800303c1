"""Views in Cassandra: plain writes of which the highest version wins, in partitions of their generation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from streams.errors import Unavailable
from streams.store.api import Row
from streams.store.cassandra import statements as cql
from streams.store.cassandra.session import CassandraSession
from streams.store.cassandra.timestamps import LAST, Ticker, newest_version_wins
from streams.store.generations import Generations, activated, begun

TRIES = 4
MOST_KNOWN = 50_000
"""Scopes remembered as listed, so that they are not listed with every row."""

_Scope = tuple[str, int, str, str]


class CassandraViews:
    """The tables view_row, view_scope and view_generation."""

    def __init__(self, session: CassandraSession, ticker: Ticker) -> None:
        self._session = session
        self._ticker = ticker
        self._known: set[_Scope] = set()

    async def put(self, view: str, generation: int, rows: Sequence[Row]) -> None:
        """Write rows that are not older than those there."""
        now = self._ticker.now()
        await self._list({(view, generation, row.project, row.scope) for row in rows})
        values = [
            (
                *(view, generation, row.project, row.scope, row.key, row.version, row.body),
                newest_version_wins(row.version, now),
            )
            for row in rows
        ]
        await self._session.run_all(cql.PUT_ROW, values)

    async def delete(self, view: str, generation: int, row: Row) -> None:
        """Take a row out."""
        timestamp = newest_version_wins(row.version, self._ticker.now())
        await self._session.run(cql.DELETE_ROW, timestamp, view, generation, row.project, row.scope, row.key)

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
        place = (view, generation or await self.active(view), project, scope)
        if after:
            statement = cql.ROWS_BEFORE if descending else cql.ROWS_AFTER
            found = await self._session.run(statement, *place, after, limit)
        else:
            statement = cql.ROWS_DESCENDING if descending else cql.ROWS
            found = await self._session.run(statement, *place, limit)
        return [Row(project, scope, *row) for row in found]

    async def row(
        self, view: str, project: str, scope: str, key: str, *, generation: int | None = None
    ) -> Row | None:
        """Give one row."""
        number = generation or await self.active(view)
        found = await self._session.run(cql.ROW, view, number, project, scope, key)
        return Row(project, scope, *found[0]) if found else None

    async def scopes(self, view: str, generation: int) -> list[tuple[str, str]]:
        """Give every scope that has rows."""
        listed = [
            (project, scope) for project, scope in await self._session.run(cql.SCOPES, view, generation)
        ]
        found = await self._session.run_all(
            cql.ANY_ROW, [(view, generation, project, scope) for project, scope in listed]
        )
        return [place for place, rows in zip(listed, found, strict=True) if rows]

    async def active(self, view: str) -> int:
        """Give the generation that pages read."""
        return (await self._find(view)).active

    async def filling(self, view: str) -> list[int]:
        """Give the generations that projections write."""
        return (await self._find(view)).filling

    async def begin(self, view: str) -> int:
        """Open a new generation."""
        return (await self._change(view, begun)).last

    async def activate(self, view: str, generation: int) -> None:
        """Let pages read this generation."""
        await self._change(view, lambda state: activated(state, generation))

    async def drop(self, view: str, generation: int) -> None:
        """Forget a generation that is not active."""
        await self._change(view, lambda state: (state.without(generation), [generation]))

    async def _list(self, scopes: set[_Scope]) -> None:
        new = scopes - self._known
        await self._session.run_all(cql.ADD_SCOPE, sorted(new))
        if len(self._known) + len(new) > MOST_KNOWN:
            self._known.clear()
        self._known |= new

    async def _find(self, view: str) -> Generations:
        rows = await self._session.run(cql.GENERATIONS, view)
        return Generations(*rows[0]) if rows else Generations()

    async def _change(
        self, view: str, decide: Callable[[Generations], tuple[Generations, list[int]]]
    ) -> Generations:
        """Read, decide, write if nothing changed meanwhile, and drop what is no longer needed."""
        for _ in range(TRIES):
            rows = await self._session.run_serial(cql.GENERATIONS, view)
            state, unneeded = decide(Generations(*rows[0]) if rows else Generations())
            new = (state.active, state.building, state.last)
            if rows:
                applied = await self._session.applied(cql.SET_GENERATIONS, *new, view, *rows[0])
            else:
                applied = await self._session.applied(cql.FIRST_GENERATIONS, view, *new)
            if applied:
                for generation in unneeded:
                    await self._forget(view, generation)
                return state
        raise Unavailable(f"The generations of {view} are being changed by others: try again")

    async def _forget(self, view: str, generation: int) -> None:
        scopes = await self._session.run(cql.SCOPES, view, generation)
        # Later than any version's timestamp; a generation's number never comes back.
        await self._session.run_all(
            cql.DROP_SCOPE, [(LAST, view, generation, project, scope) for project, scope in scopes]
        )
        await self._session.run(cql.DROP_SCOPES, view, generation)
