"""The producer on Kafka: idempotent, acks=all, and a send that returned was confirmed."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import Message as Delivered
from confluent_kafka import Producer as Client

from streams.bus import Message, Position
from streams.errors import Refused, Unavailable
from streams.kafka.connection import Connection
from streams.kafka.errors import family, family_of
from streams.limits import MAX_DEAD_LETTER_BYTES, checked

IN_FLIGHT = 2000
"""Messages that wait for their confirmation at a time; further senders wait."""

CHUNK = 500
"""Messages of `send_all` that are under way at once."""

TIMEOUT_S = 10.0
"""How long a message is tried before its sender is told that the bus is away, s."""

CLOSE_S = 10.0
"""How long `close` waits for what is under way, s."""

_POLL_S = 0.1
_LOG = logging.getLogger("chips.kafka.producer")

Settled = tuple[asyncio.Future[Position], Position | Exception]


class KafkaProducer:
    """librdkafka's producer, polled in a thread that starts with the first message."""

    def __init__(self, connection: Connection, *, timeout_s: float = TIMEOUT_S) -> None:
        self._connection = connection
        self._timeout_s = timeout_s
        self._room = asyncio.Semaphore(IN_FLIGHT)
        self._lock = asyncio.Lock()
        self._client: _Polled | None = None
        self._topics: set[str] = set()
        self._closed = False

    async def send(self, message: Message) -> Position:
        """Send one message and wait until it is durable; see `streams.bus.Producer.send`."""
        checked(message)
        await self._known(message.topic)
        try:
            # librdkafka tells by itself in time; this bounds what it may not have been asked yet.
            async with asyncio.timeout(self._timeout_s + 5), self._room:
                return await (await self._open()).produce(message)
        except TimeoutError as error:
            raise Unavailable(
                f"Kafka did not confirm a message to {message.topic} within {self._timeout_s:g} s"
            ) from error
        except Refused:
            self._topics.discard(message.topic)
            raise

    async def send_all(self, messages: Iterable[Message]) -> list[Position]:
        """Send several, concurrently, keeping the order of equal keys; wait for all."""
        positions: list[Position] = []
        todo = iter(messages)
        while chunk := list(islice(todo, CHUNK)):
            # Known beforehand: no message waits for its topic while a later one of its key overtakes it.
            for topic in {message.topic for message in chunk}:
                await self._known(topic)
            # Tasks start in order, and produce without a wait before it: one key stays in one order.
            found = await asyncio.gather(*(self.send(message) for message in chunk), return_exceptions=True)
            for position in found:
                if isinstance(position, BaseException):
                    raise position
                positions.append(position)
        return positions

    async def close(self) -> None:
        """Wait for what is under way (bounded), then let go."""
        self._closed = True
        if self._client:
            await asyncio.to_thread(self._client.close)

    async def _open(self) -> _Polled:
        if self._closed:
            raise Unavailable("The producer is closed: its process is stopping")
        if self._client is not None and self._client.fatal:
            # An idempotent producer that met a fatal error sends nothing any more.
            spent, self._client = self._client, None
            await asyncio.to_thread(spent.close)
        if self._client is None:
            config = self._connection.librdkafka(
                {
                    "enable.idempotence": True,
                    "acks": "all",
                    "partitioner": "murmur2_random",
                    "linger.ms": 2,
                    "delivery.timeout.ms": int(self._timeout_s * 1000),
                    "message.max.bytes": MAX_DEAD_LETTER_BYTES + 64 * 1024,
                    # Below the topics' max.message.bytes: a broker measures the batch, not the message.
                    "batch.size": 512 * 1024,
                    "queue.buffering.max.messages": 4 * IN_FLIGHT,
                }
            )
            self._client = _Polled(config, asyncio.get_running_loop())
        return self._client

    async def _known(self, topic: str) -> None:
        """Refuse a topic that nobody made: a producer's first message would make it, with wrong settings."""
        if topic in self._topics:
            return
        async with self._lock:
            if topic not in self._topics:
                client = await self._open()
                self._topics = await asyncio.to_thread(client.topics, self._timeout_s)
        if topic not in self._topics:
            raise Refused(f"There is no topic {topic} at {self._connection.bootstrap}: run `chips migrate`")


class _Polled:
    """A client and the thread that hears its confirmations."""

    def __init__(self, config: dict[str, Any], loop: asyncio.AbstractEventLoop) -> None:
        self._client = Client(config, logger=_LOG)
        self._loop = loop
        self._settled: deque[Settled] = deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="kafka-producer", daemon=True)
        self._thread.start()
        self.fatal = False

    def topics(self, timeout_s: float) -> set[str]:
        """Give the names of all topics; blocks."""
        try:
            return set(self._client.list_topics(timeout=timeout_s).topics)
        except KafkaException as error:
            raise family_of(error, "Looking for topics at Kafka") from error

    async def produce(self, message: Message) -> Position:
        done: asyncio.Future[Position] = self._loop.create_future()

        def delivered(error: KafkaError | None, found: Delivered) -> None:
            if error is None:
                # The client's type is also that of a message on its way, which has no place yet.
                place = cast("int", found.partition()), cast("int", found.offset())
                position = Position(message.topic, *place)
                self._settled.append((done, position))
            else:
                self.fatal = self.fatal or error.fatal()
                self._settled.append((done, family(error, f"Sending to {message.topic}")))

        try:
            self._client.produce(
                message.topic,
                key=message.key.encode(),
                value=message.value,
                headers=list(message.headers),
                on_delivery=delivered,
            )
        except (KafkaException, BufferError) as error:
            raise family_of(error, f"Sending to {message.topic}") from error
        return await done

    def close(self) -> None:
        """Wait for what is under way; blocks, at most `CLOSE_S`."""
        self._client.flush(CLOSE_S)
        self._stop.set()
        self._thread.join(CLOSE_S)

    def _poll(self) -> None:
        while not self._stop.is_set():
            self._client.poll(_POLL_S)
            self._tell()
        self._tell()

    def _tell(self) -> None:
        told = []
        while self._settled:
            told.append(self._settled.popleft())
        # One wake-up for all that one poll heard. A loop closed meanwhile has nobody left to tell.
        if told and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_settle, told)


def _settle(told: list[Settled]) -> None:
    for done, outcome in told:
        if done.done():
            continue
        if isinstance(outcome, Exception):
            done.set_exception(outcome)
        else:
            done.set_result(outcome)
