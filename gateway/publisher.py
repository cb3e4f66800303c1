"""Tells the bus what the journal holds: in order, each entry until confirmed, however long the bus is away.

Invariant: an entry is confirmed to the journal only after the bus has confirmed it. A crash in between sends
it again under the same id. Bounded: one batch is in memory, the backlog lies on the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from gateway.journal import Journal
from gateway.metrics import Metrics
from schemas.catalogue import address_of
from schemas.envelope import InvalidEvent
from streams.bus import Message, Producer
from streams.crashpoints import crashpoint
from streams.errors import NewerFormat, Rejected, Unavailable

BATCH = 256
"""Entries under way at once."""

LINGER_S = 0.02
"""How long a first entry waits for others, s."""

BACK_OFF_S = (0.1, 10.0)
"""First and longest wait after the bus did not confirm, s; doubled in between."""

log = structlog.get_logger()


class Publisher:
    """One task on an event loop; `wake` may be called from any thread.

    Parameters
    ----------
    on_read
        Called, in another thread, with entries before they are confirmed to the journal.
    """

    def __init__(
        self,
        journal: Journal,
        open_producer: Callable[[], Producer],
        metrics: Metrics,
        *,
        batch: int = BATCH,
        linger_s: float = LINGER_S,
        back_off_s: tuple[float, float] = BACK_OFF_S,
        on_read: Callable[[list[bytes]], None] = lambda _: None,
    ) -> None:
        self._journal = journal
        self._open_producer = open_producer
        self._metrics = metrics
        self._batch = batch
        self._linger_s = linger_s
        self._on_read = on_read
        self._back_off_s = back_off_s
        self._woken = asyncio.Event()
        self._confirmed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.problem: str | None = None
        """Why the bus does not confirm, while it does not."""

    def wake(self) -> None:
        """Tell that there are new entries."""
        if self._woken.is_set():  # it has not read since
            return
        with contextlib.suppress(RuntimeError):  # the loop is closed: they are sent after the next start
            self._loop.call_soon_threadsafe(self._woken.set)

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop`.

        Raises
        ------
        gateway.errors.JournalDamaged
            When the journal does not read back.
        streams.errors.NewerFormat
            When it holds what this CHIPS does not know.
        """
        stopper = asyncio.create_task(stop.wait())
        stopper.add_done_callback(lambda _: self._woken.set())
        producer = self._open_producer()
        try:
            while not stop.is_set():
                self._woken.clear()
                payloads = await asyncio.to_thread(self._read)
                if payloads:
                    await self._publish(producer, payloads, stop)
                else:
                    await self._woken.wait()
                    await self._gather(stop)
        finally:
            stopper.cancel()
            await producer.close()

    def _read(self) -> list[bytes]:
        payloads = self._journal.read(self._batch)
        if payloads:
            self._on_read(payloads)
        return payloads

    async def _gather(self, stop: asyncio.Event) -> None:
        """Let more come: each batch is a commit of the bus, which the journal waits for on the same disk."""
        if self._journal.backlog < self._batch:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._linger_s)

    async def drained(self, timeout_s: float) -> bool:
        """Wait, so long at most, until the bus has confirmed all; tell whether it has."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self._journal.backlog:
                    self._confirmed.clear()
                    await self._confirmed.wait()
        return not self._journal.backlog

    async def _publish(self, producer: Producer, payloads: list[bytes], stop: asyncio.Event) -> None:
        messages = [_message(payload) for payload in payloads]
        crashpoint("gateway.before_publish")
        delay, longest = self._back_off_s
        while not await self._sent(producer, messages):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), delay)
            if stop.is_set():
                return
            delay = min(2 * delay, longest)
        crashpoint("gateway.after_publish_before_confirm")
        await asyncio.to_thread(self._journal.confirm, len(payloads))
        self._confirmed.set()
        self._metrics.published.inc(len(payloads))

    async def _sent(self, producer: Producer, messages: list[Message]) -> bool:
        try:
            await producer.send_all(messages)
        except (Unavailable, Rejected) as error:
            # Rejected, too: a topic that nobody made yet is made by `chips migrate`, and the entry waits.
            self._metrics.publish_failures.inc()
            if self.problem != str(error):
                log.warning("publisher.waiting", error=str(error), backlog=self._journal.backlog)
            self.problem = str(error)
            return False
        if self.problem:
            log.info("publisher.resumed", backlog=self._journal.backlog)
        self.problem = None
        return True


def _message(payload: bytes) -> Message:
    try:
        topic, key = address_of(payload)
    except InvalidEvent as error:
        # Only valid events are appended, and bytes that changed since don't pass their checksum.
        raise NewerFormat(
            "The journal holds what this CHIPS does not know: run the CHIPS that wrote it, or a newer one. "
            f"It says: {error}"
        ) from error
    return Message(topic.name, key, payload)
