"""Rates of the stores: appends, compare-and-set on one stream, racing writers, facts, rebuilding views.

SQLite in a fresh folder; Cassandra of ``CHIPS_TEST_ENGINES``, else started. Printed, not asserted.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Awaitable
from pathlib import Path
from typing import NamedTuple

import msgspec

from schemas.catalogue import type_of
from schemas.feed import FeedCreated
from schemas.identity import feed_stream
from streams.errors import Conflict
from streams.projections.views import VIEWS
from streams.replay.rebuilding import rebuild
from streams.settings import Settings
from streams.store.api import MAX_APPEND, Fact, Store
from streams.store.opening import open_store
from tests.bench.figures import Spread, ranged, spread, table
from tests.contract.making import drop_keyspace, event, events, new_keyspace, new_project, new_stream
from tests.engines.run import shared_engines

EVENTS = 1_000
STREAMS = 64
FEED_EVENTS = 100
ROUNDS = 3
TITLE = "The stores"
ABOUT = (
    "One process, one event loop. A single append is one compare-and-set (on Cassandra a lightweight "
    "transaction), on the disk when it returns. Rebuilding reads feeds of "
    f"{FEED_EVENTS} events each from the store, folds them and writes the view's new generation, as `chips "
    "replay rebuild` does; its rate counts the events read. `timeline` has a row for each event, `card` and "
    "`feed` have one for each feed."
)


class Row(NamedTuple):
    """One line of the table."""

    store: str
    what: str
    per_s: Spread


Rates = defaultdict[tuple[str, str], list[float]]


async def timed(rates: Rates, store: str, what: str, count: int, work: Awaitable[object]) -> None:
    began = time.perf_counter()
    await work
    rates[store, what].append(count / (time.perf_counter() - began))


async def append_one_by_one(store: Store, stream: str, count: int) -> None:
    for version in range(count):
        await store.events.append(stream, version, events(stream, version, 1))


async def fill_from(store: Store, stream: str, first: int, count: int) -> None:
    for after in range(first, count, MAX_APPEND):
        await store.events.append(stream, after, events(stream, after, min(MAX_APPEND, count - after)))


async def many_streams(store: Store, count: int) -> None:
    each = count // STREAMS
    await asyncio.gather(*(append_one_by_one(store, new_stream("job"), each) for _ in range(STREAMS)))


async def racing(store: Store, stream: str, count: int) -> None:
    """Four writers load and append until `count` events are there."""

    async def writer() -> None:
        while (version := await store.events.version(stream)) < count:
            try:
                await store.events.append(stream, version, events(stream, version, 1))
            except Conflict:
                continue

    await asyncio.gather(*(writer() for _ in range(4)))


async def put_facts(store: Store, project: str, count: int) -> None:
    facts = [Fact(project, "stored", "scope", uuid.uuid4().hex, b"x" * 400) for _ in range(count)]

    async def put(mine: list[Fact]) -> None:
        for fact in mine:
            await store.facts.put([fact])

    await asyncio.gather(*(put(facts[n::STREAMS]) for n in range(STREAMS)))


async def read_all(store: Store, streams: list[str]) -> None:
    for stream in streams:
        async for _ in store.events.read(stream):
            pass


async def fill_feed(store: Store, count: int) -> None:
    """A feed of its own project: created, then commented."""
    feed = str(uuid.uuid4())
    stream = feed_stream("rebuilt", feed)
    created = msgspec.structs.replace(
        event(stream, 1),
        type=type_of(data := FeedCreated(project="rebuilt", feed=feed, title="Study")),
        data=data,
    )
    await store.events.append(stream, 0, [created])
    await fill_from(store, stream, 1, count)


async def measure_one(name: str, settings: Settings, count: int, rates: Rates) -> None:
    store = await open_store(settings)

    async def note(what: str, count: int, work: Awaitable[object]) -> None:
        await timed(rates, name, what, count, work)

    try:
        await store.migrate()
        few, whole = max(1, count // 8), count // STREAMS * STREAMS
        stream, filled = new_stream("job"), [new_stream("job") for _ in range(4)]
        await note("append of 1 event, one stream, one writer", few, append_one_by_one(store, stream, few))
        await note(f"append of 1 event, {STREAMS} streams at once", whole, many_streams(store, whole))
        await note(
            "append that wins, one stream, 4 racing writers", few, racing(store, new_stream("job"), few)
        )
        filling = asyncio.gather(*(fill_from(store, stream, 0, count) for stream in filled))
        await note(f"events in appends of {MAX_APPEND}, 4 streams at once", 4 * count, filling)
        await note("events read and decoded", 4 * count, read_all(store, filled))
        await note(f"facts, {STREAMS} writers", count, put_facts(store, new_project(), count))
        feeds = 4 * count // FEED_EVENTS
        for _ in range(feeds):
            await fill_feed(store, FEED_EVENTS)
        for view in VIEWS:
            began = time.perf_counter()
            rebuilt = await rebuild(store, view)
            assert (rebuilt.feeds, rebuilt.events, rebuilt.gaps) == (feeds, feeds * FEED_EVENTS, [])
            rates[name, f"events in a rebuild of the view `{view}`"].append(
                rebuilt.events / (time.perf_counter() - began)
            )
    finally:
        await store.close()


def measure(count: int = EVENTS, rounds: int = ROUNDS) -> list[Row]:
    """Measure both stores in turns, each in a fresh place."""
    rates: Rates = defaultdict(list)
    contact = shared_engines().cassandra.address
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="chips-bench-") as folder:
            settings = Settings(store=f"sqlite://{Path(folder) / 'store.db'}")
            asyncio.run(measure_one("SQLite (WAL, synchronous=FULL)", settings, count, rates))
        keyspace = new_keyspace()
        settings = Settings(store=f"cassandra://{contact}/{keyspace}")
        try:
            asyncio.run(measure_one("Cassandra, one node", settings, count, rates))
        finally:
            drop_keyspace(contact, keyspace)
    return [Row(store, what, spread(found)) for (store, what), found in sorted(rates.items(), key=_by_store)]


def _by_store(item: tuple[tuple[str, str], list[float]]) -> bool:
    return item[0][0].startswith("Cassandra")


def markdown(rows: list[Row]) -> str:
    """Write the figures as a table."""
    return table(
        ["store", "what", "per second"], ([row.store, row.what, ranged(row.per_s)] for row in rows), left=2
    )
