"""Makes the topics on Kafka and tells lag."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import stamina
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec, TopicMetadata

from schemas.catalogue import TOPICS, Topic
from streams.errors import Unavailable
from streams.kafka.connection import Connection
from streams.kafka.errors import family_of
from streams.limits import limit_of

TIMEOUT_S = 20.0
"""How long an answer of Kafka may take, s."""

_ON_ITS_WAY = frozenset(
    (
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    )
)

_FRAME = 64 * 1024
"""Room for what surrounds a message in a batch, bytes."""


class KafkaAdmin:
    """Administers a cluster; `topics` are those that it makes."""

    def __init__(
        self,
        connection: Connection,
        *,
        replication: int = 1,
        min_isr: int = 1,
        topics: Iterable[Topic] = tuple(TOPICS.values()),
    ) -> None:
        self._connection = connection
        self._replication = replication
        self._min_isr = min_isr
        self._topics = tuple(topics)
        self._client: AdminClient | None = None

    async def create_topics(self) -> list[str]:
        """Make the topics that are missing; return their names."""
        return await asyncio.to_thread(self._create)

    async def lag(self, app: str, topics: Sequence[str] = ()) -> dict[tuple[str, int], int]:
        """Messages not yet committed, of the named topics and those that the app has committed in."""
        return await asyncio.to_thread(self._lag, app, topics)

    async def close(self) -> None:
        """Let go."""
        self._client = None

    def _open(self) -> AdminClient:
        self._client = self._client or AdminClient(self._connection.librdkafka({}))
        return self._client

    def _create(self) -> list[str]:
        client, there = self._open(), self._told()
        wanted = [self._new(topic) for topic in self._topics if topic.name not in there]
        if not wanted:
            return []
        made = []
        for name, done in client.create_topics(wanted, request_timeout=TIMEOUT_S).items():
            try:
                done.result(TIMEOUT_S)
            except KafkaException as error:
                if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
                    continue  # another `chips migrate` was first
                raise family_of(error, f"Making the topic {name}") from error
            made.append(name)
        self._wait_for([topic.topic for topic in wanted])
        return made

    def _wait_for(self, names: Sequence[str]) -> None:
        """Wait until clients are told of topics: that they are made, brokers hear a little later."""
        for attempt in stamina.retry_context(
            on=Unavailable, timeout=TIMEOUT_S, attempts=None, wait_initial=0.05, wait_max=1.0
        ):
            with attempt:
                there = self._told()
                missing = [name for name in names if name not in there or there[name].error]
                if missing:
                    raise Unavailable(f"Kafka has made {', '.join(missing)} and does not tell of it yet")

    def _told(self) -> dict[str, TopicMetadata]:
        """Give the topics that a client is told of, by name."""
        try:
            return self._open().list_topics(timeout=TIMEOUT_S).topics
        except KafkaException as error:
            raise family_of(error, "Looking for topics at Kafka") from error

    def _new(self, topic: Topic) -> NewTopic:
        return NewTopic(
            topic.name,
            num_partitions=topic.partitions,
            replication_factor=self._replication,
            config={
                "cleanup.policy": "delete",
                "retention.ms": str(topic.retention_s * 1000),
                # A segment expires as a whole: several of them within a retention.
                "segment.ms": str(min(topic.retention_s * 1000 // 4, 24 * 3600 * 1000)),
                "min.insync.replicas": str(self._min_isr),
                "max.message.bytes": str(limit_of(topic.name) + _FRAME),
            },
        )

    def _lag(self, app: str, named: Sequence[str]) -> dict[tuple[str, int], int]:
        client = self._open()
        try:
            there = [
                TopicPartition(name, partition)
                for name, topic in sorted(client.list_topics(timeout=TIMEOUT_S).topics.items())
                for partition in topic.partitions
                if not name.startswith("__")
            ]
            committed = {
                (at.topic, at.partition): at.offset for at in self._committed(app, there) if at.offset >= 0
            }
            asked = {topic for topic, _ in committed} | set(named)
            parts = [part for part in there if part.topic in asked]
            if not parts:
                return {}
            first = client.list_offsets(
                dict.fromkeys(parts, OffsetSpec.earliest()), request_timeout=TIMEOUT_S
            )
            last = client.list_offsets(dict.fromkeys(parts, OffsetSpec.latest()), request_timeout=TIMEOUT_S)
            return {
                (part.topic, part.partition): last[part].result(TIMEOUT_S).offset
                - max(committed.get((part.topic, part.partition), 0), first[part].result(TIMEOUT_S).offset)
                for part in parts
            }
        except KafkaException as error:
            raise family_of(error, f"Asking for the lag of {app}") from error

    def _committed(self, app: str, parts: list[TopicPartition]) -> list[TopicPartition]:
        """Give what a group has committed, by a consumer that never joins it.

        Not by `AdminClient.list_consumer_group_offsets`: where the group's coordinator is not known yet, as
        on a fresh cluster, librdkafka 2.x looks for it by a consumer that an admin client lacks, and the
        process dies by a segmentation fault (rd_kafka_handle_OffsetFetch).
        """
        consumer = Consumer(self._connection.librdkafka({"group.id": app, "enable.auto.commit": False}))
        try:
            found = _asked(consumer, parts) if parts else []
        finally:
            consumer.close()
        for at in found:
            if at.error:
                raise KafkaException(at.error)
        return found


def _moves(error: Exception) -> bool:
    """Tell whether a group's coordinator is on its way, as on a cluster that has just been started."""
    return isinstance(error, KafkaException) and error.args[0].code() in _ON_ITS_WAY


@stamina.retry(on=_moves, attempts=None, timeout=TIMEOUT_S, wait_initial=0.1, wait_max=1.0)
def _asked(consumer: Consumer, parts: list[TopicPartition]) -> list[TopicPartition]:
    return list(consumer.committed(parts, timeout=TIMEOUT_S))
