from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry

from gateway.associations import Carried, carry, ended
from gateway.journal import Journal
from gateway.metrics import Metrics
from gateway.publisher import Publisher
from schemas.catalogue import PACS
from schemas.envelope import encode
from streams.bus import Position
from streams.errors import NewerFormat, Refused, Unavailable

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def entries(count: int) -> list[bytes]:
    state = Carried("01a207b6-ffd8-762b-9ab6-06032647caec", "default")
    for number in range(count):
        state = carry(state, f"{number:032x}")
    return [encode(event) for event in ended(state, "released", NOON)]


class Bus:
    """A producer that fails as told, before or after it wrote."""

    def __init__(self, failures=()):
        self.failures = list(failures)
        self.heard = []
        self.closed = False

    async def send_all(self, messages):
        messages = list(messages)
        failure = self.failures.pop(0) if self.failures else None
        if failure is None or failure[1] == "after":
            self.heard += messages
        if failure:
            raise failure[0]
        return [Position(message.topic, 0, 0) for message in messages]

    async def close(self):
        self.closed = True


@contextlib.asynccontextmanager
async def publishing(journal, bus, **options):
    registry = CollectorRegistry()
    publisher = Publisher(
        journal, lambda: bus, Metrics(registry), **({"back_off_s": (0.001, 0.002)} | options)
    )
    journal.on_durable = publisher.wake
    stop = asyncio.Event()
    task = asyncio.create_task(publisher.run(stop))
    try:
        yield publisher, task, registry
    finally:
        stop.set()
        await asyncio.wait({task})
        assert bus.closed


async def test_entries_go_in_order_under_topic_and_key_and_are_confirmed(tmp_path):
    journal, bus = Journal(tmp_path / "journal"), Bus()
    sent = entries(20)
    journal.append(sent[:5])
    async with publishing(journal, bus, batch=3) as (publisher, _, registry):
        for payload in sent[5:]:
            await asyncio.to_thread(journal.append, [payload])
        assert await publisher.drained(10)
        assert registry.get_sample_value("chips_gateway_published_total") == 20
    assert [message.value for message in bus.heard] == sent
    assert [message.key for message in bus.heard] == [f"series/default/{n:032x}" for n in range(20)]
    assert {message.topic for message in bus.heard} == {PACS.name}
    assert journal.backlog == 0


@pytest.mark.parametrize(
    "error", [Unavailable("away"), Refused("run chips migrate")], ids=["away", "refused"]
)
@pytest.mark.parametrize("written", ["before", "after"])
async def test_what_was_not_confirmed_is_sent_again_until_it_is(tmp_path, error, written):
    journal, bus = Journal(tmp_path / "journal"), Bus([(error, written)] * 7)
    sent = entries(6)
    journal.append(sent)
    async with publishing(journal, bus, batch=4) as (publisher, _, registry):
        assert await publisher.drained(10)
        assert publisher.problem is None
        assert registry.get_sample_value("chips_gateway_publish_failures_total") == 7
    assert list(dict.fromkeys(message.value for message in bus.heard)) == sent


async def test_while_the_bus_is_away_it_says_so_and_stops_at_once(tmp_path):
    journal, bus = Journal(tmp_path / "journal"), Bus([(Unavailable("nobody there"), "before")] * 1000)
    journal.append(entries(3))
    async with publishing(journal, bus, back_off_s=(30, 30)) as (publisher, _, _registry):
        async with asyncio.timeout(10):
            while publisher.problem is None:
                await asyncio.sleep(0)
        assert publisher.problem == "nobody there"
        assert not await publisher.drained(0.01)
    assert journal.backlog == 3
    assert Journal(tmp_path / "journal").backlog == 3


async def test_nothing_is_confirmed_before_the_bus_has_confirmed(tmp_path):
    journal, bus = Journal(tmp_path / "journal"), Bus()
    seen = []
    real = bus.send_all

    async def watched(messages):
        seen.append(journal.backlog)
        return await real(messages)

    bus.send_all = watched
    journal.append(entries(4))
    async with publishing(journal, bus, batch=2) as (publisher, _, _registry):
        assert await publisher.drained(10)
    assert seen == [4, 2]


async def test_an_entry_that_this_chips_does_not_know_ends_it_loudly(tmp_path):
    journal, bus = Journal(tmp_path / "journal"), Bus()
    journal.append([b'{"type": "chips.pacs.of_the_future.v9"}'])
    async with publishing(journal, bus) as (_, task, _registry):
        with pytest.raises(NewerFormat):
            await asyncio.wait_for(asyncio.shield(task), 10)
    assert journal.backlog == 1


async def test_waking_after_the_loop_is_gone_is_harmless(tmp_path):
    loop = asyncio.new_event_loop()

    async def make():
        return Publisher(Journal(tmp_path / "journal"), Bus, Metrics(CollectorRegistry()))

    publisher = await asyncio.to_thread(loop.run_until_complete, make())
    loop.close()
    publisher.wake()
