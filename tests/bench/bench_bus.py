"""Events/s of our consume loop, with one store append and one publish a message, beside bare Faust.

Embedded: the folder's bus and SQLite. Real: Kafka and Cassandra (of ``CHIPS_TEST_ENGINES``, else started).
Messages lie in the topic beforehand; the clock runs from the first that is handled to the last.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
import uuid
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import faust
import msgspec
from faust.transport.drivers.aiokafka import Transport as StockKafka

from agents.app import run_agents
from agents.spec import AgentSpec
from agents.transport.embedded import EmbeddedTransport
from schemas.catalogue import AGENTS, Topic, dead_letters
from schemas.envelope import encode, sequence_of
from schemas.identity import feed_stream
from streams.bus import Message
from streams.kafka.admin import KafkaAdmin
from streams.kafka.connection import Connection
from streams.log.admin import LogAdmin
from streams.opening import directory_of, open_producer
from streams.settings import Settings
from streams.store.opening import open_store
from tests.bench.figures import Spread, ranged, spread, table
from tests.contract.making import drop_keyspace, new_keyspace
from tests.engines.run import shared_engines
from tests.guards.driving import event

MESSAGES = 3000
KEYS = 200
PARTITIONS = 4
SECONDS = 300
TITLE = "The consume loop"
ABOUT = (
    f"{MESSAGES:,} messages of {KEYS} keys lie in {PARTITIONS} partitions; one consumer takes them, from the "
    "first handled to the last. Bare Faust hands messages on as they are, acknowledges what it took and does "
    "nothing else; our loop decodes and checks each, keeps the order of its key, runs different keys side by "
    "side, and commits only what is handled. An append is awaited (on the disk; on Cassandra a lightweight "
    "transaction under `commitlog_sync: batch`) before the publish, and the publish (confirmed by all "
    "in-sync replicas) before the acknowledgement."
)
ROUNDS = 3


class Row(NamedTuple):
    """One figure."""

    tier: str
    what: str
    per_s: Spread


class Bench:
    """A bus and a store with topics of their own."""

    def __init__(self, tier: str, settings: Settings, messages: int) -> None:
        self.tier, self.settings, self.messages = tier, settings, messages
        self.seen = 0
        self.began = 0.0
        self.done = asyncio.Event()

    async def prepare(self) -> None:
        self.agent = f"b{uuid.uuid4().hex[:12]}"
        AGENTS[self.agent] = "outer"
        self.input, self.out = (
            Topic(name=f"chips.{self.agent}.{name}.v1", zone="outer", partitions=PARTITIONS, retention_s=3600)
            for name in ("in", "out")
        )
        topics = [self.input, self.out, dead_letters(self.agent)]
        kafka = self.settings.bus_url.startswith("kafka")
        admin = (
            KafkaAdmin(Connection.of(self.settings), topics=topics)
            if kafka
            else LogAdmin(directory_of(self.settings), topics)
        )
        await admin.create_topics()
        await admin.close()
        self.store = await open_store(self.settings)
        await self.store.migrate()
        self.producer = open_producer(self.settings)

    async def fill(self) -> float:
        """Put the messages into the topic; give messages/s."""
        made = [(f"k{n % KEYS}", event("x" * 150, f"k{n % KEYS}")) for n in range(self.messages)]
        await self.producer.send(Message(self.out.name, "warm", b""))
        began = time.perf_counter()
        await self.producer.send_all(Message(self.input.name, key, value) for key, value in made)
        return self.messages / (time.perf_counter() - began)

    def count(self) -> None:
        self.began = self.began or time.perf_counter()
        self.seen += 1
        if self.seen == self.messages:
            self.rate = (self.messages - 1) / (time.perf_counter() - self.began)
            self.done.set()

    async def bare(self) -> float:
        """Faust alone: its own Kafka driver and its own acknowledgement, a handler that does nothing."""
        kafka = self.settings.bus_url.startswith("kafka")
        app = faust.App(
            f"bare-{self.agent}",
            broker=self.settings.bus_url if kafka else "embedded://bus",
            topic_allow_declare=False,
            topic_disable_leader=True,
            consumer_auto_offset_reset="earliest",
            value_serializer="raw",
            key_serializer="raw",
            web_enabled=False,
            datadir=self.settings.data,
        )
        app.transport = (
            StockKafka(app.conf.broker_consumer, app)
            if kafka
            else EmbeddedTransport(app.conf.broker_consumer, app, directory=directory_of(self.settings))
        )

        async def consume(stream):
            async for found in (stream if kafka else stream.noack()).events():
                self.count()
                if not kafka:
                    found.ack()

        app.agent(app.topic(self.input.name), concurrency=1)(consume)
        async with asyncio.timeout(SECONDS):
            await app.start()
            await self.done.wait()
        await app.stop()
        return self.rate

    async def loop(self, handle) -> float:
        async def counted(found):
            await handle(found)
            self.count()

        spec = AgentSpec(self.agent, [self.input.name], counted)
        async with asyncio.timeout(SECONDS):
            await run_agents(
                self.settings, [spec], records=self.store.records, producer=self.producer, stop=self.done
            )
        return self.rate

    async def nothing(self) -> float:
        """Our loop, with a handler that does nothing."""

        async def handle(_found):
            pass

        return await self.loop(handle)

    async def append(self) -> float:
        """Our loop, with an append to the key's stream a message."""
        return await self.loop(self.effects(append=True, publish=False))

    async def publish(self) -> float:
        """Our loop, with a publish a message."""
        return await self.loop(self.effects(append=False, publish=True))

    async def append_and_publish(self) -> float:
        """Our loop, with an append to the key's stream and a publish a message, each awaited."""
        return await self.loop(self.effects(append=True, publish=True))

    def effects(self, *, append: bool, publish: bool):
        versions: dict[str, int] = defaultdict(int)
        feeds = {f"k{n}": feed_stream("p", str(uuid.uuid4())) for n in range(KEYS)}

        async def handle(found):
            key = found.partitionkey
            stream, version = feeds[key], versions[key]
            made = msgspec.structs.replace(found, subject=stream, sequence=sequence_of(version + 1))
            if append:
                await self.store.events.append(stream, version, [made])
            versions[key] = version + 1
            if publish:
                await self.producer.send(Message(self.out.name, key, encode(made)))

        return handle

    async def close(self) -> None:
        await self.producer.close()
        await self.store.close()


async def one(tier: str, settings: Settings, messages: int, what: str) -> tuple[float, float]:
    bench = Bench(tier, settings, messages)
    await bench.prepare()
    try:
        filled = await bench.fill()
        return filled, await getattr(bench, what)()
    finally:
        await bench.close()


WHATS = {
    "bare": "bare Faust, no effect",
    "nothing": "our loop, no effect",
    "publish": "our loop, one publish",
    "append": "our loop, one append",
    "append_and_publish": "our loop, one append and one publish",
}
FILLED_FOR = "append_and_publish"
"""Each fills a topic first; this one's filling is what the table tells, once a round like the rest."""


def measure(messages: int = MESSAGES, rounds: int = ROUNDS) -> list[Row]:
    """Measure both tiers, in turns."""
    rates: dict[tuple[str, str], list[float]] = defaultdict(list)
    engines = shared_engines()
    keyspace = new_keyspace()
    with tempfile.TemporaryDirectory(prefix="chips-bench-") as folder:
        tiers = {
            "embedded": Settings(data=str(Path(folder) / "data")),
            "Kafka, Cassandra": Settings(
                data=str(Path(folder) / "real"),
                bus=f"kafka://{engines.kafka.address}",
                store=f"cassandra://{engines.cassandra.address}/{keyspace}",
            ),
        }
        try:
            for _ in range(rounds):
                for tier, settings in tiers.items():
                    for what, title in WHATS.items():
                        filled, rate = asyncio.run(one(tier, settings, messages, what))
                        rates[tier, title].append(rate)
                        if what == FILLED_FOR:
                            rates[tier, "produce (send_all)"].append(filled)
        finally:
            drop_keyspace(engines.cassandra.address, keyspace)
    return [Row(tier, what, spread(found)) for (tier, what), found in sorted(rates.items(), key=_place)]


def _place(item: tuple[tuple[str, str], list[float]]) -> tuple[bool, int]:
    (tier, what), _ = item
    titles = list(WHATS.values())
    return tier != "embedded", titles.index(what) if what in titles else len(titles)


def markdown(rows: list[Row]) -> str:
    """Write the figures as a table."""
    return table(
        ["tier", "what", "events/s"], ([row.tier, row.what, ranged(row.per_s)] for row in rows), left=2
    )
