"""Rates of the stores: appends, compare-and-set on one stream, racing writers, facts, reading for a rebuild.

SQLite in a fresh folder; Cassandra of ``CHIPS_TEST_ENGINES``, else started. Printed, not asserted.

Run: ``python -m tests.bench.bench_store [EVENTS]``.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable
from pathlib import Path
from typing import NamedTuple

from streams.errors import Conflict
from streams.settings import Settings
from streams.store.api import MAX_APPEND, Fact, Store
from streams.store.opening import open_store
from tests.contract.making import drop_keyspace, events, new_keyspace, new_project, new_stream
from tests.engines.run import TestRun, shared_engines

EVENTS = 2_000
STREAMS = 64


class Row(NamedTuple):
    """One line of the table."""

    store: str
    what: str
    per_s: float


async def timed(rows: list[Row], store: str, what: str, count: int, work: Awaitable[object]) -> None:
    began = time.perf_counter()
    await work
    rows.append(Row(store, what, count / (time.perf_counter() - began)))


async def append_one_by_one(store: Store, stream: str, count: int) -> None:
    for version in range(count):
        await store.events.append(stream, version, events(stream, version, 1))


async def fill(store: Store, stream: str, count: int) -> None:
    for after in range(0, count, MAX_APPEND):
        await store.events.append(stream, after, events(stream, after, min(MAX_APPEND, count - after)))


async def many_streams(store: Store, count: int) -> None:
    each = count // STREAMS
    await asyncio.gather(*(append_one_by_one(store, new_stream(), each) for _ in range(STREAMS)))


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


async def measure_one(name: str, settings: Settings, count: int) -> list[Row]:
    rows: list[Row] = []
    store = await open_store(settings)

    async def note(what: str, count: int, work: Awaitable[object]) -> None:
        await timed(rows, name, what, count, work)

    try:
        await store.migrate()
        few, whole = max(1, count // 8), count // STREAMS * STREAMS
        stream, filled = new_stream(), [new_stream() for _ in range(4)]
        await note("append of 1 event, one stream, one writer", few, append_one_by_one(store, stream, few))
        await note(f"append of 1 event, {STREAMS} streams at once", whole, many_streams(store, whole))
        await note("append that wins, one stream, 4 racing writers", few, racing(store, new_stream(), few))
        filling = asyncio.gather(*(fill(store, stream, count) for stream in filled))
        await note(f"events in appends of {MAX_APPEND}, 4 streams at once", 4 * count, filling)
        await note("events read and decoded, as a rebuild does", 4 * count, read_all(store, filled))
        await note(f"facts, {STREAMS} writers", count, put_facts(store, new_project(), count))
    finally:
        await store.close()
    return rows


def measure(count: int = EVENTS) -> list[Row]:
    """Measure both stores, one after the other."""
    with tempfile.TemporaryDirectory(prefix="chips-bench-") as folder:
        settings = Settings(store=f"sqlite://{Path(folder) / 'store.db'}")
        rows = asyncio.run(measure_one("SQLite (WAL, synchronous=FULL)", settings, count))
    contact, keyspace = shared_engines().cassandra.address, new_keyspace()
    settings = Settings(store=f"cassandra://{contact}/{keyspace}")
    try:
        return rows + asyncio.run(measure_one("Cassandra 5, one node", settings, count))
    finally:
        drop_keyspace(contact, keyspace)


def markdown(rows: list[Row]) -> str:
    """Write the figures as a table."""
    lines = ["| store | what | per second |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {row.store} | {row.what} | {row.per_s:,.0f} |" for row in rows)])


def main() -> None:
    """Print the rates."""
    run = TestRun()
    try:
        print(markdown(measure(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS)))
    finally:
        run.end()


if __name__ == "__main__":
    main()
