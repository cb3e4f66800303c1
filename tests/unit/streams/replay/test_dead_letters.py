"""Dead letters are listed once, shown, and released with all that waits behind their key."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from streams.bus import Message, Record
from streams.dead_letters import Parked, compose, parked_kind
from streams.errors import Rejected
from streams.replay.dead_letters import letters, parked_keys, release, show
from streams.store.memory.store import MemoryStore
from tests.unit.agents.flowing import Bus
from tests.unit.streams.replay.past import MemoryTail

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FROM = "chips.command.v1"


class Letters(Bus):
    """A bus that keeps headers."""

    async def send(self, message):
        position = await super().send(message)
        self.topics[message.topic][-1] = (message.key, message.value, message.headers)
        return position


class HeaderTail(MemoryTail):
    def record(self, topic, offset, record):
        key, value, headers = record
        return Record(topic, 0, offset, 0, key.encode(), value, headers)


class Office:
    def __init__(self):
        self.bus, self.records = Letters(), MemoryStore().records
        self.tail = HeaderTail(self.bus)

    async def give_up(self, key, offset, reason="poison", value=b"bytes", agent="feeds"):
        record = Record(FROM, 3, offset, 0, key.encode() if key else None, value, [("traceparent", b"t")])
        await self.bus.send(
            compose(record, to=f"chips.dlq.{agent}.v1", reason=reason, why="because", attempts=1, at=NOW)
        )
        if key:
            body = msgspec.json.encode(Parked(FROM, 3, offset, NOW))
            await self.records.put(parked_kind(agent), key, body)

    async def listed(self):
        return [(one.name, one.released) async for one in letters(self.tail, self.records)]


@pytest.fixture
async def office():
    office = Office()
    await office.give_up("a", 10)
    await office.give_up("b", 11)
    await office.give_up("a", 12, "parked", b"later")
    await office.give_up("s", 13, agent="arrivals")
    return office


async def test_they_are_listed_with_their_keys(office):
    assert await office.listed() == [
        ("arrivals/0/0", False),
        ("feeds/0/0", False),
        ("feeds/0/1", False),
        ("feeds/0/2", False),
    ]
    assert {(one.agent, one.key) for one in await parked_keys(office.records)} == {
        ("feeds", "a"),
        ("feeds", "b"),
        ("arrivals", "s"),
    }


async def test_one_that_was_written_twice_is_listed_once(office):
    await office.give_up("a", 10)
    assert len(await office.listed()) == 4


async def test_one_is_shown_with_its_bytes_and_where_it_came_from(office):
    found = await show(office.tail, office.records, "feeds/0/1")
    assert (found.letter.topic, found.letter.partition, found.letter.offset) == (FROM, 3, 11)
    assert (found.letter.why, found.letter.original.value) == ("because", b"bytes")
    for name in ("feeds/0/99", "nobody/0/0", ""):
        with pytest.raises(Rejected):
            await show(office.tail, office.records, name)


async def test_a_key_is_released_whole_in_its_order_and_once(office):
    sent = await release(office.tail, office.bus, office.records, "feeds/0/2")
    assert [one.name for one in sent] == ["feeds/0/0", "feeds/0/2"]
    assert office.bus.topics[FROM] == [
        ("a", b"bytes", (("traceparent", b"t"),)),
        ("a", b"later", (("traceparent", b"t"),)),
    ]
    assert {one.key for one in await parked_keys(office.records)} == {"b", "s"}
    assert await office.listed() == [
        ("arrivals/0/0", False),
        ("feeds/0/0", True),
        ("feeds/0/1", False),
        ("feeds/0/2", True),
    ]
    with pytest.raises(Rejected, match="released already"):
        await release(office.tail, office.bus, office.records, "feeds/0/0")


async def test_one_that_dies_again_has_a_new_name(office):
    await release(office.tail, office.bus, office.records, "feeds/0/1")
    await office.give_up("b", 40)
    assert ("feeds/0/3", False) in await office.listed()


async def test_one_without_a_key_goes_alone(office):
    await office.give_up("", 50)
    await office.give_up("", 51)
    (sent,) = await release(office.tail, office.bus, office.records, "feeds/0/3")
    assert sent.letter.offset == 50


async def test_what_is_no_letter_is_passed_over(office):
    await office.bus.send(Message("chips.dlq.feeds.v1", "k", b"rubbish"))
    assert len(await office.listed()) == 4
