"""The files of an embedded bus as one: finds the file of a topic. Used in one thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from streams.bus import Record
from streams.errors import Refused
from streams.log.database import DURABLE, LIVE
from streams.log.log import Log, Partition

DRIVER = f"sqlite={sqlite3.sqlite_version}"


class Logs:
    """Both files, open in this thread."""

    def __init__(self, directory: Path, opener: Callable[[Path, str], Log] = Log.open) -> None:
        self.durable = opener(directory, DURABLE)
        try:
            self.live = opener(directory, LIVE)
        except Exception:  # whatever kept the second file from opening, the first is let go
            self.durable.close()
            raise
        self._directory = directory
        self._ends: dict[Partition, int] = {}

    def of(self, topic: str) -> Log:
        """Give the file that holds a topic.

        Raises
        ------
        streams.errors.Refused
            When there is no such topic.
        """
        for log in (self.durable, self.live):
            if log.partitions(topic):
                return log
        raise Refused(f"There is no topic {topic} at {self._directory}: run `chips migrate`")

    def partitions(self, topic: str) -> int:
        """Count the partitions of a topic; raises `Refused` when there is none."""
        return self.of(topic).partitions(topic)

    def ends(self, topics: Sequence[str]) -> dict[Partition, int]:
        """Give the offset after the last record of each partition; raises `Refused` for an unknown topic."""
        found: dict[Partition, int] = {}
        for log, names in self._by_log(topics):
            found |= log.ends(names)
        return found

    def starts(self, topics: Sequence[str]) -> dict[Partition, int]:
        """Give the first offset kept in each partition."""
        found: dict[Partition, int] = {}
        for log, names in self._by_log(topics):
            found |= log.starts(names)
        return found

    def fetch(self, positions: Mapping[Partition, int], limit: int) -> dict[Partition, list[Record]]:
        """Read what lies at and after these positions, at most `limit` records a partition.

        Costs next to nothing while no process has written.
        """
        # Both are asked always: each answer counts once.
        changed = [log for log in (self.durable, self.live) if log.changed()]
        if changed or any(partition not in self._ends for partition in positions):
            self._ends = self.ends(sorted({topic for topic, _ in positions}))
        found = {}
        for (topic, partition), offset in positions.items():
            if offset < self._ends[topic, partition]:
                records = self.of(topic).read(topic, partition, offset, limit)
                if records:
                    found[topic, partition] = records
        return found

    def commit(self, app: str, offsets: Mapping[Partition, int]) -> None:
        """Keep how far an app has come."""
        for log, names in self._by_log(sorted({topic for topic, _ in offsets})):
            log.commit(app, {at: offset for at, offset in offsets.items() if at[0] in names})

    def committed(self, app: str) -> dict[Partition, int]:
        """Give what an app has committed."""
        return self.durable.committed(app) | self.live.committed(app)

    def trim(self, now: int) -> int:
        """Forget a bounded number of records that have expired at `now` (ms); return how many."""
        return self.durable.trim(now) + self.live.trim(now)

    def close(self) -> None:
        """Let go of the files."""
        self.durable.close()
        self.live.close()

    def _by_log(self, topics: Sequence[str]) -> list[tuple[Log, list[str]]]:
        grouped: dict[Log, list[str]] = {}
        for topic in topics:
            grouped.setdefault(self.of(topic), []).append(topic)
        return list(grouped.items())
