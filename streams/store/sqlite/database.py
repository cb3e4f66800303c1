"""One SQLite file, its one writer thread and its readers. Knows SQL, nothing of what the tables mean.

What several tasks want written while a transaction is under way goes together into the next one: one fsync
for all (group commit). Each keeps its own savepoint, so that one that fails undoes only itself. Several
processes may have the file open; SQLite's lock takes turns.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from streams.errors import NoSpace, Unavailable

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

BUSY_S = 20.0
"""How long to wait for another process' transaction, s."""

GROUP = 256
"""Writes in one transaction."""

WAITING = 2_000
"""Writes that may wait; more callers wait in their own task. One whose caller gave up counts until it is
done."""

READERS = 2
ROWS = 500
"""Rows in one INSERT; SQLite takes 32,766 parameters."""


class _Write(NamedTuple):
    work: Work[Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    settled: Callable[[], None]


class Database:
    """The file. Connections are made with the first use, so that it can be opened before it is there."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._waiting: deque[_Write] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._room = asyncio.Semaphore(WAITING)
        self._writer = threading.Thread(target=self._write_on, name=f"{file.name} writer", daemon=True)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix=f"{file.name} reader")
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._writer.start()

    async def write(self, work: Work[T]) -> T:
        """Run `work` in the writer's transaction; durable when it returns.

        Raises
        ------
        Unavailable
            When the file is locked, full, or has no such table.
        Exception
            What `work` raises; then nothing of it is written.
        """
        await self._room.acquire()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._wake:
            if self._closing:
                self._room.release()
                raise Unavailable("The store is closed")
            self._waiting.append(_Write(work, loop, future, self._room.release))
            self._wake.notify()
        return await future

    async def read(self, work: Work[T]) -> T:
        """Run `work` on a reader's connection; it sees what was committed when it begins.

        Raises
        ------
        Unavailable
            When the file is not there, or has no such table.
        """
        if self._closing:
            raise Unavailable("The store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    def create(self) -> None:
        """Make the file and its folder; `migrate` alone calls it.

        Raises
        ------
        Unavailable
            When they cannot be made.
        """
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.file.touch(mode=0o640)
        except OSError as error:
            raise Unavailable(f"Cannot make {self.file}: {error.strerror}") from error

    async def close(self) -> None:
        """Write what waits, then let go of the file."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.to_thread(self._writer.join)
        await asyncio.to_thread(self._readers.shutdown)
        for connection in self._opened:
            connection.close()
        self._opened.clear()

    def _read(self, work: Work[T]) -> T:
        try:
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = self._local.connection = self._connect("PRAGMA query_only=1")
            return work(connection)
        except sqlite3.Error as error:
            raise _explain(error, self.file) from error

    def _connect(self, *pragmas: str) -> sqlite3.Connection:
        # Closed by another thread, when this one has ended: hence check_same_thread.
        connection = sqlite3.connect(
            f"file:{self.file}?mode=rw",
            uri=True,
            timeout=BUSY_S,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            # secure_delete: what is deleted or replaced is overwritten, so that a destroyed key is gone.
            # fullfsync: on macOS a plain fsync stops at the disk's cache.
            ours = (
                "PRAGMA journal_mode=WAL",
                "PRAGMA synchronous=FULL",
                "PRAGMA fullfsync=ON",
                "PRAGMA secure_delete=ON",
            )
            for pragma in (*ours, *pragmas):
                connection.execute(pragma)
        except sqlite3.Error:
            connection.close()
            raise
        self._opened.append(connection)
        return connection

    def _write_on(self) -> None:
        connection: sqlite3.Connection | None = None
        while True:
            with self._wake:
                while not self._waiting and not self._closing:
                    self._wake.wait()
                if not self._waiting:
                    return
                group = [self._waiting.popleft() for _ in range(min(GROUP, len(self._waiting)))]
            try:
                connection = connection or self._connect()
                results = _commit(connection, group)
            except sqlite3.Error as error:
                explained = _explain(error, self.file)
                results = [explained] * len(group)
            for write, result in zip(group, results, strict=True):
                _tell(write, result)


def _commit(connection: sqlite3.Connection, group: Sequence[_Write]) -> list[Any]:
    """Run a group in one transaction; give each one's result or exception."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        results = [_run(connection, write.work) for write in group]
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return results


def _run(connection: sqlite3.Connection, work: Work[Any]) -> Any:
    connection.execute("SAVEPOINT one")
    try:
        result = work(connection)
    except sqlite3.Error as error:
        if not connection.in_transaction:  # a full disk ends the whole transaction: all of the group failed
            raise
        result = _explain(error, Path("the store"))
    except Exception as error:  # noqa: BLE001 - whatever the work raises is its caller's, not this thread's
        result = error
    else:
        connection.execute("RELEASE one")
        return result
    connection.execute("ROLLBACK TO one")
    connection.execute("RELEASE one")
    return result


def _tell(write: _Write, result: Any) -> None:
    def settle() -> None:
        write.settled()
        if write.future.done():  # its task was cancelled; what was written stays written
            return
        if isinstance(result, Exception):
            write.future.set_exception(result)
        else:
            write.future.set_result(result)

    try:
        write.loop.call_soon_threadsafe(settle)
    except RuntimeError:  # the loop is closed: nobody waits any more
        return


def _explain(error: sqlite3.Error, file: Path) -> Unavailable:
    text = str(error)
    if "no such table" in text or "unable to open" in text:
        return Unavailable(f"{file} has no tables of CHIPS: run `chips migrate`")
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return NoSpace(f"No space for {file}: make room, then try again")
    return Unavailable(f"{file}: {text}")


def insert(connection: sqlite3.Connection, into: str, rows: Sequence[Sequence[Any]], after: str = "") -> None:
    """Insert rows in few, large statements.

    sqlite3 takes the interpreter's lock anew for every row of an executemany, which costs a busy event loop
    a millisecond each.

    Parameters
    ----------
    into
        ``INSERT INTO table(columns)``: a constant, never made from data.
    after
        What follows the values, as ``ON CONFLICT …``.
    """
    for start in range(0, len(rows), ROWS):
        chunk = rows[start : start + ROWS]
        values = ",".join([f"({','.join('?' * len(chunk[0]))})"] * len(chunk))
        connection.execute(f"{into} VALUES {values} {after}", list(chain.from_iterable(chunk)))


def first(rows: Iterable[Any]) -> Any:
    """Give the first row of a query, or None."""
    return next(iter(rows), None)
