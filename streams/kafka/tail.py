"""The tail on Kafka: assigned partitions, no group, nothing committed."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as Consumed

from streams.bus import Record
from streams.errors import Refused, Unavailable
from streams.kafka.connection import Connection
from streams.kafka.errors import family, family_of, is_passing

FETCH = 200
"""Records that are handed on at once."""

POLL_S = 0.5
"""How long one look for records blocks the thread, s; it returns at once when some are there."""

LEADER_S = 0.1
"""Between two looks for a partition's leader, s."""

AWAY_S = 10.0
"""How long no broker may answer before the reader is told, s."""

_LOG = logging.getLogger("chips.kafka.tail")
_AWAY = frozenset({KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE})  # noqa: SLF001 - librdkafka's own codes begin so


class KafkaTail:
    """Reads topics without a group; each `records` has a client and a thread of its own."""

    def __init__(self, connection: Connection, *, away_s: float = AWAY_S) -> None:
        self._connection = connection
        self._away_s = away_s

    async def records(
        self,
        topics: Sequence[str],
        *,
        start: Literal["beginning", "end"] | Mapping[tuple[str, int], int] = "end",
    ) -> AsyncGenerator[Record, None]:
        """Yield what comes, for ever; see `streams.bus.Tail.records`."""
        client = _Threaded(self._connection, self._away_s)
        try:
            await client.call(client.assign, topics, start)
            while True:
                for record in await client.call(client.fetch):
                    yield record
        finally:
            await client.close()

    async def ends(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        """Give the offset after the last record of each partition."""
        return {at: end for at, (_, end) in (await self._watermarks(topics)).items()}

    async def starts(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        """Give the offset of the first record kept in each partition; its end when none is."""
        return {at: start for at, (start, _) in (await self._watermarks(topics)).items()}

    async def _watermarks(self, topics: Sequence[str]) -> dict[tuple[str, int], tuple[int, int]]:
        client = _Threaded(self._connection, self._away_s)
        try:
            found: dict[tuple[str, int], tuple[int, int]] = await client.call(client.watermarks, topics)
            return found
        finally:
            await client.close()

    async def close(self) -> None:
        """Nothing is held outside `records` and `ends`."""


class _Threaded:
    """A consumer that only its own thread touches."""

    def __init__(self, connection: Connection, away_s: float) -> None:
        self._thread = ThreadPoolExecutor(1, "kafka-tail")
        self._away_s = away_s
        self._heard = time.monotonic()
        self._silent = False
        self._client = Consumer(
            connection.librdkafka(
                {
                    # librdkafka asks for a name; nothing is ever committed under it.
                    "group.id": f"chips-tail-{uuid.uuid4()}",
                    "enable.auto.commit": False,
                    "enable.auto.offset.store": False,
                    "auto.offset.reset": "earliest",
                    "allow.auto.create.topics": False,
                    "queued.max.messages.kbytes": 16 * 1024,
                    "fetch.wait.max.ms": 50,
                    "error_cb": self._on_error,
                }
            ),
            logger=_LOG,
        )

    async def call(self, method: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, method, *arguments)

    async def close(self) -> None:
        await self.call(self._client.close)
        self._thread.shutdown(wait=False)

    def partitions(self, topics: Sequence[str]) -> list[tuple[str, int]]:
        try:
            found = self._client.list_topics(timeout=self._away_s).topics
        except KafkaException as error:
            raise family_of(error, "Looking for topics at Kafka") from error
        for topic in topics:
            if topic not in found:
                raise Refused(f"There is no topic {topic}: run `chips migrate`")
        return [(topic, partition) for topic in topics for partition in sorted(found[topic].partitions)]

    def watermarks(self, topics: Sequence[str]) -> dict[tuple[str, int], tuple[int, int]]:
        return {
            (topic, partition): self._watermark(topic, partition)
            for topic, partition in self.partitions(topics)
        }

    def _watermark(self, topic: str, partition: int) -> tuple[int, int]:
        """Ask again while a partition's leader is being chosen, as right after the topic was made."""
        until = time.monotonic() + self._away_s
        while True:
            try:
                low, high = self._client.get_watermark_offsets(
                    TopicPartition(topic, partition), timeout=self._away_s
                )
            except KafkaException as error:
                if not is_passing(error) or time.monotonic() >= until:
                    raise family_of(error, f"Asking for the ends of {topic}") from error
                time.sleep(LEADER_S)
                self._client.list_topics(topic, timeout=self._away_s)
            else:
                return low, high

    def assign(
        self, topics: Sequence[str], start: Literal["beginning", "end"] | Mapping[tuple[str, int], int]
    ) -> None:
        # Ends are resolved now, so that what is sent after this returned is read in any case.
        ends = {} if start == "beginning" else self.watermarks(topics)
        offsets = {at: end for at, (_, end) in ends.items()}
        if isinstance(start, Mapping):
            offsets |= {at: offset for at, offset in start.items() if at in offsets}
        self._client.assign(
            [
                TopicPartition(topic, partition, offsets.get((topic, partition), OFFSET_BEGINNING))
                for topic, partition in self.partitions(topics)
            ]
        )

    def fetch(self) -> list[Record]:
        """Wait for records; raises `Unavailable` when no broker has answered for too long."""
        messages = self._client.consume(FETCH, POLL_S)
        records = [_record(message) for message in messages if self._is_record(message)]
        if records or not self._silent:
            self._heard, self._silent = time.monotonic(), False
        elif time.monotonic() - self._heard > self._away_s:
            raise Unavailable(f"No broker of Kafka has answered for {self._away_s:g} s")
        return records

    def _is_record(self, message: Consumed) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.code() != KafkaError._PARTITION_EOF and not error.retriable():  # noqa: SLF001 - librdkafka's own
            raise family(error, f"Reading {message.topic()}")
        return False

    def _on_error(self, error: KafkaError) -> None:
        self._silent = self._silent or error.code() in _AWAY


def _record(message: Consumed) -> Record:
    # The client's type is also that of a message on its way, which has no place yet; a consumed one has.
    return Record(
        cast("str", message.topic()),
        cast("int", message.partition()),
        cast("int", message.offset()),
        message.timestamp()[1],
        message.key(),
        message.value() or b"",
        tuple(cast("list[tuple[str, bytes]]", message.headers() or [])),
    )
