"""What ``chips replay`` prints, over a store and a bus in a folder."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from deploy import replay
from schemas.catalogue import FEED
from schemas.envelope import encode
from streams.bus import Message
from streams.log.admin import LogAdmin
from streams.log.producer import LogProducer
from streams.store.sqlite.store import SqliteStore
from tests.contract.making import event, events, new_stream
from tests.sealing import sealed
from tests.unit.agents.flowing import PROJECT
from tests.unit.streams.replay.past import Past

TEXT = "a :warning: and a [bold] comment, wide enough that a terminal would break it " * 3


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CHIPS_DATA", str(tmp_path))
    monkeypatch.delenv("CHIPS_BUS", raising=False)
    monkeypatch.delenv("CHIPS_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
async def past(folder):
    store = SqliteStore(folder / "store.db")
    await store.migrate()
    yield await Past(store).live()
    await store.close()


@pytest.fixture
async def bus(folder):
    admin = LogAdmin(folder / "bus")
    await admin.create_topics()
    await admin.close()
    producer = LogProducer(folder / "bus")
    yield producer
    await producer.close()


async def test_a_view_at_a_time_is_printed_row_by_row(past, capsys):
    at = past.clock()
    past.clock.move(60)
    await past.comment(past.numbers[0], TEXT)
    for moment in (at, at.replace(tzinfo=None)):
        assert await replay.rebuild("card", moment) == 0
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert {line["key"] for line in lines} == {past.feed(number) for number in past.numbers}
        assert {(line["project"], line["version"], line["row"]["comments"]) for line in lines} == {
            (PROJECT, 5, 1)
        }
    assert await replay.rebuild("timeline", at + timedelta(hours=1)) == 0
    assert sealed(TEXT) in capsys.readouterr().out
    assert await past.store.views.active("card") == 1


async def test_tail_needs_no_store_and_gives_the_events_as_they_are(bus, monkeypatch, capsys):
    monkeypatch.setenv("CHIPS_STORE", "cassandra://127.0.0.1:1/chips")
    stream = new_stream()
    given = [encode(event(stream, number, TEXT)) for number in (1, 2, 3)]
    await bus.send_all(Message(FEED.name, stream, one) for one in given)
    asked = {"type_prefix": "chips.feed", "stream": None, "correlation": None, "beginning": False}
    assert await replay.tail(**asked, follow=False) == 0
    assert capsys.readouterr().out.splitlines() == [one.decode() for one in given]


async def test_diff_says_how_much_it_compared(past, bus, capsys):
    job, series = new_stream("job"), new_stream("series")
    await past.store.events.append(job, 0, events(job, 0, 2))
    await past.store.events.append(series, 0, events(series, 0, 1))
    async for one in past.store.events.read(past.stream(1)):
        await bus.send(Message(FEED.name, one.subject, encode(one)))
    assert await replay.diff("card") == 0
    said = capsys.readouterr().out
    assert said == "No difference. Compared: 3 feeds, 2 other streams, 5 events of the bus.\n"
    lost = new_stream()
    await bus.send(Message(FEED.name, lost, encode(event(lost, 1))))
    assert await replay.diff("card") == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(f"unstored  {lost}")
    assert said[1].startswith("1 differences.")
