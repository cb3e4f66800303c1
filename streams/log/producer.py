"""The producer of the embedded bus: a send that returned is fsynced."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from itertools import groupby, islice
from pathlib import Path

from streams.bus import Message, Position
from streams.errors import Unavailable
from streams.limits import checked
from streams.log.writer import Request, Writer

IN_FLIGHT = 1000
"""Requests that wait for their commit at a time; further senders wait. One whose sender gave up counts until
it is settled: however long the disk hangs, no more than these are queued."""

CHUNK = 500
"""Messages of one request."""

TIMEOUT_S = 10.0
"""How long a send waits for its commit, s."""

CLOSE_S = 10.0
"""How long `close` waits for what is under way, s."""


class LogProducer:
    """Hands messages to the writer thread, which starts with the first."""

    def __init__(self, directory: Path, *, timeout_s: float = TIMEOUT_S) -> None:
        self._directory = directory
        self._timeout_s = timeout_s
        self._room = asyncio.Semaphore(IN_FLIGHT)
        self._writer: Writer | None = None
        self._closed = False

    async def send(self, message: Message) -> Position:
        """Send one message and wait until it is durable; see `streams.bus.Producer.send`."""
        (position,) = await self._request([message])
        return position

    async def send_to(self, message: Message, partition: int) -> Position:
        """Send to a partition of one's own choice; for tests and the Faust transport."""
        (position,) = await self._request([message], partition)
        return position

    async def send_all(self, messages: Iterable[Message]) -> list[Position]:
        """Send several in order, those of one chunk in one commit; wait for all."""
        positions: list[Position] = []
        todo = enumerate(messages)
        while chunk := list(islice(todo, CHUNK)):
            # One request is for one file; topics of a chunk may lie in both.
            by_topic = groupby(sorted(chunk, key=lambda one: one[1].topic), key=lambda one: one[1].topic)
            requests = [list(of_topic) for _, of_topic in by_topic]
            found = await asyncio.gather(
                *(self._request([message for _, message in request]) for request in requests)
            )
            placed = {
                index: position
                for request, at in zip(requests, found, strict=True)
                for (index, _), position in zip(request, at, strict=True)
            }
            positions += [placed[index] for index, _ in chunk]
        return positions

    async def close(self) -> None:
        """Wait for what is under way (bounded), then let go."""
        self._closed = True
        if self._writer:
            self._writer.finish()
            await asyncio.to_thread(self._writer.join, CLOSE_S)

    async def _request(self, messages: Sequence[Message], partition: int | None = None) -> list[Position]:
        if self._closed:
            raise Unavailable("The producer is closed: its process is stopping")
        for message in messages:
            checked(message)
        if self._writer is None:
            self._writer = Writer(self._directory)
            self._writer.start()
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._room.acquire()
                loop = asyncio.get_running_loop()
                done: asyncio.Future[list[Position]] = loop.create_future()
                self._writer.put(Request(messages, loop, done, self._room.release, partition))
                return await done
        except TimeoutError as error:
            raise Unavailable(
                f"The bus at {self._directory} did not confirm within {self._timeout_s:g} s"
            ) from error
