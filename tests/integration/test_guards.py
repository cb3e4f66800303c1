"""The guards of the consume loop and the transports, each with a worker that is really killed, on both tiers.

Each test has its guards in ``tests/guards/guards.py``; each is taken away, and the test seen to fail.
"""

from __future__ import annotations

import os
import signal
import sqlite3
from dataclasses import replace

import pytest
from msgspec import structs

from streams.partitioner import partition_of
from tests.buses import TIERS, bus_of
from tests.engines.run import fresh_engines
from tests.guards.driving import worker_on


@pytest.fixture(params=TIERS)
def bus(request, tmp_path):
    with bus_of(request.param, tmp_path, request) as made:
        yield made


async def test_handler_raises(bus, tmp_path):
    async with worker_on(bus, tmp_path) as worker:
        await worker.tell("a: ok 1", "b: raise x", "b: ok behind", "c: ok 2")
        worker.start()
        assert await worker.ended() == 75
        assert "end ok behind" not in worker.lines()
        assert await worker.letters() == []
        # The supervisor's restarts: tried again, and given up after so many lives; nothing else is lost.
        await worker.until_done(lives=3)
        letters = await worker.letters()
        assert [(letter.reason, letter.attempts, letter.offset) for letter in letters] == [
            ("failed", 3, 1),
            ("parked", 0, 2),
        ]
        assert set(await worker.effects()) == {"ok 1", "ok 2"}


async def test_kill_mid_batch(bus, tmp_path):
    async with worker_on(bus, tmp_path, partitions=2, handler_s=120.0) as worker:
        slow, *quick = keys_on(0, 31)
        (beside,) = keys_on(1, 1)
        await worker.tell(f"{slow}: wait", *(f"{key}: ok {n}" for n, key in enumerate(quick)))
        worker.start()
        for n in range(30):
            worker.until_line(f"end ok {n}")
        # A commit has passed for both partitions when it has for the one beside; what runs holds the
        # position of its own, though all behind it is done.
        await worker.tell(f"{beside}: ok beside")
        await worker.until_done(partition=1)
        assert "begin wait" in worker.lines()
        assert await worker.lag() in {-1, 31}
        worker.kill()
        worker.gate.touch()
        worker.start()
        worker.until_line("begin wait", 2)
        worker.until_line("end wait")
        assert {"wait", *(f"ok {n}" for n in range(30))} <= set(await worker.published())
        await worker.until_done()


def keys_on(partition, count):
    """Give keys whose messages come to lie on one of two partitions."""
    numbered = (f"k{n}" for n in range(10 * (count + 1)))
    return [key for key in numbered if partition_of(key.encode(), 2) == partition][:count]


async def test_poison(bus, tmp_path):
    async with worker_on(bus, tmp_path) as worker:
        await worker.tell("a: ok 1", "b: poison", "b: ok behind", "c: ok 2")
        await worker.tell("d: ", raw=b"\xff{not an event")
        await worker.tell("e: reject", "e: ok 3")
        worker.start()
        worker.until_line("end ok 3")
        await worker.until_done()
        letters = {letter.offset: letter for letter in reversed(await worker.letters())}  # the first of each
        assert {offset: letter.reason for offset, letter in letters.items()} == {
            1: "poison",
            2: "parked",
            4: "poison",
        }
        assert letters[4].original.value == b"\xff{not an event"
        assert letters[4].original.key == "d"
        assert "begin ok behind" not in worker.lines()
        assert worker.process.poll() is None
        assert set(await worker.effects()) == {"ok 1", "ok 2", "ok 3"}


async def test_slow_handler(bus, tmp_path):
    async with worker_on(bus, tmp_path, handler_s=1.0) as worker:
        await worker.tell("slow: sleep 600", "a: ok 1", "b: ok 2")
        worker.start()
        worker.until_line("begin sleep 600")
        assert await worker.ended(within_s=15) == 75
        assert {"end ok 1", "end ok 2"} <= set(worker.lines())
        await worker.until_done()
        letter, *again = await worker.letters()
        assert (letter.offset, letter.reason, letter.attempts) == (0, "failed", 3)
        # One whose acknowledgement was lost to a rebalance is told again, from the same place.
        assert {one.offset for one in again} <= {0}
        assert "took longer than 1 s" in letter.why


async def test_sigterm_mid_handler(bus, tmp_path):
    # Patient enough to try again, were a cancellation a reason.
    async with worker_on(bus, tmp_path, handler_s=60.0, away_s=30.0) as worker:
        await worker.tell("a: ok 1", "slow: tidy 2 x", "slow: ok behind")
        worker.start()
        worker.until_line("begin tidy 2 x")
        worker.until_line("end ok 1")
        assert worker.terminate() < 15
        assert worker.process.returncode == 0
        assert worker.lines().count("begin tidy 2 x") == 1
        assert "end tidy 2 x" not in worker.lines()
        assert await worker.lag() == 2
        worker.start()
        worker.until_line("end ok behind")
        assert worker.lines().count("begin tidy 2 x") == 2
        assert worker.lines().count("begin ok 1") == 1
        assert set(await worker.published()) == {"ok 1", "tidy 2 x", "ok behind"}
        await worker.until_done()


async def test_refused_send(bus, tmp_path):
    async with worker_on(bus, tmp_path, attempts=50) as worker:
        await worker.tell("a: ok 1")
        worker.start()
        worker.until_line("end ok 1")
        remove_out(worker)
        await worker.tell("a: ok 2")
        assert await worker.ended() == 75
        assert "end ok 2" not in worker.lines()
        assert await worker.letters() == []
        # Once it is there again, nothing is lost.
        await bus.make(worker.out)
        worker.start()
        worker.until_line("end ok 2", restart=True)
        assert "ok 2" in await worker.published()
        await worker.until_done()


def remove_out(worker):
    """Take the topic away behind the back of a producer that knows it."""
    if worker.bus.settings.bus_url.startswith("kafka"):
        worker.bus.delete(worker.out.name)
        return
    with sqlite3.connect(worker.folder / "data" / "bus" / "bus.db") as db:
        # The producer's writer still has the partition's number: its append meets a missing row.
        db.execute("DELETE FROM partition WHERE topic=?", (worker.out.name,))


async def test_database_away(bus, tmp_path):
    async with worker_on(bus, tmp_path, handler_s=20.0) as worker:
        await worker.tell("a: ok 1")
        worker.start()
        worker.until_line("end ok 1")
        store = tmp_path / "data" / "store.db"
        rename(store, "fact", "away")
        await worker.tell("a: ok 2", "a: ok 3")
        # More lives than a message may fail: an outage is not its fault.
        for _ in range(4):
            assert await worker.ended() == 75
            worker.start()
        assert "end ok 2" not in worker.lines()
        rename(store, "away", "fact")
        worker.until_line("end ok 2", restart=True)
        worker.until_line("end ok 3", restart=True)
        await worker.until_done()
        assert await worker.letters() == []
        assert set(await worker.effects()) == {"ok 1", "ok 2", "ok 3"}


@pytest.fixture
def store(bus, tmp_path):
    """Settings of a store that can go away as a whole, with the loop's own ledger; how it goes, and comes."""
    if bus.settings.bus_url.startswith("embedded"):
        tables = ("fact", "record")
        file = tmp_path / "data" / "store.db"
        yield (
            bus.settings,
            lambda: [rename(file, table, f"{table}_away") for table in tables],
            lambda: [rename(file, f"{table}_away", table) for table in tables],
        )
        return
    # Of this test alone: the run's is also others'.
    cassandra = fresh_engines(tmp_path / "engines").cassandra
    cassandra.start()
    try:
        settings = structs.replace(bus.settings, store=f"cassandra://{cassandra.address}/away")
        yield (
            settings,
            lambda: os.kill(cassandra.pid, signal.SIGSTOP),
            lambda: os.kill(cassandra.pid, signal.SIGCONT),
        )
    finally:
        cassandra.kill()


async def test_store_away(bus, store, tmp_path):
    settings, go_away, come_back = store
    async with worker_on(replace(bus, settings=settings), tmp_path, handler_s=60.0) as worker:
        await worker.tell("a: ok 1")
        worker.start()
        worker.until_line("end ok 1")
        go_away()
        await worker.tell("a: ok 2", "b: ok 3")
        # The second life cannot even read its ledger, or open the store.
        for _ in range(2):
            assert await worker.ended() == 75
            worker.start()
        assert {"end ok 2", "end ok 3"}.isdisjoint(worker.lines())
        come_back()
        worker.until_line("end ok 2", restart=True)
        worker.until_line("end ok 3", restart=True)
        await worker.until_done()
        assert await worker.letters() == []
        assert set(await worker.effects()) == {"ok 1", "ok 2", "ok 3"}


def rename(store, before, after):
    """Take a table away, or bring it back.

    While the loop's own ledger stays, an outage must not be counted against a message, though it could.
    """
    with sqlite3.connect(store) as db:
        db.execute(f"ALTER TABLE {before} RENAME TO {after}")
