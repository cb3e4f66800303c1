"""Replay over a store on disk: a row and an event are planted in the tables, behind the store's back."""

from __future__ import annotations

import sqlite3

import pytest

from streams.projections.views import VIEWS
from streams.replay import comparing
from streams.replay.comparing import diff
from streams.replay.rebuilding import rebuild
from streams.store.sqlite.store import SqliteStore
from tests.unit.streams.replay.past import Past


@pytest.fixture
async def past(tmp_path, monkeypatch):
    monkeypatch.setattr(comparing, "LOOK_S", 0.01)
    store = SqliteStore(tmp_path / "store.db")
    await store.migrate()
    yield await Past(store).live(4)
    await store.close()


def plant(tmp_path, statement, *values):
    with sqlite3.connect(tmp_path / "store.db") as db:
        assert db.execute(statement, values).rowcount == 1


async def found(past, view):
    return {(one.kind, one.stream) async for one in diff(past.store, view)}


@pytest.mark.parametrize("view", VIEWS)
async def test_a_rebuilt_view_is_the_one_that_was_written_live(past, view):
    assert await found(past, view) == set()
    made = await rebuild(past.store, view)
    assert (made.feeds, made.gaps) == (4, [])
    assert await found(past, view) == set()


@pytest.mark.parametrize("view", VIEWS)
async def test_a_planted_missing_event_is_found_and_told_by_the_rebuild(past, view, tmp_path):
    plant(tmp_path, "DELETE FROM event WHERE stream = ? AND version = 4", past.stream(2))
    assert ("gap", past.stream(2)) in await found(past, view)
    made = await rebuild(past.store, view)
    assert [(gap.stream, gap.first, gap.last) for gap in made.gaps] == [(past.stream(2), 4, 4)]


@pytest.mark.parametrize("view", VIEWS)
async def test_a_planted_missing_last_event_is_found(past, view, tmp_path):
    plant(tmp_path, "DELETE FROM event WHERE stream = ? AND version = 5", past.stream(1))
    assert await found(past, view) == {("ahead", past.stream(1))}


async def test_a_planted_wrong_row_is_found_and_mended_by_a_rebuild(past, tmp_path):
    plant(
        tmp_path,
        "UPDATE view_row SET body = CAST(replace(CAST(body AS TEXT), 'liver', 'spleen') AS BLOB) "
        "WHERE view = 'card' AND key = ?",
        past.feed(3),
    )
    assert await found(past, "card") == {("wrong", past.stream(3))}
    await rebuild(past.store, "card")
    assert await found(past, "card") == set()
