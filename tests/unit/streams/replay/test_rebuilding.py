"""A view made again says the same, switches whole, and misses nothing that happens meanwhile."""

from __future__ import annotations

import msgspec
import pytest

from streams.errors import Rejected, Unavailable
from streams.projections.views import VIEWS
from streams.replay import rebuilding
from streams.replay.comparing import diff
from streams.replay.rebuilding import parts, rebuild
from tests.unit.agents.flowing import PROJECT
from tests.unit.streams.replay.past import Past


@pytest.fixture
async def past():
    return await Past().live()


async def every_row(store, view, generation=None):
    generation = generation or await store.views.active(view)
    return {
        (project, scope, row.key): row
        for project, scope in await store.views.scopes(view, generation)
        for row in await store.views.rows(view, project, scope, generation=generation)
    }


@pytest.mark.parametrize("view", VIEWS)
async def test_a_view_made_again_is_the_same(past, view):
    before = await every_row(past.store, view)
    told = []
    made = await rebuild(past.store, view, on_progress=told.append)
    assert await past.store.views.active(view) == made.generation == 2
    assert await every_row(past.store, view) == before
    assert (made.feeds, made.events, made.rows, made.gaps) == (3, 15, len(before), [])
    assert (told[-1].feeds, told[-1].of, told[-1].events) == (3, 3, 15)


async def test_rows_that_nothing_makes_are_gone_afterwards(past):
    row = await past.store.views.row("card", PROJECT, "", past.feed(0))
    await past.store.views.put("card", 1, [msgspec.structs.replace(row, key="planted")])
    await rebuild(past.store, "card")
    assert await past.store.views.row("card", PROJECT, "", "planted") is None


@pytest.mark.parametrize("view", VIEWS)
async def test_what_happens_while_it_is_filled_is_in_it(past, view):
    """A comment in every feed, an old one and a new one, at each step of the rebuild."""
    reading = past.store.events.read

    async def read(stream, **how):
        async for event in reading(stream, **how):
            yield event
        if not Busy.now:
            Busy.now = True
            for number in (0, 1, 2):
                await past.comment(number, f"during {stream}")
            await past.receive(9)
            Busy.now = False

    class Busy:
        now = False

    past.store.events.read = read
    await rebuild(past.store, view)
    past.store.events.read = reading
    assert [one async for one in diff(past.store, view)] == []
    assert await past.store.views.filling(view) == [2]


async def test_a_rebuild_that_fails_leaves_pages_as_they_were(past):
    async def put(_view, _generation, _rows):
        raise Unavailable("away")

    putting, past.store.views.put = past.store.views.put, put
    with pytest.raises(Unavailable):
        await rebuild(past.store, "card")
    past.store.views.put = putting
    assert await past.store.views.active("card") == 1
    assert await past.store.views.filling("card") == [1]


async def at_time(past, view, at):
    return [row async for part in parts(past.store, view, at=at) for row in part.rows]


@pytest.mark.parametrize("view", VIEWS)
async def test_a_view_at_a_time_is_what_pages_read_then_and_nothing_is_written(past, view):
    at, then = past.clock(), await every_row(past.store, view)
    await past.comment(0, "later")
    now = await every_row(past.store, view)
    put = []
    past.store.views.put = put.append
    assert {(row.project, row.scope, row.key): row for row in await at_time(past, view, at)} == then != now
    assert {(row.project, row.scope, row.key): row for row in await at_time(past, view, None)} == now
    assert put == []
    assert await past.store.views.filling(view) == [1]


async def test_before_there_was_anything_there_is_nothing(past):
    first = (await anext(past.store.events.read(past.stream(0)))).recordedtime
    assert await at_time(past, "card", first.replace(year=2000)) == []


async def test_rows_come_in_parts_that_may_be_written_at_once(past, monkeypatch):
    monkeypatch.setattr(rebuilding, "BATCH", 2)
    for view in VIEWS:
        found = [part async for part in parts(past.store, view)]
        assert sum(len(part.rows) for part in found) == len(await every_row(past.store, view))
        assert max(len(part.rows) for part in found) <= 2


async def test_what_is_asked_wrongly_is_told(past):
    with pytest.raises(Rejected, match="no view"):
        await rebuild(past.store, "cards")
    with pytest.raises(Rejected, match="no view"):
        await at_time(past, "cards", None)
    with pytest.raises(Rejected, match="zone"):
        await at_time(past, "card", past.clock().replace(tzinfo=None))
