"""What every bus does, on both tiers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streams.bus import Message
from streams.errors import Refused, Unavailable
from streams.limits import MAX_MESSAGE_BYTES
from streams.opening import open_admin, open_producer, open_tail
from streams.partitioner import partition_of
from streams.replay import tailing
from streams.settings import Settings
from tests.buses import TIERS, all_of, bus_of, read

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=TIERS)
def bus(request, tmp_path):
    with bus_of(request.param, tmp_path, request) as made:
        yield made


@pytest.fixture
async def producer(bus):
    opened = open_producer(bus.settings)
    yield opened
    await opened.close()


async def test_what_was_sent_is_read_as_it_was(bus, producer):
    topic = bus.topic()
    await bus.make(topic)
    before = time.time_ns() // 1_000_000
    message = Message(
        topic.name, "feed/p/ä", b"\x00\xffbody", (("one", b"1"), ("two", b"\xff"), ("one", b""))
    )
    position = await producer.send(message)
    (record,) = await read(bus.settings, [topic.name], 1)
    assert (record.topic, record.partition, record.offset) == position == (topic.name, position.partition, 0)
    assert (record.key, record.value, tuple(record.headers)) == (
        message.key.encode(),
        message.value,
        message.headers,
    )
    assert before <= record.timestamp <= time.time_ns() // 1_000_000


async def test_equal_keys_keep_their_order_and_lie_where_the_partitioner_says(bus, producer):
    topic = bus.topic(partitions=5)
    await bus.make(topic)
    messages = [Message(topic.name, f"k{n % 7}", str(n).encode()) for n in range(1200)]
    positions = await producer.send_all(messages)
    records = await read(bus.settings, [topic.name], 1200)
    assert {(r.topic, r.partition, r.offset): r.value for r in records} == {
        tuple(at): m.value for at, m in zip(positions, messages, strict=True)
    }
    assert all(
        at.partition == partition_of(m.key.encode(), 5) for at, m in zip(positions, messages, strict=True)
    )
    for key in {m.key for m in messages}:
        sent = [m.value for m in messages if m.key == key]
        assert [r.value for r in records if r.key == key.encode()] == sent


async def test_concurrent_sends_are_all_durable_and_dense(bus, producer):
    topic = bus.topic(partitions=2)
    await bus.make(topic)
    positions = await asyncio.gather(
        *(producer.send(Message(topic.name, f"k{n}", b"x")) for n in range(3000))
    )
    ends = await open_ends(bus, topic)
    assert sum(ends.values()) == 3000 == len(set(positions))
    assert all(at.offset < ends[at.topic, at.partition] for at in positions)


async def open_ends(bus, topic):
    tail = open_tail(bus.settings)
    try:
        return await tail.ends([topic.name])
    finally:
        await tail.close()


async def test_a_tail_begins_where_it_is_told(bus, producer):
    topic, other = bus.topic(partitions=1), bus.topic("b", partitions=1)
    await bus.make(topic, other)
    await producer.send_all(Message(topic.name, "k", str(n).encode()) for n in range(10))
    await producer.send_all(Message(other.name, "k", b"old") for n in range(3))
    at_end = asyncio.create_task(read(bus.settings, [topic.name, other.name], 2, start={(topic.name, 0): 9}))
    from_end = open_tail(bus.settings)
    waiting = from_end.records([topic.name])
    first = asyncio.create_task(anext(waiting))
    # Until both tails stand at their ends, new messages are sent, so that the test needs no sleep.
    sent = 0
    while not first.done() or not at_end.done():
        await producer.send(Message(other.name, "k", b"new"))
        await producer.send(Message(topic.name, "k", f"n{sent}".encode()))
        sent += 1
        await asyncio.sleep(0.05)
        assert sent < 400
    assert (await first).value.startswith(b"n")
    found = await at_end
    assert found[0].value == b"9"
    assert all(record.value != b"old" for record in found)
    await waiting.aclose()
    await from_end.close()


async def test_everything_kept_is_read_to_its_end_and_what_was_forgotten_is_not_waited_for(bus, producer):
    topic = bus.topic(partitions=4)
    await bus.make(topic)
    at = [await producer.send(Message(topic.name, f"k{n}", str(n).encode())) for n in range(30)]
    first, second = sorted({one.partition for one in at})[:2]
    ends = {p: 1 + max(one.offset for one in at if one.partition == p) for p in (first, second)}
    bus.forget(topic.name, first, ends[first])
    bus.forget(topic.name, second, 2)
    tail = open_tail(bus.settings)
    starts = await tail.starts([topic.name])
    assert starts == {(topic.name, p): {first: ends[first], second: 2}.get(p, 0) for p in range(4)}
    kept = [str(n).encode() for n, one in enumerate(at) if one.offset >= starts[topic.name, one.partition]]
    assert 0 < len(kept) < 30
    async with asyncio.timeout(tailing.SILENT_S / 2):
        found = [record.value async for record in tailing.to_the_end(tail, [topic.name])]
    assert sorted(found) == sorted(kept)
    await tail.close()


async def test_a_missing_topic_is_refused_and_not_made(bus, producer):
    topic, missing = bus.topic(), bus.topic("missing")
    await bus.make(topic)
    for _ in range(2):
        with pytest.raises(Refused, match="chips migrate"):
            await producer.send(Message(missing.name, "k", b""))
    with pytest.raises(Refused, match="chips migrate"):
        await read(bus.settings, [missing.name], 1)
    await producer.send(Message(topic.name, "k", b"still works"))
    await bus.make(missing)
    await producer.send(Message(missing.name, "k", b"now it is there"))


async def test_too_large_and_keyless_messages_are_refused(bus, producer):
    topic = bus.topic()
    await bus.make(topic)
    with pytest.raises(Refused, match="limit"):
        await producer.send(Message(topic.name, "k", b"x" * MAX_MESSAGE_BYTES))
    with pytest.raises(Refused, match="key"):
        await producer.send(Message(topic.name, "", b"x"))
    largest = b"x" * (MAX_MESSAGE_BYTES - 100)
    # Several at once: a broker measures the batch they travel in.
    await asyncio.gather(*(producer.send(Message(topic.name, "k", largest)) for _ in range(3)))
    assert len((await read(bus.settings, [topic.name], 3))[2].value) == len(largest)


async def test_topics_are_made_once(bus):
    topic, other = bus.topic(), bus.topic("b")
    admin = bus.admin(topic, other)
    assert sorted(await admin.create_topics()) == [topic.name, other.name]
    assert await admin.create_topics() == []
    await admin.close()
    more = bus.admin(topic, bus.topic("c"))
    assert await more.create_topics() == [bus.topic("c").name]
    await more.close()


async def test_an_app_that_never_came_has_no_lag(bus):
    topic = bus.topic()
    await bus.make(topic)
    admin = open_admin(bus.settings)
    assert await admin.lag(f"chips-{bus.prefix}") == {}
    await admin.close()


async def test_after_close_nothing_is_lost_and_nothing_is_taken(bus):
    topic = bus.topic()
    await bus.make(topic)
    producer = open_producer(bus.settings)
    await producer.send(Message(topic.name, "k", b"first"))
    sending = [asyncio.create_task(producer.send(Message(topic.name, "k", b"x"))) for _ in range(50)]
    await asyncio.sleep(0)  # they begin
    await producer.close()
    assert len(await asyncio.gather(*sending)) == 50
    with pytest.raises(Unavailable, match="closed"):
        await producer.send(Message(topic.name, "k", b"late"))


WRITER = """
import asyncio, sys
from streams.bus import Message
from streams.opening import open_producer
from streams.settings import Settings
async def main(data, bus, topic, name):
    producer = open_producer(Settings(data=data, bus=bus))
    for n in range(100000):
        at = await producer.send(Message(topic, name, f"{name} {n}".encode()))
        print(n, flush=True)
asyncio.run(main(*sys.argv[1:]))
"""


async def test_what_a_killed_process_was_told_is_there_and_in_order(bus):
    topic = bus.topic(partitions=2)
    await bus.make(topic)
    writers = {
        name: subprocess.Popen(  # noqa: ASYNC220 - starting is quick, and nothing else runs in this loop
            [sys.executable, "-c", WRITER, bus.settings.data, bus.settings.bus, topic.name, name],
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            text=True,
        )
        for name in ("a", "b", "c")
    }
    told = dict.fromkeys(writers, 0)
    for name, writer in writers.items():
        while told[name] < 50:
            told[name] = int(writer.stdout.readline())
    for name, writer in writers.items():
        writer.kill()
        rest = writer.communicate()[0].splitlines()
        told[name] = max([told[name], *(int(line) for line in rest if line.isdigit())])
    tail = open_tail(bus.settings)
    async with asyncio.timeout(30):
        values = [record.value.decode().split() async for record in all_of(tail, [topic.name])]
    await tail.close()
    for name, last in told.items():
        numbers = [int(n) for found, n in values if found == name]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) in {last + 1, last + 2}  # the last one may have been written and not told


async def test_a_bus_that_is_away_is_unavailable(tmp_path):
    for settings in (
        Settings(data=str(tmp_path / "nothing")),
        Settings(data=str(tmp_path), bus="kafka://127.0.0.1:1"),
    ):
        producer = open_producer(settings)
        producer._timeout_s = 2
        tail = open_tail(settings)
        with contextlib.suppress(AttributeError):
            tail._away_s = 2
        with pytest.raises(Unavailable):
            await producer.send(Message("chips.feed.v1", "k", b""))
        with pytest.raises(Unavailable):
            await anext(tail.records(["chips.feed.v1"]))
        with pytest.raises(Unavailable):
            await tail.ends(["chips.feed.v1"])
        await producer.close()
        await tail.close()
