"""What SQLite's way of writing must stand: kill -9, several processes, a full file, a failing neighbour."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from schemas.envelope import parse_stream
from streams.errors import Conflict, NoSpace, Unavailable
from streams.store.sqlite.store import SqliteStore
from tests.contract.making import event, events, new_stream

ROOT = Path(__file__).parents[2]

APPENDING = """
import asyncio, sys
from pathlib import Path
from streams.store.sqlite.store import SqliteStore
from tests.contract.making import events, new_stream

async def writer(store, stream):
    version = 0
    while True:
        count = version % 3 + 1
        await store.events.append(stream, version, events(stream, version, count))
        version += count
        print(stream, version, flush=True)

async def main():
    store = SqliteStore(Path(sys.argv[1]))
    await asyncio.gather(*(writer(store, new_stream()) for _ in range(6)))

asyncio.run(main())
"""

DYING = """
import asyncio, itertools, os, signal, sys
from pathlib import Path
from streams.store.sqlite.database import Database
from streams.store.sqlite.store import SqliteStore
from tests.contract.making import events

async def main():
    store, stream, left = SqliteStore(Path(sys.argv[1])), sys.argv[2], itertools.count()
    def trace(statement):
        if next(left) == int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)
    await store._database.write(lambda db: db.set_trace_callback(trace))
    for version in itertools.count(0, 3):
        await store.events.append(stream, version, events(stream, version, 3))
        print(version + 3, flush=True)

asyncio.run(main())
"""

RACING = """
import asyncio, sys
from pathlib import Path
from streams.errors import Conflict
from streams.store.sqlite.store import SqliteStore
from tests.contract.making import events

async def main():
    store, stream, won = SqliteStore(Path(sys.argv[1])), sys.argv[2], 0
    while won < 60:
        version = await store.events.version(stream)
        try:
            await store.events.append(stream, version, events(stream, version, 2))
            won += 1
        except Conflict:
            pass
    await store.close()

asyncio.run(main())
"""


@pytest.fixture
async def store(tmp_path):
    opened = SqliteStore(tmp_path / "store.db")
    await opened.migrate()
    yield opened
    await opened.close()


def started(program: str, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, cwd=ROOT)


async def stored(store, stream):
    return [found async for found in store.events.read(stream)]


@pytest.mark.parametrize("seed", range(3))
async def test_what_was_acknowledged_is_there_after_kill_9(store, tmp_path, seed):
    print(f"seed {seed}")
    child = started(APPENDING, str(tmp_path / "store.db"))
    acknowledged: dict[str, int] = {}
    wanted = 200 + random.Random(seed).randrange(400)

    def note(line: bytes) -> None:
        stream, version = line.split()
        acknowledged[stream.decode()] = int(version)

    lines = 0
    while lines < wanted:
        line = await asyncio.to_thread(child.stdout.readline)
        assert line, "the writer ended by itself"
        note(line)
        lines += 1
    os.kill(child.pid, signal.SIGKILL)
    rest = await asyncio.to_thread(child.stdout.read)
    for line in rest.splitlines(keepends=True):
        if line.endswith(b"\n"):
            note(line)
    assert await asyncio.to_thread(child.wait) == -signal.SIGKILL
    child.stdout.close()
    assert len(acknowledged) == 6
    for stream, version in acknowledged.items():
        found = [e.version for e in await stored(store, stream)]
        assert found == list(range(1, len(found) + 1))
        assert len(found) >= version
        # Whole appends: what the writer had reached, and at most the one append under way behind it.
        assert len(found) in {version, version + version % 3 + 1}
        await store.events.append(stream, len(found), events(stream, len(found), 1))


async def test_an_append_is_there_whole_or_not_at_all_wherever_its_process_is_killed(store, tmp_path):
    """Before each statement of an append in turn, for a kill at random seldom meets the moment."""
    for moment in range(40, 50):
        stream = new_stream()
        child = started(DYING, str(tmp_path / "store.db"), stream, str(moment))
        told, _ = await asyncio.to_thread(child.communicate, timeout=60)
        assert child.returncode == -signal.SIGKILL
        acknowledged = int(told.split()[-1])
        found = [e.version for e in await stored(store, stream)]
        assert found in (list(range(1, acknowledged + 1)), list(range(1, acknowledged + 4)))


async def test_several_processes_append_to_one_stream(store, tmp_path):
    stream = new_stream()
    for child in [started(RACING, str(tmp_path / "store.db"), stream) for _ in range(3)]:
        await asyncio.to_thread(child.communicate, timeout=120)
        assert child.returncode == 0
    assert [e.version for e in await stored(store, stream)] == list(range(1, 361))


async def test_the_file_is_durable_and_shared(store, tmp_path):
    stream = new_stream()
    await store.events.append(stream, 0, events(stream, 0, 1))
    database = store._database
    assert await database.write(lambda db: db.execute("PRAGMA synchronous").fetchone()) == (2,)
    assert await database.read(lambda db: db.execute("PRAGMA journal_mode").fetchone()) == ("wal",)
    assert (tmp_path / "store.db").stat().st_mode & 0o777 == 0o640


async def test_one_write_that_fails_undoes_only_itself(store):
    """They share a transaction: the writer is held up until all of them wait."""
    held = asyncio.get_running_loop().create_future()
    go = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(db):
        loop.call_soon_threadsafe(held.set_result, None)
        asyncio.run_coroutine_threadsafe(go.wait(), loop).result(30)

    blocker = asyncio.create_task(store._database.write(hold))
    await held

    def half(db):
        db.execute("INSERT INTO stream(category, project, stream) VALUES ('feed', 'half', 'gone')")
        raise RuntimeError("in the middle")

    def wrong(db):
        db.execute("INSERT INTO stream(category, project, stream) VALUES ('feed', 'wrong', 'gone')")
        db.execute("INSERT INTO nowhere VALUES (1)")

    stream, other = new_stream(), new_stream()
    tasks = [
        asyncio.create_task(coroutine)
        for coroutine in (
            store.events.append(stream, 0, events(stream, 0, 2)),
            store._database.write(half),
            store.events.append(stream, 5, events(stream, 5, 1)),
            store._database.write(wrong),
            store.events.append(other, 0, events(other, 0, 3)),
        )
    ]
    while len(store._database._waiting) < len(tasks):
        await asyncio.sleep(0)
    go.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    await blocker
    assert [type(result).__name__ for result in results] == [
        "Appended",
        "RuntimeError",
        "Conflict",
        "Unavailable",
        "Appended",
    ]
    assert (await store.events.version(stream), await store.events.version(other)) == (2, 3)
    assert {found async for found in store.events.streams("feed")} == {stream, other}


async def test_a_full_file_is_no_space_and_works_again_with_room(store):
    stream = new_stream()
    await store.events.append(stream, 0, events(stream, 0, 1))

    def pages(most):
        return lambda db: db.execute(f"PRAGMA max_page_count={most}").fetchone()

    (count,) = await store._database.read(lambda db: db.execute("PRAGMA page_count").fetchone())
    await store._database.write(pages(count + 3))
    version = 1

    async def fill():
        nonlocal version
        while version < 50:
            await store.events.append(stream, version, [event(stream, version + 1, "x" * 4000)])
            version += 1

    with pytest.raises(NoSpace):
        await fill()
    assert await store.events.version(stream) == version
    await store._database.write(pages(1_000_000))
    await store.events.append(stream, version, events(stream, version, 1))
    assert [e.version for e in await stored(store, stream)] == list(range(1, version + 2))


async def test_a_file_locked_by_another_is_unavailable(store, tmp_path, monkeypatch):
    monkeypatch.setattr("streams.store.sqlite.database.BUSY_S", 0.2)
    impatient = SqliteStore(tmp_path / "store.db")
    stream = new_stream()
    locker = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    try:
        locker.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked"):
            await impatient.events.append(stream, 0, events(stream, 0, 1))
        assert await impatient.events.version(stream) == 0
        locker.execute("ROLLBACK")
        await impatient.events.append(stream, 0, events(stream, 0, 1))
    finally:
        locker.close()
        await impatient.close()


async def test_closing_writes_what_waits_and_then_refuses(store, tmp_path):
    streams = [new_stream() for _ in range(50)]
    opened = SqliteStore(tmp_path / "store.db")
    appends = [asyncio.create_task(opened.events.append(s, 0, events(s, 0, 1))) for s in streams]
    await asyncio.sleep(0)
    await opened.close()
    await asyncio.gather(*appends)
    for stream in streams:
        assert await store.events.version(stream) == 1
    with pytest.raises(Unavailable, match="closed"):
        await opened.events.version(streams[0])
    with pytest.raises(Unavailable, match="closed"):
        await opened.events.append(streams[0], 1, events(streams[0], 1, 1))


async def test_a_task_that_gives_up_does_not_harm_the_writer(store):
    stream = new_stream()
    giving_up = asyncio.create_task(store.events.append(stream, 0, events(stream, 0, 1)))
    await asyncio.sleep(0)
    giving_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await giving_up
    again = new_stream()
    await store.events.append(again, 0, events(again, 0, 1))
    assert await store.events.version(stream) in {0, 1}
    assert parse_stream(stream)[0] == "feed"


async def test_writers_that_gave_up_leave_no_room_until_the_disk_answers(tmp_path, monkeypatch):
    monkeypatch.setattr("streams.store.sqlite.database.WAITING", 5)
    hanging = SqliteStore(tmp_path / "store.db")
    await hanging.migrate()
    database, hangs = hanging._database, threading.Event()
    blocker = asyncio.create_task(database.write(lambda _: hangs.wait()))
    for _ in range(4):
        tasks = [asyncio.create_task(database.write(lambda _: None)) for _ in range(10)]
        await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert len(database._waiting) <= 5
    hangs.set()
    await blocker
    async with asyncio.timeout(10):
        while database._room._value < 5:
            await asyncio.sleep(0.01)
        stream = new_stream()
        await asyncio.gather(*(hanging.records.put("k", str(n), b"x") for n in range(40)))
        await hanging.events.append(stream, 0, events(stream, 0, 1))
    await hanging.close()
    assert database._room._value == 5


async def test_a_damaged_file_is_unavailable_and_left_alone(tmp_path):
    file = tmp_path / "store.db"
    file.write_bytes(b"this is not a database, and it is long enough to look" * 100)
    before = file.read_bytes()
    store = SqliteStore(file)
    with pytest.raises(Unavailable):
        await store.check()
    with pytest.raises(Unavailable):
        await store.migrate()
    await store.close()
    assert file.read_bytes() == before


def test_conflict_is_something_to_try_again():
    assert issubclass(Conflict, Unavailable)


async def test_what_is_replaced_or_deleted_is_not_left_in_the_file(tmp_path, monkeypatch):
    """A destroyed key must be gone from the disk, not only from the table."""
    connect = sqlite3.connect

    def lax(*args, **options):
        # Some builds of SQLite, as Debian's, overwrite what is deleted without being told; most do not.
        connection = connect(*args, **options)
        connection.execute("PRAGMA secure_delete=OFF")
        return connection

    monkeypatch.setattr(sqlite3, "connect", lax)
    file, gone, kept = tmp_path / "store.db", os.urandom(64).hex(), os.urandom(64).hex()
    store = SqliteStore(file)
    await store.migrate()
    for key in ("replaced", "deleted"):
        await store.records.put("subject_key", key, f"{key} {gone}".encode())
    await store.records.put("subject_key", "kept", kept.encode())
    assert f"replaced {gone}".encode() in await flushed(file)
    await store.records.put("subject_key", "replaced", b"{}")
    await store.records.delete("subject_key", "deleted")
    left = await flushed(file)
    await store.close()
    assert kept.encode() in left
    assert gone.encode() not in left


async def flushed(file: Path) -> bytes:
    """Give the bytes of the file and its log, the log being written back and emptied."""

    def flush() -> bytes:
        with contextlib.closing(sqlite3.connect(file)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))

    return await asyncio.to_thread(flush)
