from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import encode
from schemas.feed import FeedTagged
from schemas.identity import derived_id, feed_stream
from schemas.make import derived, first
from streams.store.memory.store import MemoryStore
from ui.live.connection import MAX_FEEDS, QUEUE, Connection

FEED = "0b6f3f1e-1111-5222-8333-444455556666"
STREAM = feed_stream("default", FEED)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Socket:
    """Takes what is sent; closes when told to."""

    def __init__(self) -> None:
        self.closed = False
        self.sent: list[dict] = []

    async def send_str(self, text: str) -> None:
        await asyncio.sleep(0)
        self.sent.append(orjson.loads(text))

    @property
    def sequences(self) -> list[int]:
        return [message["seq"] for message in self.sent if message["t"] == "ev"]


def tagged(version: int):
    cause = first(
        FeedTagged(tag="x"),
        event_id=derived_id("test", str(version)),
        source="/chips/test",
        subject=STREAM,
        time=NOW,
    )
    return derived(
        FeedTagged(tag="x"), cause=cause, consumer="feeds", subject=STREAM, recorded=NOW, version=version
    )


async def settled(socket: Socket, sending: asyncio.Task) -> None:
    """Let the sender run until it has sent nothing for many turns of the loop."""
    seen, quiet = -1, 0
    while quiet < 30:
        await asyncio.sleep(0)
        quiet = quiet + 1 if len(socket.sent) == seen else 0
        seen = len(socket.sent)
    assert not sending.done() or sending.exception() is None
    sending.cancel()


@pytest.fixture
async def store():
    return MemoryStore()


async def test_catches_up_from_the_store_and_goes_on_with_the_bus(store):
    for version in range(1, 4):
        await store.events.append(STREAM, version - 1, [tagged(version)])
    socket = Socket()
    tab = Connection(socket, store, "default", "ana")
    tab.subscribe(FEED, 1)
    tab.offer(FEED, 3, encode(tagged(3)))  # the bus brings what the store has already
    sending = asyncio.create_task(tab.run())
    await settled(socket, sending)
    assert socket.sequences == [2, 3]


async def test_a_tab_follows_a_bounded_number_of_feeds(store):
    tab = Connection(Socket(), store, "default", "ana")
    for index in range(MAX_FEEDS):
        assert tab.subscribe(derived_id("test", str(index)), 0) is None
    assert "at most" in tab.subscribe(FEED, 0)


async def test_a_slow_tab_is_caught_up_from_the_store_and_its_queue_stays_bounded(store):
    socket = Socket()
    tab = Connection(socket, store, "default", "ana")
    tab.subscribe(FEED, 0)
    tab._behind.clear()
    for version in range(1, QUEUE + 50):
        await store.events.append(STREAM, version - 1, [tagged(version)])
        tab.offer(FEED, version, encode(tagged(version)))
        assert len(tab._events) <= QUEUE
    sending = asyncio.create_task(tab.run())
    await settled(socket, sending)
    assert socket.sequences == list(range(1, QUEUE + 50))


async def test_an_unknown_feed_that_claims_a_past_is_told_so(store):
    socket = Socket()
    tab = Connection(socket, store, "default", "ana")
    tab.subscribe(FEED, 7)
    sending = asyncio.create_task(tab.run())
    await settled(socket, sending)
    assert [message["code"] for message in socket.sent] == ["unknown"]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 12),
    st.lists(
        st.tuples(st.sampled_from(["append", "offer", "lose", "repeat", "heads", "turn"]), st.integers(1, 14))
    ),
)
def test_no_gap_and_no_repeat_whatever_the_bus_does(after, moves):
    async def play():
        store, socket, version = MemoryStore(), Socket(), 0
        for version in range(1, after + 1):
            await store.events.append(STREAM, version - 1, [tagged(version)])
        tab = Connection(socket, store, "default", "ana")
        tab.subscribe(FEED, after)
        sending = asyncio.create_task(tab.run())
        for move, number in moves:
            if move in {"append", "offer", "lose"}:
                version += 1
                await store.events.append(STREAM, version - 1, [tagged(version)])
                if move != "lose":
                    tab.offer(FEED, version, encode(tagged(version)))
            elif move == "repeat" and version:
                tab.offer(FEED, min(number, version), encode(tagged(min(number, version))))
            elif move == "heads":
                await tab.heads()
            else:
                await asyncio.sleep(0)
        await tab.heads()
        await settled(socket, sending)
        assert socket.sequences == list(range(after + 1, version + 1))

    asyncio.run(play())
