"""What a bus is to all but the agents: a producer that waits for durability, and a tail for live views."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

Headers = Sequence[tuple[str, bytes]]


class Record(NamedTuple):
    """One message as it lies in a topic; `timestamp` in ms since the epoch, as in Kafka."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes
    headers: Headers = ()


class Position(NamedTuple):
    """Where a message came to lie."""

    topic: str
    partition: int
    offset: int


class Message(NamedTuple):
    """A message to be sent. The partition is murmur2 of the key, the same for every client."""

    topic: str
    key: str
    value: bytes
    headers: Headers = ()


class Producer(Protocol):
    """Sends; a send that returned is durable (all in-sync replicas, or fsynced)."""

    async def send(self, message: Message) -> Position:
        """Send one message and wait until it is durable.

        Raises
        ------
        streams.errors.Unavailable
            When the bus did not confirm in time. It may still be written: sending it again is harmless.
        streams.errors.Rejected
            When the topic does not exist or the message is too large.
        """
        ...

    async def send_all(self, messages: Iterable[Message]) -> list[Position]:
        """Send several, concurrently, keeping the order of equal keys; wait for all."""
        ...

    async def close(self) -> None:
        """Wait for what is under way (bounded), then let go."""
        ...


class Tail(Protocol):
    """Reads topics without a group and commits nothing: for live views and replay."""

    def records(
        self,
        topics: Sequence[str],
        *,
        start: Literal["beginning", "end"] | Mapping[tuple[str, int], int] = "end",
    ) -> AsyncGenerator[Record, None]:
        """Yield what comes, for ever, in order within a partition.

        Parameters
        ----------
        start
            Where to begin; a mapping gives offsets by (topic, partition), others begin at the end.

        Raises
        ------
        streams.errors.Unavailable
            When the bus is away for longer than it retries by itself.
        """
        ...

    async def ends(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        """Give the offset after the last record of each partition."""
        ...

    async def starts(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        """Give the offset of the first record kept in each partition; its end when none is."""
        ...

    async def close(self) -> None:
        """Let go."""
        ...


class Admin(Protocol):
    """Makes topics and tells lag. Only ``chips migrate`` makes topics."""

    async def create_topics(self) -> list[str]:
        """Make the catalogue's topics that are missing; return their names."""
        ...

    async def lag(self, app: str, topics: Sequence[str] = ()) -> dict[tuple[str, int], int]:
        """Messages that the consuming app has not yet committed, by (topic, partition).

        Topics of which it has committed nothing yet count when they are named.
        """
        ...

    async def close(self) -> None:
        """Let go."""
        ...
