"""Makes the topics of an embedded bus and tells lag."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from schemas.catalogue import TOPICS, Topic
from streams.log.database import create_all
from streams.log.formats import DURABLE, INNER, LIVE
from streams.log.logs import Logs
from streams.log.reader import Reader


class LogAdmin:
    """Administers the bus in a folder; `topics` are those that it makes."""

    def __init__(self, directory: Path, topics: Iterable[Topic] = tuple(TOPICS.values())) -> None:
        self._directory = directory
        self._topics = tuple(topics)
        self._reader = Reader(directory)

    async def create_topics(self) -> list[str]:
        """Make the files and the topics that are missing; return the topics' names."""
        return await asyncio.to_thread(self._create)

    async def trim(self) -> int:
        """Forget what has expired; producers do it by themselves, too. Returns how many records."""
        return await asyncio.to_thread(self._trim)

    async def lag(self, app: str, topics: Sequence[str] = ()) -> dict[tuple[str, int], int]:
        """Messages not yet committed, of the named topics and those that the app has subscribed to."""
        return await self._reader.call(_lag, app, topics)

    async def close(self) -> None:
        """Let go."""
        await self._reader.close()

    def _create(self) -> list[str]:
        create_all(self._directory)
        logs = Logs(self._directory)
        try:
            return [topic.name for topic in self._topics if logs.file(file_of(topic)).create_topic(topic)]
        finally:
            logs.close()

    def _trim(self) -> int:
        logs = Logs(self._directory)
        try:
            for topic in self._topics:
                logs.file(file_of(topic))
            return logs.trim(time.time_ns() // 1_000_000)
        finally:
            logs.close()


def file_of(topic: Topic) -> str:
    """Give the file in which a topic is made."""
    if topic.zone == "inner":
        return INNER
    return DURABLE if topic.durable else LIVE


def _lag(logs: Logs, app: str, named: Sequence[str]) -> dict[tuple[str, int], int]:
    for topic in named:
        logs.of(topic)  # opens its file, where the commits lie, too
    committed = logs.committed(app)
    topics = sorted({topic for topic, _ in committed} | set(named))
    ends = logs.ends(topics)
    starts = logs.starts(topics)
    # What has expired is nobody's lag.
    return {at: end - max(committed.get(at, 0), starts[at]) for at, end in ends.items()}
