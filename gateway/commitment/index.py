"""The index of held objects on the disk: a table in SQLite, whole after a power loss."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import structlog

from streams.errors import NewerFormat, Unavailable

log = structlog.get_logger()

FORMAT = 1
_AT_ONCE = 500
"""Instances of one query."""
_TABLE = """
CREATE TABLE IF NOT EXISTS held (
    project TEXT, instance TEXT, sop_class_uid TEXT, sha256 TEXT, series TEXT, PRIMARY KEY (project, instance)
) WITHOUT ROWID
"""


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

    Parameters
    ----------
    file
        Made (0600) when missing. One that does not read back is put aside, and a new one is begun.

    Raises
    ------
    streams.errors.NewerFormat
        When a newer CHIPS wrote it.
    streams.errors.Unavailable
        When it can't be opened.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        with self._explained():
            try:
                self._db = _open(file)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):  # busy, full, not to be had: it may be whole
                    raise
                log.error("holdings.put_aside", file=file.name)  # noqa: TRY400 - the error says nothing more
                _put_aside(file)
                self._db = _open(file)

    def put(self, rows: Iterable[tuple[Place, Held]]) -> None:
        """Write rows, all or none, over what was there; raises `streams.errors.Unavailable`."""
        values = ((*place, *held) for place, held in rows)
        with self._explained(), self._lock, self._db:
            self._db.executemany("INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?, ?)", values)

    def get(self, project: str, instances: Sequence[str]) -> dict[str, Held]:
        """Give what is known of instances; raises `streams.errors.Unavailable`."""
        found: dict[str, Held] = {}
        for start in range(0, len(instances), _AT_ONCE):
            some = instances[start : start + _AT_ONCE]
            wanted = ", ".join("?" * len(some))
            query = (
                "SELECT instance, sop_class_uid, sha256, series FROM held WHERE project = ? AND instance IN"
            )
            with self._explained(), self._lock:
                rows = self._db.execute(f"{query} ({wanted})", (project, *some)).fetchall()
            found |= {instance: Held(*held) for instance, *held in rows}
        return found

    def close(self) -> None:
        """Close it."""
        self._db.close()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise Unavailable(f"{self._file} can't be used: {error}. See to its disk and owner") from error


def _open(file: Path) -> sqlite3.Connection:
    file.touch(mode=0o600)  # SQLite gives the files beside it the same mode
    db = sqlite3.connect(file, timeout=5.0, check_same_thread=False)
    try:
        _check(db, file)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")  # syncs when the log goes into the table
        db.execute(_TABLE)
        db.execute(f"PRAGMA user_version={FORMAT}")
    except BaseException:
        db.close()
        raise
    return db


def _check(db: sqlite3.Connection, file: Path) -> None:
    (found,) = db.execute("PRAGMA user_version").fetchone()
    if found > FORMAT:
        raise NewerFormat(
            f"{file} has format {found}, this CHIPS knows {FORMAT}: "
            "run the CHIPS that wrote it, or a newer one"
        )


def _put_aside(file: Path) -> None:
    for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
        with contextlib.suppress(FileNotFoundError):
            file.with_name(name).replace(file.with_name(f"{name}.damaged"))
