"""Apps and transports in one process: starting, stopping, sharing; where Kafka and the folder differ."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from agents.app import run_agents
from agents.spec import AgentSpec, Patience
from schemas.catalogue import AGENTS
from streams.bus import Message
from streams.errors import Rejected, Unavailable
from streams.log.admin import LogAdmin
from streams.log.logs import Logs
from streams.opening import directory_of, open_admin, open_producer
from streams.settings import Settings
from streams.store.memory.store import MemoryStore
from tests.buses import TIERS, bus_of
from tests.guards.driving import event, worker_on

QUICK = Patience(away_s=0.5, failing_s=0.2, handler_s=5, stop_s=5, session_s=6)


@pytest.fixture(params=TIERS)
def bus(request, tmp_path):
    with bus_of(request.param, tmp_path, request) as made:
        yield made


@pytest.fixture
async def ports(bus):
    producer = open_producer(bus.settings)
    yield {"records": MemoryStore().records, "producer": producer}
    await producer.close()


@pytest.fixture
def name(bus, monkeypatch):
    monkeypatch.setitem(AGENTS, bus.prefix, "outer")
    monkeypatch.setitem(AGENTS, f"{bus.prefix}b", "outer")
    return bus.prefix


@contextlib.asynccontextmanager
async def running(bus, ports, *specs):
    """Run agents; a failure of theirs is raised at the end."""
    stop, ready = asyncio.Event(), asyncio.Event()
    work = asyncio.create_task(
        run_agents(bus.settings, specs, stop=stop, on_ready=ready.set, patience=QUICK, **ports)
    )
    waiting = asyncio.create_task(ready.wait())
    async with asyncio.timeout(60):
        await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(30):
            await work


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)


async def lag_of(bus, agent, *topics):
    """Count what is not committed, of the topics named where nothing is committed yet, too."""
    admin = open_admin(bus.settings)
    try:
        return sum((await admin.lag(f"chips-{agent}", [topic.name for topic in topics])).values())
    finally:
        await admin.close()


async def test_two_agents_of_one_process_have_their_own_places(bus, ports, name):
    one, two = bus.topic("one"), bus.topic("two")
    await bus.make(one, two)
    seen, also = [], []

    async def handle(found):
        seen.append(found.data.text)

    async def handle_also(found):
        also.append(found.data.text)

    first = AgentSpec(name, [one.name, two.name], handle)
    second = AgentSpec(f"{name}b", [one.name], handle_also)
    messages = [
        Message(topic.name, f"k{n}", event(f"{topic.name} {n}", f"k{n}"))
        for n in range(40)
        for topic in (one, two)
    ]
    async with running(bus, ports, first, second):
        await ports["producer"].send_all(messages)
        await until(lambda: len(seen) >= 80 and len(also) >= 40)
    assert len(seen) == len(set(seen)) == 80
    assert sorted(also) == sorted(text for text in seen if text.startswith(one.name))
    # Stopping commits what is done: nothing is handled again.
    assert await lag_of(bus, name) == await lag_of(bus, f"{name}b") == 0
    async with running(bus, ports, first, second):
        await ports["producer"].send(Message(one.name, "k", event("last", "k")))
        await until(lambda: "last" in seen and "last" in also)
    assert (len(seen), len(also)) == (81, 41)


async def test_one_that_fails_stops_its_process(bus, ports, name):
    one = bus.topic("one")
    await bus.make(one)

    async def handle(_event):
        raise Unavailable("the database is away")

    async def well(_event):
        pass

    specs = [AgentSpec(name, [one.name], handle), AgentSpec(f"{name}b", [one.name], well)]
    await ports["producer"].send(Message(one.name, "k", event("x", "k")))
    with pytest.raises(Unavailable, match="the database is away"):
        await run_agents(bus.settings, specs, stop=asyncio.Event(), patience=QUICK, **ports)


async def test_work_beside_a_handler_runs_and_its_failure_is_the_processs(bus, ports, name):
    one = bus.topic("one")
    await bus.make(one)
    beats = []

    async def sweep():
        while len(beats) < 3:
            beats.append(time.monotonic())
            await asyncio.sleep(0.05)
        raise Unavailable("the sweeper's database is away")

    async def handle(_event):
        pass

    spec = AgentSpec(name, [one.name], handle, [sweep])
    with pytest.raises(Unavailable, match="sweeper"):
        await run_agents(bus.settings, [spec], stop=asyncio.Event(), patience=QUICK, **ports)
    assert len(beats) == 3


async def test_a_missing_topic_is_said_at_the_start(bus, ports, name):
    await bus.make(bus.topic("other"))

    async def handle(_event):
        pass

    spec = AgentSpec(name, [bus.topic("one").name], handle)
    with pytest.raises(Rejected, match="chips migrate"):
        await run_agents(bus.settings, [spec], stop=asyncio.Event(), patience=QUICK, **ports)


async def test_a_bus_that_is_away_is_unavailable(tmp_path):
    stop = asyncio.Event()

    async def handle(_event):
        pass

    spec = AgentSpec("feeds", ["chips.feed.v1"], handle)
    for settings in (Settings(data=str(tmp_path)), Settings(bus="kafka://127.0.0.1:1")):
        with pytest.raises(Unavailable):
            await run_agents(settings, [spec], records=MemoryStore().records, producer=None, stop=stop)


async def test_messages_that_expired_before_they_were_read_hold_nothing_up(tmp_path, request, monkeypatch):
    with bus_of("embedded", tmp_path, request) as bus:
        monkeypatch.setitem(AGENTS, bus.prefix, "outer")
        one = bus.topic("one", partitions=1)
        await bus.make(one)
        producer = open_producer(bus.settings)
        ports = {"records": MemoryStore().records, "producer": producer}
        seen = []

        async def handle(found):
            seen.append(found.data.text)

        spec = AgentSpec(bus.prefix, [one.name], handle)
        await producer.send_all(Message(one.name, "k", event(str(n), "k")) for n in range(3))
        async with running(bus, ports, spec):
            await until(lambda: len(seen) == 3)
        await producer.send_all(Message(one.name, "k", event(f"lost {n}", "k")) for n in range(5))
        admin = LogAdmin(directory_of(bus.settings), [bus.topic("one", partitions=1, retention_s=-1000)])
        await admin.create_topics()
        assert await admin.trim() == 8
        await bus.make(one)
        assert await lag_of(bus, bus.prefix) == 0
        await producer.send(Message(one.name, "k", event("next", "k")))
        async with running(bus, ports, spec):
            await until(lambda: "next" in seen)
        assert seen == ["0", "1", "2", "next"]
        assert await lag_of(bus, bus.prefix) == 0
        logs = Logs(directory_of(bus.settings))
        assert logs.committed(f"chips-{bus.prefix}") == {(one.name, 0): 9}
        logs.close()
        await admin.close()
        await producer.close()


async def test_a_second_worker_of_an_embedded_app_is_refused_and_the_first_goes_on(tmp_path, request):
    with bus_of("embedded", tmp_path, request) as bus:
        async with worker_on(bus, tmp_path) as worker:
            worker.start()
            worker.until_line("ready")
            first = worker.process
            worker.start()
            second, worker.process = worker.process, first
            assert second.wait(60) == 78
            assert f"Process {first.pid} already consumes as chips-{bus.prefix}" in worker.lines()[-1]
            await worker.tell("a: ok 1")
            worker.until_line("end ok 1")


@pytest.mark.real
async def test_a_second_worker_on_kafka_shares_and_nothing_is_lost_when_partitions_move(
    tmp_path, request, monkeypatch
):
    with bus_of("kafka", tmp_path, request) as bus:
        monkeypatch.setitem(AGENTS, bus.prefix, "outer")
        one = bus.topic("one", partitions=4)
        await bus.make(one)
        producer = open_producer(bus.settings)
        ports = {"records": MemoryStore().records, "producer": producer}
        by = {"a": [], "b": []}

        def agent(who):
            async def handle(found):
                # Long enough that some are always under way when partitions move.
                await asyncio.sleep(0.3)
                by[who].append(found.data.text)

            return AgentSpec(bus.prefix, [one.name], handle)

        sent = [f"{n}" for n in range(600)]
        await producer.send_all(
            Message(one.name, f"k{n}", event(text, f"k{n}")) for n, text in enumerate(sent)
        )
        async with running(bus, ports, agent("a")):
            await until(lambda: by["a"])
            async with running(bus, ports, agent("b")):
                await until(lambda: by["b"])
                more = [f"more {n}" for n in range(100)]
                await producer.send_all(
                    Message(one.name, f"m{text}", event(text, f"m{text}")) for text in more
                )
                await until(lambda: set(by["b"]) & set(more))
            # Not when each was handled once: what was under way when partitions moved is done again by its
            # new owner, since nobody may acknowledge what is no longer theirs.
            deadline = time.monotonic() + 60
            while left := await lag_of(bus, bus.prefix, one):
                assert time.monotonic() < deadline, f"{left} are not committed"
                await asyncio.sleep(0.2)
            assert {*by["a"], *by["b"]} == {*sent, *more}
        assert await lag_of(bus, bus.prefix, one) == 0
        await producer.close()
