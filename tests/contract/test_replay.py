"""Replay over every store: what is planted behind a store's back is found, and a rebuild mends its views."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator

import msgspec
import pytest

from schemas.envelope import parse_stream
from streams.projections.views import VIEWS
from streams.replay import comparing
from streams.replay.comparing import diff, diff_streams
from streams.replay.rebuilding import rebuild
from streams.settings import Settings
from streams.store.memory.store import MemoryStore
from streams.store.opening import open_store
from streams.store.sqlite.store import SqliteStore
from tests.contract.making import ENGINES, drop_keyspace, events, new_keyspace, new_stream
from tests.unit.agents.flowing import PROJECT
from tests.unit.streams.replay.past import Past

NUMBERS = itertools.count(0, 10)
"""Feeds of each test's own, for on Cassandra the tests of this module share a keyspace."""


@pytest.fixture(scope="module")
def replayed_keyspace(cassandra_contact: str) -> Iterator[str]:
    """A keyspace in which all feeds are these tests' own: a comparison looks at every one."""
    keyspace = new_keyspace()
    yield f"cassandra://{cassandra_contact}/{keyspace}"
    drop_keyspace(cassandra_contact, keyspace)


@pytest.fixture(params=ENGINES)
def settings(request, tmp_path) -> Settings:
    if request.param == "memory":
        return Settings(store="memory://here")
    if request.param == "sqlite":
        return Settings(store=f"sqlite://{tmp_path / 'store.db'}")
    return Settings(store=request.getfixturevalue("replayed_keyspace"))


@pytest.fixture
async def past(settings, monkeypatch):
    monkeypatch.setattr(comparing, "LOOK_S", 0.01)
    store = await open_store(settings)
    await store.migrate()
    yield await Past(store).live(3, first=next(NUMBERS))
    await store.close()


async def drop_event(store, stream: str, version: int) -> None:
    """Take an event out of the tables, as no store would."""
    if isinstance(store, MemoryStore):
        del store.events._streams[stream][version - 1]
    elif isinstance(store, SqliteStore):
        with sqlite3.connect(store._database.file) as db:
            planted = db.execute("DELETE FROM event WHERE stream=? AND version=?", (stream, version))
            assert planted.rowcount == 1
    else:
        await store._session.run_unprepared(
            "DELETE FROM event WHERE stream=%s AND bucket=0 AND version=%s",
            stream,
            version,
            keyspace=store._session.keyspace,
        )
    assert version not in [event.version async for event in store.events.read(stream)]


async def found(past, view):
    ours = {past.stream(number) for number in past.numbers}
    return {(one.kind, one.stream) async for one in diff(past.store, view) if one.stream in ours}


@pytest.mark.parametrize("view", VIEWS)
async def test_a_rebuilt_view_is_the_one_that_was_written_live(past, view):
    assert await found(past, view) == set()
    before = await past.store.views.active(view)
    made = await rebuild(past.store, view)
    assert made.feeds >= 3
    assert await past.store.views.active(view) == made.generation > before
    assert await found(past, view) == set()


@pytest.mark.parametrize("view", VIEWS)
async def test_a_planted_missing_event_is_found_and_told_by_the_rebuild(past, view):
    stream = past.stream(past.numbers[2])
    await drop_event(past.store, stream, 4)
    assert ("gap", stream) in await found(past, view)
    made = await rebuild(past.store, view)
    assert [(gap.first, gap.last) for gap in made.gaps if gap.stream == stream] == [(4, 4)]


@pytest.mark.parametrize("view", VIEWS)
async def test_a_planted_missing_last_event_is_found(past, view):
    stream = past.stream(past.numbers[1])
    await drop_event(past.store, stream, 5)
    assert await found(past, view) == {("ahead", stream)}


async def test_a_planted_wrong_row_is_found_and_mended_by_a_rebuild(past):
    number = past.numbers[0]
    active = await past.store.views.active("card")
    row = await past.store.views.row("card", PROJECT, "", past.feed(number))
    wrong = msgspec.structs.replace(row, body=row.body.replace(b"liver", b"spleen"))
    assert wrong != row
    await past.store.views.put("card", active, [wrong])
    assert await found(past, "card") == {("wrong", past.stream(number))}
    await rebuild(past.store, "card")
    assert await found(past, "card") == set()


@pytest.mark.parametrize("category", ["job", "series"])
async def test_a_missing_event_of_a_job_or_a_series_is_found(past, category):
    whole, holed = new_stream(category), new_stream(category)
    for stream in (whole, holed):
        await past.store.events.append(stream, 0, events(stream, 0, 6))
    await drop_event(past.store, holed, 5)
    await drop_event(past.store, holed, 2)
    read = []
    told = [
        one async for one in diff_streams(past.store, on_read=read.append) if one.stream in {whole, holed}
    ]
    assert [(one.kind, one.stream, one.place) for one in told] == [("gap", holed, "2"), ("gap", holed, "5")]
    assert read[-1] >= 2
    assert parse_stream(told[0].stream)[0] == category
