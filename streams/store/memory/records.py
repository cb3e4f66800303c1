"""Records in memory."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from streams.clock import Clock
from streams.errors import Conflict
from streams.store.api import Stored


class _Kept(NamedTuple):
    stored: Stored
    expires: datetime | None


class MemoryRecords:
    """Records by kind and key."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rows: dict[tuple[str, str], _Kept] = {}

    async def get(self, kind: str, key: str) -> Stored | None:
        """Give a record that has not expired."""
        kept = self._rows.get((kind, key))
        if kept is None or (kept.expires is not None and kept.expires <= self._clock()):
            return None
        return kept.stored

    async def put(
        self, kind: str, key: str, body: bytes, *, expected: int | None = None, ttl_s: int | None = None
    ) -> int:
        """Write a record by compare-and-set."""
        there = await self.get(kind, key)
        version = there.version if there else 0
        if expected not in {None, version}:
            raise Conflict(f"A record of kind {kind}", expected or 0, version)
        expires = None if ttl_s is None else self._clock() + timedelta(seconds=ttl_s)
        self._rows[kind, key] = _Kept(Stored(key, version + 1, body), expires)
        return version + 1

    async def delete(self, kind: str, key: str) -> None:
        """Forget a record."""
        self._rows.pop((kind, key), None)

    async def list(self, kind: str, limit: int = 10_000) -> list[Stored]:
        """Give the records of a kind by key."""
        found = [await self.get(kind, key) for of_kind, key in sorted(self._rows) if of_kind == kind]
        return [stored for stored in found if stored is not None][:limit]
