"""The files of an embedded bus as one: finds the file of a topic. Used in one thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from streams.bus import Record
from streams.errors import Refused
from streams.log.formats import DURABLE, INNER, LIVE
from streams.log.log import Log, Partition

DRIVER = f"sqlite={sqlite3.sqlite_version}"


class Logs:
    """The files, open in this thread; that of the inner topics is opened with the first of those."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open: dict[str, Log] = {}
        self._ends: dict[Partition, int] = {}
        try:
            for file in (DURABLE, LIVE):
                self.file(file)
        except Exception:  # whatever kept the second file from opening, the first is let go
            self.close()
            raise

    def file(self, name: str) -> Log:
        """Give a file; raises what `streams.log.database.connect` does."""
        if name not in self._open:
            self._open[name] = Log.open(self._directory, name)
        return self._open[name]

    def of(self, topic: str) -> Log:
        """Give the file that holds a topic.

        Raises
        ------
        streams.errors.Refused
            When there is no such topic, or it may be one of the inner zone and this user is not of it.
        """
        # The inner one last: whoever has no business there never opens it.
        for name in (DURABLE, LIVE, INNER):
            log = self.file(name)
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
        # All are asked always: each answer counts once.
        changed = [log for log in self._open.values() if log.changed()]
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
        """Give what an app has committed, in the files that are open."""
        found: dict[Partition, int] = {}
        for log in self._open.values():
            found |= log.committed(app)
        return found

    def trim(self, now: int) -> int:
        """Forget a bounded number of records that have expired at `now` (ms), in the files that are open.

        Returns how many.
        """
        return sum(log.trim(now) for log in self._open.values())

    def close(self) -> None:
        """Let go of the files."""
        for log in self._open.values():
            log.close()
        self._open.clear()

    def _by_log(self, topics: Sequence[str]) -> list[tuple[Log, list[str]]]:
        grouped: dict[Log, list[str]] = {}
        for topic in topics:
            grouped.setdefault(self.of(topic), []).append(topic)
        return list(grouped.items())
