"""The formats of a bus' files, and the steps from each to the next; ``chips migrate`` alone takes them.

A file carries its format in SQLite's ``user_version``. Each step is a transaction that ends with the new
number, so that one that was broken off is taken again, from its beginning.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

from streams.errors import NewerFormat, Unavailable

FORMAT = 2
"""Format of the files; a newer one is refused, an older one is brought up."""

DURABLE = "bus.db"
LIVE = "live.db"
INNER = "inner/inner.db"
"""Topics of the inner zone: a folder of their own, which may have an owner of its own."""

_APART = ("chips.pacs.v1", "chips.dlq.arrivals.v1", "chips.dlq.anonymization.v1")
"""The inner topics of format 1, which had them among the others."""


class Step(NamedTuple):
    """How a file comes to a format.

    Attributes
    ----------
    statements
        Run in one transaction with the new number.
    before
        Run before, with the file's connection and path; taken again when the step is broken off, so it must
        take no harm from what it did already.
    """

    statements: tuple[str, ...] = ()
    before: Callable[[sqlite3.Connection, Path], None] = lambda _db, _path: None


def stamped(db: sqlite3.Connection, path: Path) -> int:
    """Give a file's format; 0 for one without tables.

    Raises
    ------
    streams.errors.NewerFormat
        When a newer CHIPS wrote it.
    """
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    if found > FORMAT:
        raise NewerFormat(f"{path} has format {found}, this CHIPS knows {FORMAT}: use the newer CHIPS")
    return found


def check(db: sqlite3.Connection, path: Path) -> None:
    """Tell whether a file has our format.

    Raises
    ------
    streams.errors.Unavailable
        When it has an older one, and ``chips migrate`` must run.
    streams.errors.NewerFormat
        When a newer CHIPS wrote it.
    """
    found = stamped(db, path)
    if found < FORMAT:
        raise Unavailable(f"{path} has format {found}, this CHIPS writes {FORMAT}: run `chips migrate`")


def bring_up(db: sqlite3.Connection, path: Path) -> None:
    """Take the steps that a file lacks."""
    for number in range(stamped(db, path) + 1, FORMAT + 1):
        STEPS[number].before(db, path)
        db.execute("BEGIN IMMEDIATE")
        try:
            if stamped(db, path) < number:  # another `chips migrate` may have been first
                for statement in STEPS[number].statements:
                    db.execute(statement)
                db.execute(f"PRAGMA user_version={number}")
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise


def _set_inner_topics_apart(db: sqlite3.Connection, path: Path) -> None:
    """Move the inner topics from among the others into their own file, which is there and has tables."""
    if path.name != DURABLE:
        return
    marks = ",".join("?" * len(_APART))
    found = db.execute(
        f'SELECT id, topic, partition, retention_ms, "end" FROM partition WHERE topic IN ({marks})',  # noqa: S608 - marks
        _APART,
    ).fetchall()
    # Two files have no common transaction: written anew there, and only then taken out here.
    if found:
        with closing(sqlite3.connect(path.parent / INNER, isolation_level=None)) as inner:
            inner.execute("PRAGMA synchronous=FULL")
            inner.execute("BEGIN IMMEDIATE")
            for identity, *partition in found:
                _copy(db, identity, inner, partition)
            inner.execute("COMMIT")
    db.execute("BEGIN IMMEDIATE")
    for identity, *_ in found:
        db.execute("DELETE FROM record WHERE position>=? AND position<?", _positions(identity))
        db.execute("DELETE FROM committed WHERE partition=?", (identity,))
        db.execute("DELETE FROM partition WHERE id=?", (identity,))
    db.execute("COMMIT")
    # What was deleted, now or by retention before, still lies in free pages, and in the write-ahead log.
    db.execute("VACUUM")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _copy(db: sqlite3.Connection, old: int, inner: sqlite3.Connection, partition: Sequence[Any]) -> None:
    """Write a partition with its records and commits, in place of what an earlier try wrote of it."""
    for (there,) in inner.execute(
        "SELECT id FROM partition WHERE topic=? AND partition=?", partition[:2]
    ).fetchall():
        inner.execute("DELETE FROM record WHERE position>=? AND position<?", _positions(there))
        inner.execute("DELETE FROM committed WHERE partition=?", (there,))
        inner.execute("DELETE FROM partition WHERE id=?", (there,))
    new = inner.execute(
        'INSERT INTO partition(topic, partition, retention_ms, "end") VALUES (?, ?, ?, ?)', partition
    ).lastrowid
    moved = (new or 0) - old
    inner.executemany(
        "INSERT INTO record(position, timestamp, key, value, headers) VALUES (?, ?, ?, ?, ?)",
        db.execute(
            "SELECT position + (? << 40), timestamp, key, value, headers FROM record "
            "WHERE position>=? AND position<?",
            (moved, *_positions(old)),
        ),
    )
    inner.executemany(
        'INSERT INTO committed(app, partition, "offset") VALUES (?, ?, ?)',
        db.execute('SELECT app, partition + ?, "offset" FROM committed WHERE partition=?', (moved, old)),
    )


def _positions(identity: int) -> tuple[int, int]:
    """Give the first position of a partition, and that of the next."""
    return identity << 40, (identity + 1) << 40


STEPS: Final[dict[int, Step]] = {
    1: Step(
        (
            """CREATE TABLE IF NOT EXISTS partition(
                 id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, partition INTEGER NOT NULL,
                 retention_ms INTEGER NOT NULL, "end" INTEGER NOT NULL DEFAULT 0,
                 UNIQUE(topic, partition))""",
            """CREATE TABLE IF NOT EXISTS record(
                 position INTEGER PRIMARY KEY, timestamp INTEGER NOT NULL, key BLOB, value BLOB NOT NULL,
                 headers BLOB)""",
            """CREATE TABLE IF NOT EXISTS committed(
                 app TEXT NOT NULL, partition INTEGER NOT NULL, "offset" INTEGER NOT NULL,
                 PRIMARY KEY(app, partition)) WITHOUT ROWID""",
        )
    ),
    2: Step(before=_set_inner_topics_apart),
}
