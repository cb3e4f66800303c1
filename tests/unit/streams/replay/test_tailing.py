"""A tail shows what was asked for, to the end or for ever."""

from __future__ import annotations

import asyncio

import pytest

from streams.bus import Message
from streams.replay.tailing import Filter, event_topics, follow, to_the_end
from tests.unit.streams.replay.past import MemoryTail, Past


@pytest.fixture
async def past():
    return await Past().live()


async def seen(past, **wanted):
    tail = MemoryTail(past.bus)
    topics = event_topics(wanted.get("type_prefix", ""))
    return [one.event async for one in follow(tail, topics, Filter(**wanted), beginning=True, forever=False)]


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


async def test_from_now_without_following_is_nothing(past):
    tail = MemoryTail(past.bus)
    none = [one async for one in follow(tail, event_topics(), Filter(), beginning=False, forever=False)]
    assert none == []


async def test_for_ever_goes_on(past):
    tail = MemoryTail(past.bus)
    stream = follow(tail, ["chips.feed.v1"], Filter(), beginning=True, forever=True)
    for _ in range(15):
        await anext(stream)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(stream), 0.05)


async def test_an_end_that_retention_took_is_not_waited_for(past, monkeypatch):
    monkeypatch.setattr("streams.replay.tailing.IDLE_S", 0.05)
    source = MemoryTail(past.bus).records(["chips.feed.v1"], start="beginning")
    ends = {("chips.feed.v1", 0): 15, ("chips.gone.v1", 0): 7}
    assert len([one async for one in to_the_end(source, ends)]) == 15
