"""A comparison tells what was planted, and nothing where all is well."""

from __future__ import annotations

import msgspec
import pytest

from schemas.catalogue import FEED, decode
from schemas.envelope import encode
from streams.bus import Message
from streams.projections.views import VIEWS
from streams.replay import comparing
from streams.replay.comparing import STREAM_TOPICS, diff, diff_bus
from tests.contract.making import events, new_stream
from tests.unit.agents.flowing import PROJECT
from tests.unit.streams.replay.past import MemoryTail, Past


@pytest.fixture
async def past(monkeypatch):
    monkeypatch.setattr(comparing, "LOOK_S", 0.01)
    return await Past().live()


async def found(past, view):
    return [(one.kind, one.stream, one.place, one.detail) async for one in diff(past.store, view)]


def stored(past, number):
    """The rows of the event table: to plant what a store would never do."""
    return past.store.events._streams[past.stream(number)]


@pytest.mark.parametrize("view", VIEWS)
async def test_nothing_is_told_where_all_is_well(past, view):
    told = []
    assert [one async for one in diff(past.store, view, on_progress=told.append)] == []
    assert (told[-1].feeds, told[-1].of) == (3, 3)


async def test_a_planted_wrong_row_is_told_with_its_fields(past):
    row = await past.store.views.row("card", PROJECT, "", past.feed(1))
    card = msgspec.json.decode(row.body)
    wrong = msgspec.json.encode(card | {"title": "planted", "comments": 99}, order="deterministic")
    await past.store.views.put("card", 1, [msgspec.structs.replace(row, body=wrong)])
    assert await found(past, "card") == [
        ("wrong", past.stream(1), past.feed(1), "differs in comments, title")
    ]
    assert await found(past, "feed") == []


async def test_a_planted_wrong_row_of_a_timeline_is_told(past):
    rows = await past.store.views.rows("timeline", PROJECT, past.feed(2))
    told = msgspec.json.decode(rows[2].body) | {"text": "planted"}
    await past.store.views.put(
        "timeline", 1, [msgspec.structs.replace(rows[2], body=msgspec.json.encode(told))]
    )
    assert [one[:3] for one in await found(past, "timeline")] == [("wrong", past.stream(2), rows[2].key)]


async def test_a_row_that_is_gone_is_told(past):
    row = await past.store.views.row("feed", PROJECT, "", past.feed(0))
    await past.store.views.delete("feed", 1, row)
    assert [one[:3] for one in await found(past, "feed")] == [("missing", past.stream(0), past.feed(0))]


@pytest.mark.parametrize("view", VIEWS)
async def test_a_row_that_no_event_makes_is_told(past, view):
    stranger = await Past().live(9)
    for row in await every_row_of(stranger, view, 8):
        await past.store.views.put(view, 1, [row])
    assert {one[:2] for one in await found(past, view)} == {("surplus", past.stream(8))}


async def every_row_of(past, view, number):
    if view == "timeline":
        return await past.store.views.rows(view, PROJECT, past.feed(number))
    return [await past.store.views.row(view, PROJECT, "", past.feed(number))]


@pytest.mark.parametrize("view", VIEWS)
async def test_a_planted_missing_event_is_told(past, view, monkeypatch):
    """Within the stream it is a gap; a store numbers what it has, so its reading is replaced."""
    gone = stored(past, 1)[2]

    async def read(stream, *, after=0, limit=None):
        bodies = [
            body for row in past.store.events._streams.get(stream, []) if row != gone for body in row[1:]
        ]
        for event in [decode(body) for body in bodies if decode(body).version > after][:limit]:
            yield event

    monkeypatch.setattr(past.store.events, "read", read)
    kinds = {(kind, stream, place) for kind, stream, place, _ in await found(past, view)}
    assert ("gap", past.stream(1), "3") in kinds
    assert {stream for _, stream, _ in kinds} == {past.stream(1)}


@pytest.mark.parametrize("view", VIEWS)
async def test_a_missing_last_event_is_told(past, view):
    stored(past, 0).pop()
    assert {one[:2] for one in await found(past, view)} == {("ahead", past.stream(0))}


async def test_an_event_that_is_only_on_the_bus_is_told(past):
    tail, read = MemoryTail(past.bus), []
    assert [one async for one in diff_bus(past.store, tail, FEED.name, on_read=read.append)] == []
    assert read[-1] == 15
    lost = decode(stored(past, 2).pop()[1])
    (only,) = [one async for one in diff_bus(past.store, tail, FEED.name)]
    assert (only.kind, only.stream) == ("unstored", past.stream(2))
    assert lost.id in only.detail


@pytest.mark.parametrize(("topic", "category"), [*zip(STREAM_TOPICS, ["feed", "job", "series"], strict=True)])
async def test_a_lost_event_of_any_kind_of_stream_is_told_from_the_bus(past, topic, category):
    stream, tail = new_stream(category), MemoryTail(past.bus)
    given = events(stream, 0, 3)
    await past.store.events.append(stream, 0, given[:2])
    outside = msgspec.structs.replace(given[0], subject=new_stream(category), sequence=None)
    for event in [*given, outside]:
        await past.bus.send(Message(topic.name, stream, encode(event)))
    told = [one async for one in diff_bus(past.store, tail, topic.name)]
    assert [(one.kind, one.stream) for one in told] == [("unstored", stream)]
    assert given[2].id in told[0].detail


async def test_what_is_only_on_its_way_is_not_wrong(past, monkeypatch):
    views = past.store.views
    look, row = views.row, await views.row("card", PROJECT, "", past.feed(0))
    await views.delete("card", 1, row)
    looks = []

    async def look_before_it_comes(*place):
        seen = await look(*place)
        if place[-1] == past.feed(0):
            looks.append(seen)
            await views.put("card", 1, [row])
        return seen

    monkeypatch.setattr(views, "row", look_before_it_comes)
    assert await found(past, "card") == []
    assert looks == [None, row]
