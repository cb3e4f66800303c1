"""The tail of the embedded bus: looks for what other processes append, every 2 to 50 ms."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from streams.bus import Record
from streams.log.logs import Logs
from streams.log.reader import FIRST_NAP_S, Reader, longer

FETCH = 200
"""Records of a partition that are read at once."""


class LogTail:
    """Reads topics without a group; each `records` has a thread of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._reader = Reader(directory)

    async def records(
        self,
        topics: Sequence[str],
        *,
        start: Literal["beginning", "end"] | Mapping[tuple[str, int], int] = "end",
    ) -> AsyncGenerator[Record, None]:
        """Yield what comes, for ever; see `streams.bus.Tail.records`."""
        reader = Reader(self._directory)
        try:
            positions = await reader.call(Logs.ends, topics)
            if start == "beginning":
                positions = dict.fromkeys(positions, 0)
            elif isinstance(start, Mapping):
                positions = {partition: start.get(partition, end) for partition, end in positions.items()}
            nap = FIRST_NAP_S
            while True:
                found = await reader.call(Logs.fetch, positions, FETCH)
                for partition, records in found.items():
                    for record in records:
                        yield record
                    positions[partition] = records[-1].offset + 1
                nap = FIRST_NAP_S if found else longer(nap)
                if not found:
                    await asyncio.sleep(nap)
        finally:
            await reader.close()

    async def ends(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        """Give the offset after the last record of each partition."""
        return await self._reader.call(Logs.ends, topics)

    async def starts(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        """Give the offset of the first record kept in each partition; its end when none is."""
        return await self._reader.call(Logs.starts, topics)

    async def close(self) -> None:
        """Let go."""
        await self._reader.close()
