"""A tail shows what was asked for, to the end or for ever."""

from __future__ import annotations

import asyncio

import pytest

from streams.bus import Message
from streams.errors import Unavailable
from streams.replay import tailing
from streams.replay.tailing import Filter, event_topics, follow, to_the_end
from tests.unit.streams.replay.past import MemoryTail, Past


@pytest.fixture
async def past():
    return await Past().live()


async def seen(past, **wanted):
    tail = MemoryTail(past.bus)
    topics = event_topics(wanted.get("type_prefix", ""))
    return [one.event async for one in follow(tail, topics, Filter(**wanted), forever=False)]


async def test_everything_that_is_kept(past):
    assert len(await seen(past)) == sum(len(there) for there in past.bus.topics.values())


async def test_by_type_stream_and_correlation(past):
    assert {one.type for one in await seen(past, type_prefix="chips.feed.comment")} == {
        "chips.feed.comment.posted.v1"
    }
    mine = await seen(past, type_prefix="chips.feed", stream=past.stream(1))
    assert [one.version for one in mine] == [1, 2, 3, 4, 5]
    story = await seen(past, correlation=mine[-1].correlationid)
    assert {one.type for one in story} == {
        "chips.command.feed.post_comment.v1",
        "chips.feed.comment.posted.v1",
        "chips.reply.accepted.v1",
    }


async def test_what_is_no_event_is_passed_over(past):
    await past.bus.send(Message("chips.feed.v1", "k", b"rubbish"))
    assert len(await seen(past, type_prefix="chips.feed.")) == 15


def test_topics_follow_the_types():
    assert event_topics("chips.feed.comment") == ["chips.feed.v1"]
    assert event_topics("chips.command") == ["chips.command.v1"]
    assert "chips.pacs.v1" in event_topics()
    assert not [name for name in event_topics() if "dlq" in name]
    assert event_topics("chips.nothing") == []


async def test_for_ever_goes_on(past):
    tail = MemoryTail(past.bus)
    stream = follow(tail, ["chips.feed.v1"], Filter(), beginning=True, forever=True)
    for _ in range(15):
        await anext(stream)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(stream), 0.05)


class Slow(MemoryTail):
    """A bus that takes its time, has forgotten what it had first, and may end early."""

    def __init__(self, bus, *, forgotten=0, given=1000):
        super().__init__(bus)
        self.forgotten, self.given = forgotten, given
        self.wait = asyncio.Event()

    async def starts(self, topics):
        return {(topic, 0): min(self.forgotten, end) for (topic, _), end in (await self.ends(topics)).items()}

    async def records(self, topics, *, start="end"):
        await self.wait.wait()
        async for record in super().records(topics, start=start):
            if record.offset >= self.given:
                await asyncio.Event().wait()
            if record.offset >= self.forgotten:
                yield record


FEEDS = ["chips.feed.v1"]


async def offsets(tail, topics=FEEDS):
    return [record.offset async for record in to_the_end(tail, topics)]


async def test_a_bus_that_is_slow_to_answer_is_read_all_the_same(past):
    """Connecting to Kafka, its metadata and the first fetch may take seconds."""
    tail = Slow(past.bus)
    asyncio.get_running_loop().call_later(3, tail.wait.set)
    assert await offsets(tail) == list(range(15))


async def test_what_retention_took_is_not_waited_for(past):
    for forgotten in (7, 15):
        tail = Slow(past.bus, forgotten=forgotten)
        tail.wait.set()
        async with asyncio.timeout(5):
            assert await offsets(tail, [*FEEDS, "chips.empty.v1"]) == list(range(forgotten, 15))


async def test_an_end_that_does_not_come_is_told_and_never_taken_for_the_end(past, monkeypatch):
    monkeypatch.setattr(tailing, "SILENT_S", 0.05)
    tail = Slow(past.bus, given=9)
    tail.wait.set()
    with pytest.raises(Unavailable, match="Only 9 of 15 messages"):
        await offsets(tail)
    silent = Slow(past.bus)
    with pytest.raises(Unavailable, match="Only 0 of 15"):
        await seen_of(silent)


async def seen_of(tail):
    return [one async for one in follow(tail, FEEDS, Filter(), forever=False)]


async def test_what_retention_takes_while_it_is_read_is_not_missed(past, monkeypatch):
    monkeypatch.setattr(tailing, "SILENT_S", 0.05)
    tail = Slow(past.bus, given=9)
    tail.wait.set()
    found = []
    async for record in to_the_end(tail, FEEDS):
        found.append(record.offset)
        tail.forgotten = 15 if len(found) == 9 else 0
    assert found == list(range(9))
