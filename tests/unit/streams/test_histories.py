"""Load, decide, append: once for each cause, anew after a conflict, within bounds."""

from __future__ import annotations

import msgspec
import pytest

from schemas import command as c
from schemas import feed as f
from schemas import make
from schemas.identity import feed_stream
from streams.aggregates.feed_evolution import evolve
from streams.aggregates.state import FEED_SCHEMA, FeedState
from streams.errors import Conflict, Rejected, Unavailable
from streams.histories import TRIES, Aggregate, Histories
from streams.store.memory.store import MemoryStore
from tests.unit.agents.flowing import PROJECT, Ticking, uuid

STREAM = feed_stream(PROJECT, uuid("f"))


def cause(ident, title="t"):
    return make.first(
        c.RenameFeed(title=title),
        event_id=uuid(ident),
        source="/chips/ui",
        subject=STREAM,
        time=Ticking().now,
        authtype="app_user",
        authid="anna",
    )


def histories(store, **how):
    return Histories(
        store.events, Aggregate(FeedState(), evolve, FEED_SCHEMA), consumer="feeds", clock=Ticking(), **how
    )


def rename(title):
    return lambda _state: [f.FeedRenamed(title=title)]


async def test_a_cause_takes_effect_once_and_gives_the_same_events():
    store = MemoryStore()
    first = await histories(store).take(cause("a"), STREAM, rename("one"))
    again = await histories(store).take(cause("a"), STREAM, rename("never asked"))
    assert [one.id for one in again.events] == [one.id for one in first.events]
    assert (again.state, await store.events.version(STREAM)) == (first.state, 1)


async def test_another_writer_first_means_deciding_anew():
    store = MemoryStore()
    mine, other = histories(store), histories(store)
    await mine.take(cause("a"), STREAM, rename("a"))
    seen = []

    def decide(state):
        seen.append(state.title)
        return [f.FeedRenamed(title=f"{state.title}!")]

    appending, once = store.events.append, iter([True])

    async def append(stream, expected, events):
        if next(once, False):
            await other.take(cause("b"), STREAM, rename("b"))
        return await appending(stream, expected, events)

    store.events.append = append
    taken = await mine.take(cause("c"), STREAM, decide)
    assert seen == ["a", "b"]
    assert (taken.state.title, taken.state.version) == ("b!", 3)


async def test_conflicts_without_end_are_given_up():
    store, tries = MemoryStore(), []

    async def append(stream, expected, _events):
        tries.append(1)
        raise Conflict(stream, expected, expected + 1)

    store.events.append = append
    with pytest.raises(Conflict):
        await histories(store).take(cause("a"), STREAM, rename("a"))
    assert len(tries) == TRIES


async def test_an_append_of_unknown_end_is_repeated_harmlessly():
    store = MemoryStore()
    appending = store.events.append

    async def append(stream, expected, events):
        await appending(stream, expected, events)
        raise Unavailable("no answer")

    store.events.append = append
    with pytest.raises(Unavailable):
        await histories(store).take(cause("a"), STREAM, rename("a"))
    store.events.append = appending
    taken = await histories(store).take(cause("a"), STREAM, rename("a"))
    assert (len(taken.events), taken.state.version) == (1, 1)


async def test_a_repeated_append_gives_what_is_stored():
    store = MemoryStore()
    appending, reading = store.events.append, store.events.read
    stale = iter([True])

    async def read(stream, *, after=0, limit=None):
        if next(stale, False):
            return  # a replica that does not have it yet
        async for event in reading(stream, after=after, limit=limit):
            yield event

    await histories(store).take(cause("a"), STREAM, rename("a"))
    store.events.read = read
    taken = await histories(store).take(cause("a"), STREAM, rename("a"))
    assert (len(taken.events), taken.state.title) == (1, "a")
    assert appending == store.events.append


async def test_snapshots_spare_reading_and_change_nothing():
    store = MemoryStore()
    writing = histories(store, snapshot_every=10)
    for number in range(25):
        await writing.take(cause(number), STREAM, rename(f"t{number}"))
    version, _ = await store.events.load_snapshot(STREAM, FEED_SCHEMA)
    assert version == 20
    read = []
    reading = store.events.read

    async def counted(stream, *, after=0, limit=None):
        async for event in reading(stream, after=after, limit=limit):
            read.append(event.version)
            yield event

    store.events.read = counted
    state = await histories(store).load(STREAM)
    assert read == [21, 22, 23, 24, 25]
    assert state == await writing.load(STREAM)
    again = await histories(store).take(cause(3), STREAM, rename("never"))
    assert [one.version for one in again.events] == [4]


async def test_memory_is_bounded():
    store = MemoryStore()
    loading = histories(store, cached=5)
    for number in range(50):
        await loading.load(feed_stream(PROJECT, uuid(number)))
    assert len(loading._states) == 5


async def test_what_is_rejected_leaves_nothing():
    store = MemoryStore()

    def refuse(_state):
        raise Rejected("no")

    with pytest.raises(Rejected):
        await histories(store).take(cause("a"), STREAM, refuse)
    assert await store.events.version(STREAM) == 0
    assert (await histories(store).take(cause("a"), STREAM, lambda _state: [])).events == []


async def test_events_carry_their_story():
    store = MemoryStore()
    asked = msgspec.structs.replace(cause("a"), traceparent="00-1-2-3")
    (made,) = (await histories(store).take(asked, STREAM, rename("a"))).events
    assert (made.causationid, made.correlationid, made.authid) == (asked.id, asked.id, "anna")
    assert (made.traceparent, made.version, made.subject) == ("00-1-2-3", 1, STREAM)
