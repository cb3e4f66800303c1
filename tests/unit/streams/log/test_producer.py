from __future__ import annotations

import asyncio
import sqlite3
import threading

import pytest

from schemas.catalogue import Topic
from streams.bus import Message
from streams.errors import Refused, Unavailable
from streams.log import database, producer, writer
from streams.log.admin import LogAdmin
from streams.log.formats import DURABLE
from streams.log.log import Log
from streams.log.producer import LogProducer
from streams.log.writer import GROUP

TOPICS = (
    Topic(name="t", zone="outer", partitions=2, retention_s=10),
    Topic(name="live", zone="outer", partitions=1, retention_s=10, durable=False),
)


@pytest.fixture
async def bus(tmp_path):
    admin = LogAdmin(tmp_path, TOPICS)
    await admin.create_topics()
    yield tmp_path
    await admin.close()


@pytest.fixture
async def sending(bus):
    opened = LogProducer(bus, timeout_s=5)
    yield opened
    await opened.close()


def count(bus):
    with sqlite3.connect(bus / DURABLE) as db:
        return db.execute("SELECT count(*) FROM record").fetchone()[0]


async def test_a_send_that_is_refused_spares_those_of_its_group(sending):
    sent = await asyncio.gather(
        *(sending.send(Message(topic, "k", b"x")) for topic in ("t", "nope", "t", "live")),
        return_exceptions=True,
    )
    assert [getattr(at, "offset", None) for at in sent] == [0, None, 1, 0]
    assert isinstance(sent[1], Refused)


async def test_send_all_answers_in_order_over_both_files(sending):
    messages = [Message(("t", "live")[n % 2], f"k{n}", b"x") for n in range(1203)]
    positions = await sending.send_all(messages)
    assert [at.topic for at in positions] == [message.topic for message in messages]


async def test_a_partition_of_ones_own_choice(sending):
    assert (await sending.send_to(Message("t", "k", b""), 1)).partition == 1
    with pytest.raises(Refused, match="no partition 2"):
        await sending.send_to(Message("t", "k", b""), 2)


async def test_a_bus_locked_for_long_is_unavailable_and_then_works(bus, sending, monkeypatch):
    monkeypatch.setattr(database, "BUSY_S", 0.05)
    holder = sqlite3.connect(bus / DURABLE, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="locked"):
        await sending.send(Message("t", "k", b"x"))
    holder.execute("ROLLBACK")
    holder.close()
    assert (await sending.send(Message("t", "k", b"x"))).offset == 0
    assert count(bus) == 1


async def test_a_send_ends_in_bounded_time(bus, monkeypatch):
    monkeypatch.setattr(writer.Writer, "_append", lambda _self, _group: [])
    silent = LogProducer(bus, timeout_s=0.05)
    with pytest.raises(Unavailable, match=r"0\.05 s"):
        await silent.send(Message("t", "k", b"x"))
    await silent.close()


async def test_senders_wait_when_too_many_are_under_way(bus, monkeypatch):
    monkeypatch.setattr(producer, "IN_FLIGHT", 3)
    monkeypatch.setattr(writer.Writer, "_append", lambda _self, _group: [])
    put = []
    monkeypatch.setattr(writer.Writer, "put", lambda _self, request: put.append(request))
    full = LogProducer(bus, timeout_s=0.2)
    ended = await asyncio.gather(
        *(full.send(Message("t", "k", b"x")) for _ in range(10)), return_exceptions=True
    )
    assert all(isinstance(error, Unavailable) for error in ended)
    assert len(put) == 3
    await full.close()


async def test_senders_that_gave_up_leave_no_room_until_the_disk_answers(bus, monkeypatch):
    monkeypatch.setattr(producer, "IN_FLIGHT", 4)
    hangs, append = threading.Event(), writer.Writer._append

    def hanging(self, group):
        hangs.wait()
        return append(self, group)

    monkeypatch.setattr(writer.Writer, "_append", hanging)
    stuck = LogProducer(bus, timeout_s=0.05)
    for number in range(6):
        cancelled = [asyncio.create_task(stuck.send(Message("t", f"c{number}", b"x"))) for _ in range(3)]
        await asyncio.sleep(0)
        for task in cancelled:
            task.cancel()
        ended = await asyncio.gather(
            *cancelled, *(stuck.send(Message("t", "k", b"x")) for _ in range(4)), return_exceptions=True
        )
        assert not [one for one in ended if not isinstance(one, (Unavailable, asyncio.CancelledError))]
    assert stuck._writer._queue.qsize() <= 4
    hangs.set()
    stuck._timeout_s = 30  # the disk answers again, on a busy machine later than at once
    async with asyncio.timeout(10):
        while stuck._room._value < 4:
            await asyncio.sleep(0.01)
    assert count(bus) == 4
    await asyncio.gather(*(stuck.send(Message("t", "k", b"x")) for _ in range(20)))
    assert count(bus) == 24
    await stuck.close()


async def test_the_writer_forgets_what_expired_by_itself(bus, sending, monkeypatch):
    monkeypatch.setattr(writer, "TRIM_S", 0.0)
    with sqlite3.connect(bus / DURABLE) as db:
        db.execute("UPDATE partition SET retention_ms=-1000000")
    for _ in range(3):
        await sending.send(Message("t", "k", b"x"))
    admin = LogAdmin(bus, TOPICS)
    async with asyncio.timeout(5):
        while count(bus):
            await sending.send(Message("live", "k", b"x"))
    await admin.close()


async def test_one_group_commits_what_came_meanwhile(bus, sending, monkeypatch):
    groups = []
    take = writer.Writer._take

    def taking(self):
        group = take(self)
        groups.append(sum(len(request.messages) for request in group))
        return group

    monkeypatch.setattr(writer.Writer, "_take", taking)
    await asyncio.gather(*(sending.send(Message("t", f"k{n}", b"x")) for n in range(900)))
    assert sum(groups) == 900
    assert len(groups) < 90
    assert max(groups) <= GROUP


async def test_a_topic_taken_away_is_refused_and_the_writer_lives_on(bus, sending):
    await sending.send(Message("t", "k", b"x"))
    with sqlite3.connect(bus / DURABLE) as db:
        db.execute("DELETE FROM partition")
    with pytest.raises(Refused, match="taken away"):
        await sending.send(Message("t", "k", b"x"))
    with pytest.raises(Refused, match="no topic t"):
        await sending.send(Message("t", "k", b"x"))
    admin = LogAdmin(bus, TOPICS)
    assert await admin.create_topics() == ["t"]
    await admin.close()
    await sending.send(Message("t", "k", b"x"))


async def test_an_error_nobody_thought_of_is_told_and_the_writer_lives_on(sending, monkeypatch):
    append = Log.append

    def broken(_self, _records):
        raise ZeroDivisionError

    monkeypatch.setattr(Log, "append", broken)
    with pytest.raises(Unavailable, match="ZeroDivisionError"):
        await sending.send(Message("t", "k", b"x"))
    monkeypatch.setattr(Log, "append", append)
    await sending.send(Message("t", "k", b"x"))
