"""A bus of its own for a test, on either tier: a folder, or topics of its own on the run's Kafka."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.catalogue import Topic
from streams.bus import Admin, Record, Tail
from streams.kafka.admin import KafkaAdmin
from streams.kafka.connection import Connection
from streams.log.admin import LogAdmin
from streams.opening import directory_of, open_tail
from streams.settings import Settings

TIERS = ["embedded", pytest.param("kafka", marks=pytest.mark.real)]


@dataclass
class Bus:
    """Settings of the bus, and the test's prefix for names of topics and agents on it."""

    settings: Settings
    prefix: str

    def topic(
        self, name: str = "a", *, partitions: int = 4, durable: bool = True, retention_s: int = 3600
    ) -> Topic:
        return Topic(
            name=f"chips.{self.prefix}.{name}.v1",
            zone="outer",
            partitions=partitions,
            retention_s=retention_s,
            durable=durable,
        )

    def admin(self, *topics: Topic) -> Admin:
        if self.settings.bus_url.startswith("embedded"):
            return LogAdmin(directory_of(self.settings), topics)
        return KafkaAdmin(Connection.of(self.settings), topics=topics)

    async def make(self, *topics: Topic) -> None:
        admin = self.admin(*topics)
        await admin.create_topics()
        await admin.close()

    def forget(self, topic: str, partition: int, before: int) -> None:
        """Take the first records of a partition away, as retention does."""
        if self.settings.bus_url.startswith("embedded"):
            with contextlib.closing(sqlite3.connect(directory_of(self.settings) / "bus.db")) as db, db:
                db.execute(
                    "DELETE FROM record WHERE position IN (SELECT r.position FROM record r JOIN partition p "
                    "ON r.position >> 40 = p.id WHERE p.topic = ? AND p.partition = ? "
                    "AND r.position & ((1 << 40) - 1) < ?)",
                    (topic, partition, before),
                )
            return
        admin = AdminClient({"bootstrap.servers": self.settings.bus_url.partition("://")[2]})
        wanted = TopicPartition(topic, partition, before)
        admin.delete_records([wanted])[wanted].result()

    def delete(self, topic: str) -> None:
        """Take a topic of Kafka away, as an operator might by mistake."""
        admin = AdminClient({"bootstrap.servers": self.settings.bus_url.partition("://")[2]})
        admin.delete_topics([topic])[topic].result()


@contextlib.contextmanager
def bus_of(tier: str, folder: Path, request: pytest.FixtureRequest):
    """Give a bus; on Kafka its topics are deleted in the end."""
    prefix = f"t{uuid.uuid4().hex[:12]}"
    if tier == "embedded":
        yield Bus(Settings(data=str(folder / "data")), prefix)
        return
    bootstrap = request.getfixturevalue("kafka_bootstrap")
    try:
        yield Bus(Settings(data=str(folder / "data"), bus=f"kafka://{bootstrap}"), prefix)
    finally:
        admin = AdminClient({"bootstrap.servers": bootstrap})
        made = [name for name in admin.list_topics(timeout=20).topics if prefix in name]
        for done in (admin.delete_topics(made) if made else {}).values():
            done.result()


async def read(
    settings: Settings, topics: Sequence[str], count: int, *, start="beginning", within_s=20.0
) -> list[Record]:
    """Read so many records; fails when they do not come."""
    tail = open_tail(settings)
    found: list[Record] = []
    try:
        async with (
            asyncio.timeout(within_s),
            contextlib.aclosing(tail.records(topics, start=start)) as records,
        ):
            async for record in records:
                found.append(record)
                if len(found) == count:
                    return found
    finally:
        await tail.close()
    raise AssertionError("a tail ended")


async def all_of(tail: Tail, topics: Sequence[str]) -> AsyncIterator[Record]:
    """Read what lies there now."""
    ends = {at: end for at, end in (await tail.ends(topics)).items() if end}
    async with contextlib.aclosing(tail.records(topics, start="beginning")) as records:
        while ends:
            record = await anext(records)
            yield record
            if ends[record.topic, record.partition] == record.offset + 1:
                del ends[record.topic, record.partition]
