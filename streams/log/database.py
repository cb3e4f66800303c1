"""The database files of an embedded bus: opening, pragmas, who may."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streams.errors import Refused, Unavailable
from streams.log.formats import DURABLE, INNER, LIVE, bring_up, check, stamped

FILES = (INNER, DURABLE, LIVE)
"""In the order in which they are made: topics may move from the second to the first."""

BUSY_S = 5.0
"""How long a writer waits for another process' transaction, s; each takes milliseconds."""


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
    streams.errors.Refused
        When the file is not this user's to read.
    streams.errors.NewerFormat
        When a newer CHIPS wrote it.
    """
    path = directory / file
    if not _there(path):
        raise Unavailable(f"There is no bus at {directory}: run `chips migrate`")
    with away(directory):
        db = _open(path)
        try:
            check(db, path)
        except BaseException:
            db.close()
            raise
    return db


def create(directory: Path, file: str) -> sqlite3.Connection:
    """Make or upgrade one of the files and open it. Only ``chips migrate`` calls it."""
    path = directory / file
    directory.mkdir(parents=True, exist_ok=True)
    if file == INNER:
        _make_for_the_owner_alone(path)
    with away(directory):
        if file == LIVE:
            _forget_broken(path)
        db = _open(path)
        try:
            stamped(db, path)
            db.execute("PRAGMA journal_mode=WAL")
            bring_up(db, path)
        except BaseException:
            db.close()
            raise
    return db


def create_all(directory: Path) -> None:
    """Make or upgrade a bus' files; refuses before it touches any when one is of a newer CHIPS."""
    for file in FILES:
        path = directory / file
        if file != LIVE and _there(path):
            with away(directory):
                db = _open(path)
                try:
                    stamped(db, path)
                finally:
                    db.close()
    for file in FILES:
        create(directory, file).close()


def _there(path: Path) -> bool:
    try:
        there = path.is_file()
    except PermissionError:
        there = True
    if there and not os.access(path, os.R_OK | os.W_OK):
        zone = "the inner zone's" if path.parent.name == Path(INNER).parent.name else "another's"
        raise Refused(f"{path} is {zone}: run this as the user whom it belongs to")
    return there


def _make_for_the_owner_alone(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        # SQLite gives the files that it makes beside it the same mode.
        path.touch(mode=0o600)
    except OSError as error:
        raise Unavailable(f"Cannot make {path}: {error.strerror}") from error


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    # FULL fsyncs each commit of the log; OFF never does: safe from a killed process, not from a power cut.
    db.execute(f"PRAGMA synchronous={'OFF' if path.name == LIVE else 'FULL'}")
    db.execute("PRAGMA fullfsync=ON")  # macOS: a plain fsync there stops at the disk's cache
    db.execute(f"PRAGMA journal_size_limit={64 * 1024 * 1024}")
    return db


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
