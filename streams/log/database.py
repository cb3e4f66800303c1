"""The two database files of an embedded bus: opening, pragmas, format stamp."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streams.errors import NewerFormat, Unavailable

FORMAT = 1
"""Format of the files; a newer one is refused, an older one is brought up by ``chips migrate``."""

DURABLE = "bus.db"
LIVE = "live.db"

BUSY_S = 5.0
"""How long a writer waits for another process' transaction, s; each takes milliseconds."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS partition(
  id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, partition INTEGER NOT NULL,
  retention_ms INTEGER NOT NULL, "end" INTEGER NOT NULL DEFAULT 0, UNIQUE(topic, partition));
CREATE TABLE IF NOT EXISTS record(
  position INTEGER PRIMARY KEY, timestamp INTEGER NOT NULL, key BLOB, value BLOB NOT NULL, headers BLOB);
CREATE TABLE IF NOT EXISTS committed(
  app TEXT NOT NULL, partition INTEGER NOT NULL, "offset" INTEGER NOT NULL,
  PRIMARY KEY(app, partition)) WITHOUT ROWID;
"""


@contextmanager
def away(directory: Path) -> Iterator[None]:
    """Turn SQLite's errors (locked, full, unreadable) into `Unavailable`."""
    try:
        yield
    except sqlite3.Error as error:
        raise Unavailable(f"The bus at {directory} does not answer: {error}. Is its disk full?") from error


def connect(directory: Path, file: str) -> sqlite3.Connection:
    """Open one of the files that ``chips migrate`` made; use it in this thread only.

    Raises
    ------
    streams.errors.Unavailable
        When there is no bus yet, or it does not answer.
    streams.errors.NewerFormat
        When a newer CHIPS wrote it.
    """
    path = directory / file
    if not path.is_file():
        raise Unavailable(f"There is no bus at {directory}: run `chips migrate`")
    with away(directory):
        db = _open(path, durable=file == DURABLE)
        try:
            found = _stamp(db, path)
        except NewerFormat:
            db.close()
            raise
        if found != FORMAT:
            db.close()
            raise Unavailable(f"{path} has format {found}, this CHIPS writes {FORMAT}: run `chips migrate`")
    return db


def create(directory: Path, file: str) -> sqlite3.Connection:
    """Make or upgrade one of the files and open it. Only ``chips migrate`` calls it."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / file
    with away(directory):
        if file == LIVE:
            _forget_broken(path)
        db = _open(path, durable=file == DURABLE)
        try:
            _stamp(db, path)
        except NewerFormat:
            db.close()
            raise
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA.split(";\n"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version={FORMAT}")
        db.execute("COMMIT")
    return db


def _open(path: Path, *, durable: bool) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    # FULL fsyncs each commit of the log; OFF never does: safe from a killed process, not from a power cut.
    db.execute(f"PRAGMA synchronous={'FULL' if durable else 'OFF'}")
    db.execute(f"PRAGMA journal_size_limit={64 * 1024 * 1024}")
    return db


def _stamp(db: sqlite3.Connection, path: Path) -> int:
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    if found > FORMAT:
        raise NewerFormat(f"{path} has format {found}, this CHIPS knows {FORMAT}: use the newer CHIPS")
    return found


def _forget_broken(path: Path) -> None:
    """Drop a live file that a power cut tore; what was in it may be dropped."""
    if not path.is_file():
        return
    db = sqlite3.connect(path)
    try:
        whole = db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
    except sqlite3.DatabaseError:
        whole = False
    finally:
        db.close()
    if not whole:
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            path.with_name(name).unlink(missing_ok=True)
