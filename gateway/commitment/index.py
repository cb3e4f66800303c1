"""The index of held objects on the disk: a table in SQLite, whole after a power loss."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import structlog

from streams.errors import NewerFormat, Unavailable

log = structlog.get_logger()

FORMAT = 1
_AT_ONCE = 500
"""Instances of one query."""
_DAMAGED = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))
_TABLE = """
CREATE TABLE IF NOT EXISTS held (
    project TEXT, instance TEXT, sop_class_uid TEXT, sha256 TEXT, series TEXT, PRIMARY KEY (project, instance)
) WITHOUT ROWID
"""
T = TypeVar("T")


class Held(NamedTuple):
    """An object in the vault."""

    sop_class_uid: str
    sha256: str
    series: str
    """Key of its series."""


Place = tuple[str, str]
"""Project, and the instance's key."""


class Index:
    """Safe for many threads of one process.

    One that can't be had now, as on a full disk, is opened when it can. One that does not read back is put
    aside, and a new one is begun.

    Parameters
    ----------
    file
        Made (0600) when missing.

    Raises
    ------
    streams.errors.NewerFormat
        When a newer CHIPS wrote it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._closed = False
        try:
            self._done(lambda _: None)
        except Unavailable as error:
            log.warning("holdings.not_opened", error=str(error))

    def put(self, rows: Iterable[tuple[Place, Held]]) -> None:
        """Write rows, all or none, over what was there; raises `streams.errors.Unavailable`."""
        values = [(*place, *held) for place, held in rows]

        def write(db: sqlite3.Connection) -> None:
            with db:
                db.executemany("INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?, ?)", values)

        self._done(write)

    def get(self, project: str, instances: Sequence[str]) -> dict[str, Held]:
        """Give what is known of instances; raises `streams.errors.Unavailable`."""
        found: dict[str, Held] = {}
        for start in range(0, len(instances), _AT_ONCE):
            some = instances[start : start + _AT_ONCE]
            wanted = ", ".join("?" * len(some))
            query = "SELECT instance, sop_class_uid, sha256, series FROM held WHERE project = ?"
            rows = self._done(_read(f"{query} AND instance IN ({wanted})", (project, *some)))
            found |= {instance: Held(*held) for instance, *held in rows}
        return found

    def close(self) -> None:
        """Close it; nobody finds it any more."""
        with self._lock:
            self._closed = True
            self._let_go()

    def _done(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do something with the open index, with a new one where it does not read back."""
        with self._lock:
            try:
                try:
                    return work(self._opened())
                except sqlite3.DatabaseError as error:
                    if getattr(error, "sqlite_errorcode", 0) not in _DAMAGED:  # absent when Python found it
                        raise
                    self._put_aside()
                    return work(self._opened())
            except (sqlite3.Error, OSError) as error:
                raise Unavailable(f"{self._file} can't be used: {error}. See to its disk") from error

    def _opened(self) -> sqlite3.Connection:
        if self._closed:
            raise Unavailable(f"{self._file} is closed: the gateway ends")
        if self._db is None:
            self._db = _open(self._file)
        return self._db

    def _let_go(self) -> None:
        if self._db:
            self._db.close()
        self._db = None

    def _put_aside(self) -> None:
        log.error("holdings.put_aside", file=self._file.name)
        self._let_go()
        for name in (self._file.name, f"{self._file.name}-wal", f"{self._file.name}-shm"):
            with contextlib.suppress(FileNotFoundError):
                self._file.with_name(name).replace(self._file.with_name(f"{name}.damaged"))


def _read(query: str, values: tuple[str, ...]) -> Callable[[sqlite3.Connection], list[tuple[str, ...]]]:
    return lambda db: db.execute(query, values).fetchall()


def _open(file: Path) -> sqlite3.Connection:
    file.touch(mode=0o600)  # SQLite gives the files beside it the same mode
    db = sqlite3.connect(file, timeout=5.0, check_same_thread=False)
    try:
        if not _stamped(db, file):
            db.execute("PRAGMA journal_mode=WAL")
            db.execute(_TABLE)
            db.execute(f"PRAGMA user_version={FORMAT}")
        db.execute("PRAGMA synchronous=NORMAL")  # syncs when the log goes into the table
    except BaseException:
        db.close()
        raise
    return db


def _stamped(db: sqlite3.Connection, file: Path) -> bool:
    """Tell whether it is one of ours, not a new one."""
    (found,) = db.execute("PRAGMA user_version").fetchone()
    if found > FORMAT:
        raise NewerFormat(
            f"{file} has format {found}, this CHIPS knows {FORMAT}: "
            "run the CHIPS that wrote it, or a newer one"
        )
    return bool(found)
