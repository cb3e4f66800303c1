"""Views in memory."""

from __future__ import annotations

from collections.abc import Sequence

from streams.store.api import Row
from streams.store.generations import Generations, activated, begun

_Scope = tuple[str, int, str, str]


class MemoryViews:
    """Rows by view, generation, project and scope."""

    def __init__(self) -> None:
        self._scopes: dict[_Scope, dict[str, Row]] = {}
        self._generations: dict[str, Generations] = {}

    async def put(self, view: str, generation: int, rows: Sequence[Row]) -> None:
        """Write rows that are not older than those there."""
        for row in rows:
            scope = self._scopes.setdefault((view, generation, row.project, row.scope), {})
            if row.key not in scope or scope[row.key].version <= row.version:
                scope[row.key] = row

    async def delete(self, view: str, generation: int, row: Row) -> None:
        """Take a row out."""
        scope = self._scopes.get((view, generation, row.project, row.scope), {})
        if row.key in scope and scope[row.key].version <= row.version:
            del scope[row.key]

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
        found = self._scopes.get((view, generation or await self.active(view), project, scope), {})
        keys = sorted(found, reverse=descending)
        if after:
            keys = [key for key in keys if (key < after if descending else key > after)]
        return [found[key] for key in keys[:limit]]

    async def row(
        self, view: str, project: str, scope: str, key: str, *, generation: int | None = None
    ) -> Row | None:
        """Give one row."""
        return self._scopes.get((view, generation or await self.active(view), project, scope), {}).get(key)

    async def scopes(self, view: str, generation: int) -> list[tuple[str, str]]:
        """Give every scope that has rows."""
        return sorted(
            (project, scope)
            for (name, number, project, scope), rows in self._scopes.items()
            if (name, number) == (view, generation) and rows
        )

    async def active(self, view: str) -> int:
        """Give the generation that pages read."""
        return self._of(view).active

    async def filling(self, view: str) -> list[int]:
        """Give the generations that projections write."""
        return self._of(view).filling

    async def begin(self, view: str) -> int:
        """Open a new generation."""
        self._generations[view], unfinished = begun(self._of(view))
        self._forget(view, unfinished)
        return self._generations[view].last

    async def activate(self, view: str, generation: int) -> None:
        """Let pages read this generation."""
        self._generations[view], others = activated(self._of(view), generation)
        self._forget(view, others)

    async def drop(self, view: str, generation: int) -> None:
        """Forget a generation that is not active."""
        self._generations[view] = self._of(view).without(generation)
        self._forget(view, [generation])

    def _of(self, view: str) -> Generations:
        return self._generations.get(view, Generations())

    def _forget(self, view: str, generations: Sequence[int]) -> None:
        for scope in [s for s in self._scopes if s[0] == view and s[1] in generations]:
            del self._scopes[scope]
