"""The guards of the consume loop and the transports, each with a worker that is really killed, on both tiers.

Each test has its guards in ``tests/guards/switch_off.py``, which takes them away one by one and sees it fail.
"""

from __future__ import annotations

import sqlite3
import time

import pytest

from tests.buses import TIERS, bus_of
from tests.guards.driving import worker_on


@pytest.fixture(params=TIERS)
def bus(request, tmp_path):
    with bus_of(request.param, tmp_path, request) as made:
        yield made


async def test_handler_raises(bus, tmp_path):
    async with worker_on(bus, tmp_path) as worker:
        await worker.tell("a: ok 1", "b: raise x", "b: ok behind", "c: ok 2")
        worker.start()
        assert worker.ended() == 75
        assert "end ok behind" not in worker.lines()
        assert await worker.letters() == []
        # The supervisor's restarts: tried again, and given up after so many lives; nothing else is lost.
        await worker.until_done()
        letters = await worker.letters()
        assert [(letter.reason, letter.attempts, letter.offset) for letter in letters] == [
            ("failed", 3, 1),
            ("parked", 0, 2),
        ]
        assert set(await worker.effects()) == {"ok 1", "ok 2"}


async def test_kill_mid_batch(bus, tmp_path):
    async with worker_on(bus, tmp_path, handler_s=15.0) as worker:
        await worker.tell("slow: sleep 5", *(f"k{n}: ok {n}" for n in range(30)))
        worker.start()
        for n in range(30):
            worker.until_line(f"end ok {n}")
        # What runs holds the position, though all behind it is done and a commit has passed.
        deadline = time.monotonic() + 2.5
        while time.monotonic() < deadline:
            assert await worker.lag() in {-1, 31}
        worker.kill()
        worker.start()
        worker.until_line("begin sleep 5", 2)
        worker.until_line("end sleep 5")
        assert {"sleep 5", *(f"ok {n}" for n in range(30))} <= set(await worker.published())
        await worker.until_done()


async def test_poison(bus, tmp_path):
    async with worker_on(bus, tmp_path) as worker:
        await worker.tell("a: ok 1", "b: poison", "b: ok behind", "c: ok 2")
        await worker.tell("d: ", raw=b"\xff{not an event")
        await worker.tell("e: reject", "e: ok 3")
        worker.start()
        worker.until_line("end ok 3")
        await worker.until_done()
        letters = {letter.offset: letter for letter in await worker.letters()}
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
        assert worker.ended() == 75
        assert {"end ok 1", "end ok 2"} <= set(worker.lines())
        await worker.until_done()
        (letter,) = await worker.letters()
        assert (letter.reason, letter.attempts) == ("failed", 3)
        assert "took longer than 1 s" in letter.why


async def test_sigterm_mid_handler(bus, tmp_path):
    async with worker_on(bus, tmp_path, handler_s=60.0) as worker:
        await worker.tell("a: ok 1", "slow: sleep 2 x", "slow: ok behind")
        worker.start()
        worker.until_line("begin sleep 2 x")
        worker.until_line("end ok 1")
        assert worker.terminate() < 15
        assert worker.process.returncode == 0
        assert "end sleep 2 x" not in worker.lines()
        assert await worker.lag() == 2
        worker.start()
        worker.until_line("end ok behind")
        assert worker.lines().count("begin sleep 2 x") == 2
        assert worker.lines().count("begin ok 1") == 1
        assert set(await worker.published()) == {"ok 1", "sleep 2 x", "ok behind"}
        await worker.until_done()


async def test_refused_send(bus, tmp_path):
    async with worker_on(bus, tmp_path, attempts=50) as worker:
        await worker.tell("a: ok 1")
        worker.start()
        worker.until_line("end ok 1")
        remove_out(worker)
        await worker.tell("a: ok 2")
        assert worker.ended() == 75
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
            assert worker.ended() == 75
            worker.start()
        assert "end ok 2" not in worker.lines()
        rename(store, "away", "fact")
        worker.until_line("end ok 2", restart=True)
        worker.until_line("end ok 3", restart=True)
        await worker.until_done()
        assert await worker.letters() == []
        assert set(await worker.effects()) == {"ok 1", "ok 2", "ok 3"}


def rename(store, before, after):
    """Take a table away, or bring it back.

    That of the loop's own ledger stays: an outage must not be counted against a message even where it could.
    """
    with sqlite3.connect(store) as db:
        db.execute(f"ALTER TABLE {before} RENAME TO {after}")
