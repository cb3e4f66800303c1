from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.command import PostComment
from schemas.envelope import encode
from schemas.feed import CommentPosted, FeedTagged
from schemas.identity import derived_id, feed_stream
from schemas.make import derived, first
from schemas.views import CommentView
from streams.aggregates.state import FeedState
from streams.projections.views import rows
from streams.store.memory.store import MemoryStore
from tests.unit.ui.serving import tab_of
from ui.live import connection
from ui.live.connection import EPHEMERAL, MAX_FEEDS, QUEUE, Connection
from ui.subjects.keys import SubjectKeys
from ui.subjects.sealing import new_key
from ui.subjects.texts import Texts

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
    tab = tab_of(socket, store)
    tab.subscribe(FEED, 1)
    tab.offer(FEED, 3, encode(tagged(3)))  # the bus brings what the store has already
    sending = asyncio.create_task(tab.run())
    await settled(socket, sending)
    assert socket.sequences == [2, 3]


async def test_a_tab_follows_a_bounded_number_of_feeds(store):
    tab = tab_of(Socket(), store)
    for index in range(MAX_FEEDS):
        assert tab.subscribe(derived_id("test", str(index)), 0) is None
    assert "at most" in tab.subscribe(FEED, 0)


async def test_a_slow_tab_is_caught_up_from_the_store_and_its_queue_stays_bounded(store):
    socket = Socket()
    tab = tab_of(socket, store)
    tab.subscribe(FEED, 0)
    tab._behind.clear()
    for version in range(1, QUEUE + 50):
        await store.events.append(STREAM, version - 1, [tagged(version)])
        tab.offer(FEED, version, encode(tagged(version)))
        assert len(tab._events) <= QUEUE
    sending = asyncio.create_task(tab.run())
    await settled(socket, sending)
    assert socket.sequences == list(range(1, QUEUE + 50))


async def test_a_snapshot_and_the_events_after_it_are_opened(store):
    comment = derived_id("test", "comment")
    texts = Texts(SubjectKeys(store.records, new_key()), "default")
    said = await texts.sealed(PostComment(comment=comment, text="Look"), FEED, "ana")
    await store.events.append(STREAM, 0, [tagged(1)])
    state = FeedState(
        version=1,
        project="default",
        feed=FEED,
        title="A feed",
        created=NOW,
        updated=NOW,
        comments={comment: CommentView(comment=comment, author="ana", posted=NOW, text=said.text)},
    )
    await store.views.put("feed", 1, rows("feed", state, []))
    posted = CommentPosted(comment=comment, text=said.text)
    cause = first(
        posted,
        event_id=derived_id("test", "said"),
        source="/chips/test",
        subject=STREAM,
        time=NOW,
        authtype="app_user",
        authid="ana",
    )
    after = derived(posted, cause=cause, consumer="feeds", subject=STREAM, recorded=NOW, version=2)
    socket = Socket()
    tab = Connection(socket, store, "default", "ben", texts)
    tab.subscribe(FEED, 9)  # more than there is: it is given the present state
    sending = asyncio.create_task(tab.run())
    while not socket.sent:
        await asyncio.sleep(0)
    tab.offer(FEED, after.version, encode(after))
    await settled(socket, sending)
    snap, event = socket.sent
    assert snap["detail"]["comments"][0]["text"] == event["event"]["data"]["text"] == "Look"


async def test_an_unknown_feed_that_claims_a_past_is_told_so(store):
    socket = Socket()
    tab = tab_of(socket, store)
    tab.subscribe(FEED, 7)
    sending = asyncio.create_task(tab.run())
    await settled(socket, sending)
    assert [message["code"] for message in socket.sent] == ["unknown"]


def home_tab(socket, store) -> Connection:
    tab = tab_of(socket, store)
    tab.home = True
    return tab


def flood(tab: Connection) -> None:
    for index in range(EPHEMERAL + 1):
        tab.hint(f"card.{index}", orjson.dumps({"t": "card", "card": index}))


async def test_a_home_page_that_misses_a_card_is_told_to_read_the_cards_again(store):
    socket = Socket()
    tab = home_tab(socket, store)
    flood(tab)
    await settled(socket, asyncio.create_task(tab.run()))
    assert len([message for message in socket.sent if message["t"] == "card"]) == EPHEMERAL
    assert [message for message in socket.sent if message["t"] == "home"] == [{"t": "home"}]


async def test_a_home_page_that_misses_nothing_is_told_nothing(store):
    socket = Socket()
    tab = home_tab(socket, store)
    for index in range(3 * EPHEMERAL):
        tab.hint(f"card.{index % EPHEMERAL}", b'{"t":"card"}')
    await settled(socket, asyncio.create_task(tab.run()))
    assert [message["t"] for message in socket.sent] == ["card"] * EPHEMERAL


async def test_a_home_page_reads_again_after_each_flood_but_not_more_often_than_it_may(store, monkeypatch):
    monkeypatch.setattr(connection, "HOME_EVERY_S", 0.2)
    socket = Socket()
    tab = home_tab(socket, store)
    sending = asyncio.create_task(tab.run())
    started = asyncio.get_running_loop().time()
    async with asyncio.timeout(10):
        for homes in (1, 2, 3):
            flood(tab)
            while len([message for message in socket.sent if message["t"] == "home"]) < homes:
                await asyncio.sleep(0)
    assert asyncio.get_running_loop().time() - started >= 0.39
    sending.cancel()


class Paused(Socket):
    """Holds what is sent until it may go."""

    def __init__(self) -> None:
        super().__init__()
        self.sending = asyncio.Event()
        self.go = asyncio.Event()

    async def send_str(self, text: str) -> None:
        self.sending.set()
        await self.go.wait()
        await super().send_str(text)


async def test_a_feed_that_is_left_while_its_event_is_sent_stays_left(store):
    await store.events.append(STREAM, 0, [tagged(1)])
    socket = Paused()
    tab = tab_of(socket, store)
    tab.subscribe(FEED, 0)
    sending = asyncio.create_task(tab.run())
    await socket.sending.wait()
    tab.unsubscribe(FEED)
    socket.go.set()
    await settled(socket, sending)
    assert not tab.follows(FEED)
    assert [tab.subscribe(derived_id("test", str(i)), 0) for i in range(MAX_FEEDS)] == [None] * MAX_FEEDS


async def test_who_asks_again_from_the_start_while_being_caught_up_gets_all_of_it(store):
    for version in range(1, 6):
        await store.events.append(STREAM, version - 1, [tagged(version)])

    class AsksAgain(Socket):
        async def send_str(self, text: str) -> None:
            await super().send_str(text)
            if self.sequences == [1, 2, 3]:
                tab.subscribe(FEED, 0)

    socket = AsksAgain()
    tab = tab_of(socket, store)
    tab.subscribe(FEED, 0)
    await settled(socket, asyncio.create_task(tab.run()))
    assert socket.sequences == [1, 2, 3, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("asked", ["version", "row", "heads"])
async def test_a_feed_that_is_left_while_the_store_is_asked_stays_left(store, monkeypatch, asked):
    await store.events.append(STREAM, 0, [tagged(1)])
    socket = Socket()
    tab = tab_of(socket, store)
    holder, name = (store.views, "row") if asked == "row" else (store.events, "version")
    real = getattr(holder, name)

    async def left_meanwhile(*args, **options):
        found = await real(*args, **options)
        tab.unsubscribe(FEED)
        return found

    tab.subscribe(FEED, 9 if asked == "row" else 0)  # one who claims more than there is gets a snapshot
    monkeypatch.setattr(holder, name, left_meanwhile)
    if asked == "heads":
        await tab.heads()
    sending = asyncio.create_task(tab.run())
    await settled(socket, sending)
    assert not tab.follows(FEED)
    assert socket.sent == []


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
        tab = tab_of(socket, store)
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


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(["append", "lose", "heads", "turn", "leave", "return"]), max_size=40))
def test_who_leaves_and_returns_sees_every_event_from_where_it_was(moves):
    async def play():
        store, socket, version = MemoryStore(), Socket(), 0
        tab = tab_of(socket, store)
        tab.subscribe(FEED, 0)
        sending = asyncio.create_task(tab.run())
        for move in moves:
            if move in {"append", "lose"}:
                version += 1
                await store.events.append(STREAM, version - 1, [tagged(version)])
                if move == "append":
                    tab.offer(FEED, version, encode(tagged(version)))
            elif move == "heads":
                await tab.heads()
            elif move == "leave":
                tab.unsubscribe(FEED)
            elif move == "return":
                tab.subscribe(FEED, max(socket.sequences, default=0))
            else:
                await asyncio.sleep(0)
        tab.subscribe(FEED, max(socket.sequences, default=0))
        await settled(socket, sending)
        last = 0
        for seq in socket.sequences:  # as the page does: what it has it drops, and a gap would be a loss
            assert seq <= last + 1
            last = max(last, seq)
        assert last == version

    asyncio.run(play())
