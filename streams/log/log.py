"""One file of the embedded bus as a set of logs: plain synchronous SQL, used in one thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import msgspec

from schemas.catalogue import Topic
from streams.bus import Headers, Position, Record
from streams.errors import Refused
from streams.log.database import away, connect, create

Partition = tuple[str, int]

_SHIFT = 40
"""A record's position is (partition id << 40) + offset: one clustered key, and large values rest well."""

_ROWS = 1000
"""Rows of one INSERT. sqlite3 takes the interpreter's lock anew for every row of an executemany."""

TRIMMED = 5000
"""Most records that one trim forgets in a partition, so that it never holds the lock for long."""


class Appended(NamedTuple):
    """A record to append; `timestamp` in ms since the epoch."""

    topic: str
    partition: int
    timestamp: int
    key: bytes | None
    value: bytes
    headers: Headers


class Log:
    """Topics of one file."""

    def __init__(self, db: sqlite3.Connection, directory: Path) -> None:
        self._db = db
        self._directory = directory
        self._version: int | None = None
        self._ids: dict[Partition, int] = {}
        self._counts: dict[str, int] = {}

    @classmethod
    def open(cls, directory: Path, file: str) -> Log:
        """Open what ``chips migrate`` made; see `streams.log.database.connect`."""
        return cls(connect(directory, file), directory)

    @classmethod
    def create(cls, directory: Path, file: str) -> Log:
        """Make the file when it is missing, and open it."""
        return cls(create(directory, file), directory)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def create_topic(self, topic: Topic) -> bool:
        """Make a topic; False when it is there. Its retention is set anew, its partitions never change."""
        with self._transaction():
            made = not self._db.execute("SELECT 1 FROM partition WHERE topic=?", (topic.name,)).fetchone()
            rows = (
                [(topic.name, p, topic.retention_s * 1000) for p in range(topic.partitions)] if made else []
            )
            self._insert("partition(topic, partition, retention_ms)", rows)
            self._db.execute(
                "UPDATE partition SET retention_ms=? WHERE topic=?", (topic.retention_s * 1000, topic.name)
            )
        self._counts.clear()
        return made

    def partitions(self, topic: str) -> int:
        """Count the partitions of a topic; 0 when there is no such topic."""
        if topic not in self._counts:
            with away(self._directory):
                rows = self._db.execute(
                    "SELECT partition, id FROM partition WHERE topic=?", (topic,)
                ).fetchall()
            if not rows:
                return 0
            self._ids |= {(topic, partition): identity for partition, identity in rows}
            self._counts[topic] = len(rows)
        return self._counts[topic]

    def append(self, records: Sequence[Appended]) -> list[Position]:
        """Append to topics that exist, all or nothing; durable when it returns (for a durable file).

        Raises
        ------
        streams.errors.Refused
            When a topic was taken away meanwhile.
        streams.errors.Unavailable
            When the file is locked or full.
        """
        with self._transaction():
            ids = [self._id(record.topic, record.partition) for record in records]
            ends = self._ends_of(set(ids))
            if len(ends) != len(set(ids)):
                self._ids.clear()
                self._counts.clear()
                raise Refused(f"A topic was taken away from {self._directory}: run `chips migrate`")
            rows = []
            positions = []
            for identity, record in zip(ids, records, strict=True):
                offset = ends[identity]
                ends[identity] = offset + 1
                headers = msgspec.msgpack.encode(record.headers) if record.headers else None
                rows.append(
                    ((identity << _SHIFT) + offset, record.timestamp, record.key, record.value, headers)
                )
                positions.append(Position(record.topic, record.partition, offset))
            self._insert("record(position, timestamp, key, value, headers)", rows)
            for identity, end in ends.items():
                self._db.execute('UPDATE partition SET "end"=? WHERE id=?', (end, identity))
        return positions

    def trim(self, now: int) -> int:
        """Forget a bounded number of records that have expired at `now` (ms); return how many."""
        forgotten = 0
        with self._transaction():
            for identity, retention in self._db.execute("SELECT id, retention_ms FROM partition").fetchall():
                first, last = identity << _SHIFT, (identity + 1) << _SHIFT
                # Records lie in order of time, so this looks at the expired ones only.
                kept = self._db.execute(
                    "SELECT coalesce(min(position), ?) FROM (SELECT position FROM record WHERE position>=? "
                    "AND position<? AND timestamp>=? ORDER BY position LIMIT 1)",
                    (last, first, last, now - retention),
                ).fetchone()[0]
                forgotten += self._db.execute(
                    "DELETE FROM record WHERE position IN (SELECT position FROM record WHERE position>=? AND "
                    "position<? ORDER BY position LIMIT ?)",
                    (first, kept, TRIMMED),
                ).rowcount
        return forgotten

    def changed(self) -> bool:
        """Tell whether another connection, in whatever process, wrote since this was last asked."""
        with away(self._directory):
            found = self._db.execute("PRAGMA data_version").fetchone()[0]
        before, self._version = self._version, found
        return bool(before != found)

    def ends(self, topics: Sequence[str]) -> dict[Partition, int]:
        """Give the offset after the last record of each partition."""
        marks = ",".join("?" * len(topics))
        with away(self._directory):
            rows = self._db.execute(
                f'SELECT topic, partition, "end" FROM partition WHERE topic IN ({marks})',  # noqa: S608 - marks
                tuple(topics),
            ).fetchall()
        return {(topic, partition): end for topic, partition, end in rows}

    def starts(self, topics: Sequence[str]) -> dict[Partition, int]:
        """Give the offset of the first record kept in each partition; its end when none is."""
        found = {}
        for (topic, partition), end in self.ends(topics).items():
            first = self.read(topic, partition, 0, 1)
            found[topic, partition] = first[0].offset if first else end
        return found

    def read(self, topic: str, partition: int, offset: int, limit: int) -> list[Record]:
        """Read at most `limit` records from `offset` on."""
        identity = self._id(topic, partition)
        first = identity << _SHIFT
        with away(self._directory):
            rows = self._db.execute(
                "SELECT position, timestamp, key, value, headers FROM record WHERE position>=? "
                "AND position<? ORDER BY position LIMIT ?",
                (first + offset, (identity + 1) << _SHIFT, limit),
            ).fetchall()
        return [
            Record(topic, partition, position - first, timestamp, key, value, _headers(headers))
            for position, timestamp, key, value, headers in rows
        ]

    def commit(self, app: str, offsets: Mapping[Partition, int]) -> None:
        """Keep how far an app has come: the offset of the first record that is not done."""
        with self._transaction():
            for (topic, partition), offset in offsets.items():
                self._db.execute(
                    "INSERT OR REPLACE INTO committed VALUES (?, ?, ?)",
                    (app, self._id(topic, partition), offset),
                )

    def committed(self, app: str) -> dict[Partition, int]:
        """Give what an app has committed."""
        with away(self._directory):
            rows = self._db.execute(
                'SELECT topic, p.partition, "offset" FROM committed c JOIN partition p ON p.id = c.partition '
                "WHERE app=?",
                (app,),
            ).fetchall()
        return {(topic, partition): offset for topic, partition, offset in rows}

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with away(self._directory):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:  # whatever it was, nothing of the transaction may remain
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _insert(self, into: str, rows: Sequence[tuple[object, ...]]) -> None:
        for start in range(0, len(rows), _ROWS):
            chunk = rows[start : start + _ROWS]
            row = f"({','.join('?' * len(chunk[0]))})"
            values = ",".join([row] * len(chunk))
            self._db.execute(
                f"INSERT INTO {into} VALUES {values}",  # noqa: S608 - a constant and marks
                tuple(chain.from_iterable(chunk)),
            )

    def _id(self, topic: str, partition: int) -> int:
        if (topic, partition) not in self._ids:
            self.partitions(topic)
        return self._ids[topic, partition]

    def _ends_of(self, ids: set[int]) -> dict[int, int]:
        marks = ",".join("?" * len(ids))
        rows = self._db.execute(
            f'SELECT id, "end" FROM partition WHERE id IN ({marks})',  # noqa: S608 - marks
            tuple(ids),
        ).fetchall()
        return dict(rows)


def _headers(encoded: bytes | None) -> Headers:
    return msgspec.msgpack.decode(encoded, type=tuple[tuple[str, bytes], ...]) if encoded else ()
