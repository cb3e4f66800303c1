"""The loop, over a store in memory and deliveries made by hand."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime

import pytest

from agents.consume import IN_FLIGHT, ConsumeLoop, Delivery
from agents.spec import AgentSpec, Patience
from schemas.catalogue import dead_letters
from schemas.envelope import encode
from schemas.feed import CommentPosted
from schemas.make import first
from streams.bus import Position, Record
from streams.dead_letters import parked_kind, read
from streams.errors import Poison, Refused, Rejected, Unavailable
from streams.store.memory.store import MemoryStore

NOW = datetime(2026, 3, 4, tzinfo=UTC)
PATIENT = Patience(away_s=0.3, failing_s=0.1, handler_s=0.2, attempts=3)
COMMENT = "11111111-1111-7111-8111-111111111111"


class Sent:
    """A producer that remembers."""

    def __init__(self):
        self.messages = []
        self.error = None

    async def send(self, message):
        if self.error:
            raise self.error
        self.messages.append(message)
        return Position(message.topic, 0, len(self.messages) - 1)

    @property
    def letters(self):
        return [
            read(Record(m.topic, 0, n, 0, m.key.encode(), m.value, m.headers))
            for n, m in enumerate(self.messages)
        ]


class Bench:
    """A loop, what it was given, what it acknowledged."""

    def __init__(self, handle, store=None, patience=PATIENT, handler_s=None):
        self.store = store or MemoryStore()
        self.sent = Sent()
        self.acknowledged = []
        self.handled = []
        self.offsets = itertools.count()

        async def handling(event):
            self.handled.append(event.data.text)
            await handle(event)

        self.loop = ConsumeLoop(
            AgentSpec("feeds", ["chips.feed.v1"], handling, handler_s=handler_s),
            records=self.store.records,
            producer=self.sent,
            clock=lambda: NOW,
            patience=patience,
        )

    def delivery(self, text, key=b"k", *, value=None, generation=0):
        offset = next(self.offsets)
        data = CommentPosted(comment=COMMENT, text=text)
        event = first(
            data,
            event_id=COMMENT,
            source="/chips/test",
            subject="feed/p/f",
            time=NOW,
            partitionkey=(key or b"k").decode(),
        )
        record = Record("chips.feed.v1", 0, offset, 0, key, encode(event) if value is None else value, ())
        return Delivery(record, lambda: self.acknowledged.append(text), generation)

    async def run(self, *deliveries):
        async def coming():
            for delivery in deliveries:
                yield delivery

        async with asyncio.timeout(10):
            await self.loop.run(coming())


async def nothing(_event):
    pass


def raising(error, times=None):
    left = itertools.count(1)

    async def handle(event):
        if event.data.text.startswith("bad") and (times is None or next(left) <= times):
            raise error

    return handle


async def test_what_was_handled_is_acknowledged_in_the_order_of_its_key():
    bench = Bench(nothing)
    await bench.run(*(bench.delivery(str(n), key=f"k{n % 3}".encode()) for n in range(300)))
    assert sorted(bench.acknowledged, key=int) == [str(n) for n in range(300)]
    for key in range(3):
        assert [int(n) for n in bench.handled if int(n) % 3 == key] == list(range(key, 300, 3))


async def test_keys_run_side_by_side_and_one_key_does_not():
    running, most = {}, {}
    both = asyncio.Event()

    async def handle(event):
        key = event.partitionkey
        running[key] = running.get(key, 0) + 1
        most[key] = max(most.get(key, 0), running[key])
        if len(running) == 2:
            both.set()
        await both.wait()
        await asyncio.sleep(0)
        running[key] -= 1

    bench = Bench(handle, patience=Patience())
    await bench.run(*(bench.delivery(str(n), key=b"ab"[n % 2 : n % 2 + 1]) for n in range(6)))
    assert most == {"a": 1, "b": 1}


async def test_an_undecodable_message_is_dead_lettered_and_then_acknowledged():
    bench = Bench(nothing)
    await bench.run(bench.delivery("1", value=b"{not json"), bench.delivery("2", key=b"other"))
    (letter,) = bench.sent.letters
    assert (letter.reason, letter.offset, letter.original.value, letter.at) == (
        "poison",
        0,
        b"{not json",
        NOW,
    )
    assert bench.sent.messages[0].topic == dead_letters("feeds").name
    assert bench.handled == ["2"]
    assert sorted(bench.acknowledged) == ["1", "2"]


async def test_poison_parks_its_key_until_it_is_released():
    bench = Bench(raising(Poison("no pixels")))
    await bench.run(bench.delivery("bad"), bench.delivery("after"), bench.delivery("else", key=b"other"))
    assert [(letter.reason, letter.why) for letter in bench.sent.letters] == [
        ("poison", "Poison: no pixels"),
        ("parked", "an earlier message of this key was given up"),
    ]
    assert sorted(bench.handled) == ["bad", "else"]
    assert sorted(bench.acknowledged) == ["after", "bad", "else"]
    # Another worker, after a restart, knows it too; and hears of the release.
    again = Bench(nothing, bench.store)
    await again.run(again.delivery("later"))
    assert [letter.reason for letter in again.sent.letters] == ["parked"]
    await bench.store.records.delete(parked_kind("feeds"), "k")
    await again.run(again.delivery("released"))
    assert again.handled == ["released"]


async def test_a_new_assignment_learns_what_another_worker_parked():
    store = MemoryStore()
    bench = Bench(nothing, store)

    async def coming():
        yield bench.delivery("mine", generation=1)
        while not bench.acknowledged:
            await asyncio.sleep(0)
        await store.records.put(parked_kind("feeds"), "k", b"{}")
        yield bench.delivery("theirs", generation=2)

    await bench.loop.run(coming())
    assert bench.handled == ["mine"]
    assert [letter.reason for letter in bench.sent.letters] == ["parked"]


async def test_messages_without_a_key_are_not_parked():
    bench = Bench(raising(Poison("no")))
    await bench.run(bench.delivery("bad", key=None), bench.delivery("good", key=None))
    assert bench.handled == ["bad", "good"]
    assert [letter.reason for letter in bench.sent.letters] == ["poison"]


async def test_a_letter_that_cannot_be_sent_leaves_its_message_unacknowledged_and_unparked():
    bench = Bench(raising(Poison("no")))
    bench.sent.error = Unavailable("bus away")
    with pytest.raises(Unavailable):
        await bench.run(bench.delivery("bad"))
    assert bench.acknowledged == []
    assert await bench.store.records.list(parked_kind("feeds")) == []


async def test_a_rejection_was_answered_by_the_handler():
    bench = Bench(raising(Rejected("no such feed")))
    await bench.run(bench.delivery("bad"), bench.delivery("next"))
    assert bench.acknowledged == ["bad", "next"]
    assert bench.sent.messages == []
    assert bench.handled == ["bad", "next"]


async def test_what_is_away_for_a_moment_is_tried_again_in_place():
    bench = Bench(raising(Unavailable("away"), times=2), patience=Patience(away_s=5))
    await bench.run(bench.delivery("bad"), bench.delivery("next"))
    assert bench.handled == ["bad", "bad", "bad", "next"]
    assert bench.acknowledged == ["bad", "next"]


async def test_all_tries_together_are_bounded_and_the_last_answer_counts():
    """What is away at first, and then hangs, is held no longer than it may be tried."""
    begun, ended = [], []

    async def handle(_event):
        begun.append(True)
        if len(begun) == 1:
            raise Unavailable("away")
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    store = MemoryStore()
    bench = Bench(handle, store, patience=Patience(away_s=0.5, handler_s=30))
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(Unavailable, match="away"):
        await bench.run(bench.delivery("bad"))
    assert loop.time() - began < 5
    assert (len(begun), ended, bench.acknowledged) == (2, [True], [])
    assert await store.records.list("attempts:feeds") == []


async def test_an_outage_stops_the_loop_and_fills_no_dead_letters_however_often():
    store = MemoryStore()
    for _ in range(PATIENT.attempts + 2):
        bench = Bench(raising(Unavailable("away")), store)
        with pytest.raises(Unavailable, match="away"):
            await bench.run(bench.delivery("bad"), bench.delivery("behind"))
        assert bench.acknowledged == []
        assert bench.sent.messages == []


@pytest.mark.parametrize("error", [KeyError("x"), Refused("no topic")])
async def test_a_failing_message_is_dead_lettered_after_so_many_lives(error):
    store = MemoryStore()
    for attempt in (1, 2):
        bench = Bench(raising(error), store)
        with pytest.raises(Unavailable, match=f"attempt {attempt} of 3"):
            await bench.run(bench.delivery("bad"))
        assert bench.acknowledged == bench.sent.messages == []
    bench = Bench(raising(error), store)
    await bench.run(bench.delivery("bad"), bench.delivery("after"))
    assert [(letter.reason, letter.attempts) for letter in bench.sent.letters] == [
        ("failed", 3),
        ("parked", 0),
    ]
    assert bench.acknowledged == ["bad", "after"]
    assert await store.records.list("attempts:feeds") == []


async def test_a_failure_that_passes_is_forgiven():
    bench = Bench(raising(OSError(5, "io"), times=1))
    await bench.run(bench.delivery("bad"))
    assert bench.acknowledged == ["bad"]


async def test_a_handler_that_takes_too_long_failed():
    ended = []

    async def handle(_event):
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    bench = Bench(handle)
    with pytest.raises(Unavailable, match=r"TooSlow: took longer than 0\.2 s"):
        await bench.run(bench.delivery("slow"))
    assert ended == [True]
    assert bench.acknowledged == []


async def test_an_agent_has_the_time_that_it_asks_for():
    async def slow(event):
        await asyncio.sleep(0.3)

    bench = Bench(slow, handler_s=60)
    await bench.run(bench.delivery("1"))
    assert bench.acknowledged == ["1"]
    hasty = Bench(slow, handler_s=0.05, patience=PATIENT._replace(handler_s=60))
    with pytest.raises(Unavailable, match=r"TooSlow: took longer than 0\.05 s"):
        await hasty.run(hasty.delivery("1"))


async def test_one_that_fails_cancels_the_others_unacknowledged():
    begun = asyncio.Event()

    async def handle(event):
        if event.data.text == "long":
            begun.set()
            await asyncio.sleep(60)
        await begun.wait()
        raise Unavailable("away")

    bench = Bench(handle, patience=Patience(away_s=0.1))
    with pytest.raises(Unavailable):
        await bench.run(bench.delivery("long", key=b"a"), bench.delivery("bad", key=b"b"))
    assert bench.acknowledged == []


async def test_being_told_to_stop_acknowledges_nothing_unfinished():
    begun = asyncio.Event()

    async def handle(event):
        if event.data.text == "long":
            begun.set()
            await asyncio.sleep(60)

    bench = Bench(handle, patience=Patience())
    running = asyncio.create_task(
        bench.run(bench.delivery("done", key=b"a"), bench.delivery("long", key=b"b"))
    )
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert bench.acknowledged == ["done"]


async def test_no_more_than_so_many_are_taken_in_at_a_time():
    taken = 0
    hold = asyncio.Event()

    async def handle(_event):
        await hold.wait()

    bench = Bench(handle, patience=Patience())

    async def coming():
        nonlocal taken
        for n in range(3 * IN_FLIGHT):
            taken = n + 1
            yield bench.delivery(str(n), key=str(n).encode())

    running = asyncio.create_task(bench.loop.run(coming()))
    while len(bench.handled) < IN_FLIGHT:
        await asyncio.sleep(0)
    for _ in range(100):
        await asyncio.sleep(0)
    assert taken == IN_FLIGHT + 1
    hold.set()
    await running
    assert len(bench.acknowledged) == 3 * IN_FLIGHT
