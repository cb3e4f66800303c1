"""The store in memory, put together."""

from __future__ import annotations

from streams.clock import Clock, utc_now
from streams.store.memory.events import MemoryEvents
from streams.store.memory.records import MemoryRecords
from streams.store.memory.tables import MemoryDeadlines, MemoryFacts, MemoryJobs, MemoryLeases
from streams.store.memory.views import MemoryViews
from streams.store.stamp import KEY, KIND, check_stamp, steps, write_stamp


class MemoryStore:
    """Everything in this process; gone with it."""

    def __init__(self, *, clock: Clock = utc_now) -> None:
        self._clock = clock
        self.events = MemoryEvents()
        self.facts = MemoryFacts()
        self.deadlines = MemoryDeadlines()
        self.leases = MemoryLeases()
        self.jobs = MemoryJobs()
        self.views = MemoryViews()
        self.records = MemoryRecords(clock)

    async def migrate(self) -> list[str]:
        """Stamp the format."""
        todo = steps(await self.records.get(KIND, KEY))
        for step in todo:
            await write_stamp(self.records, step, self._clock())
        return [f"store format {step}" for step in todo]

    async def check(self) -> None:
        """Tell whether it is migrated."""
        await check_stamp(self.records)

    async def close(self) -> None:
        """Keep everything: a test may look again."""
