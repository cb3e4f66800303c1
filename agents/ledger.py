"""What the loop remembers across restarts: parked keys and failed attempts, as records in the store."""

from __future__ import annotations

import msgspec

from streams.bus import Record
from streams.clock import Clock
from streams.dead_letters import Parked, attempts_kind, key_text, parked_kind, place
from streams.store.api import Records

ATTEMPTS_TTL_S = 30 * 24 * 3600
"""How long a count of failed attempts is kept, s; a message is gone from its topic by then."""

MOST_PARKED = 10_000
"""Most parked keys that are looked at; by then an operator has been told for long."""


class Ledger:
    """Parked keys and attempts of one agent.

    Only the one consumer of a key parks it, so what `load` found stays right until the next assignment, but
    for keys that an operator released: those are asked for again each time.
    """

    def __init__(self, agent: str, records: Records, clock: Clock) -> None:
        self._parked_kind = parked_kind(agent)
        self._attempts_kind = attempts_kind(agent)
        self._records = records
        self._clock = clock
        self._parked: set[str] = set()

    async def load(self) -> None:
        """Read the parked keys; at the start, and whenever partitions may have come from another worker."""
        self._parked = {stored.key for stored in await self._records.list(self._parked_kind, MOST_PARKED)}

    async def is_parked(self, key: bytes | None) -> bool:
        """Tell whether a key is parked."""
        name = key_text(key)
        if name not in self._parked:
            return False
        if await self._records.get(self._parked_kind, name) is None:
            self._parked.discard(name)  # released
            return False
        return True

    async def park(self, record: Record) -> None:
        """Park the key of a message, durably; a message without a key has no order to keep."""
        if not record.key:
            return
        body = Parked(record.topic, record.partition, record.offset, self._clock())
        await self._records.put(self._parked_kind, key_text(record.key), msgspec.json.encode(body))
        self._parked.add(key_text(record.key))

    async def count_failure(self, record: Record) -> int:
        """Count a failed attempt at a message, durably; return how many there were."""
        name = place(record.topic, record.partition, record.offset)
        found = await self._records.get(self._attempts_kind, name)
        count = 1 + (int(found.body) if found else 0)
        await self._records.put(self._attempts_kind, name, str(count).encode(), ttl_s=ATTEMPTS_TTL_S)
        return count

    async def forget_failures(self, record: Record) -> None:
        """Forget the attempts at a message that was given up."""
        await self._records.delete(self._attempts_kind, place(record.topic, record.partition, record.offset))
