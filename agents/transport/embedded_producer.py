"""Faust's producer on the embedded bus. The agents publish by `streams.bus`; this keeps Faust whole."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from faust.exceptions import ImproperlyConfigured, ProducerSendError
from faust.transport import base
from faust.types import TP, RecordMetadata

from streams.bus import Headers, Message, Position
from streams.errors import Rejected, Unavailable
from streams.log.producer import LogProducer

if TYPE_CHECKING:
    from agents.transport.embedded import EmbeddedTransport


class EmbeddedProducer(base.Producer):
    """Each send is a future that is done when the message is durable."""

    transport: EmbeddedTransport

    def __post_init__(self) -> None:
        self._log = LogProducer(self.transport.directory)
        self._sending: set[asyncio.Future[Position]] = set()

    async def on_stop(self) -> None:
        """Wait for what is under way."""
        await super().on_stop()
        await self.flush()
        await self._log.close()

    async def send(  # noqa: PLR0917 - Faust's signature
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: Any,
        *,
        transactional_id: str | None = None,  # noqa: ARG002 - Faust's signature; there are no transactions
    ) -> asyncio.Future[RecordMetadata]:
        """Begin to send; the future tells when it is durable, or `ProducerSendError`."""
        message = Message(topic, (key or b"").decode(), value or b"", _pairs(headers))
        return asyncio.ensure_future(self._send(message, partition, timestamp))

    async def send_and_wait(self, *arguments: Any, **options: Any) -> RecordMetadata:
        """Send and wait until it is durable."""
        return await (await self.send(*arguments, **options))

    async def flush(self) -> None:
        """Wait for what is under way; what failed is told by its own future."""
        await self.buffer.flush()
        if self._sending:
            await asyncio.wait(self._sending)

    async def create_topic(self, topic: str, *_: Any, **__: Any) -> None:
        """Refuse: only ``chips migrate`` makes topics."""
        raise ImproperlyConfigured(f"Topic {topic} is made by `chips migrate`, not by a worker")

    def supports_headers(self) -> bool:
        """Tell that messages have headers."""
        return True

    async def _send(self, message: Message, partition: int | None, timestamp: float | None) -> RecordMetadata:
        coroutine = self._log.send(message) if partition is None else self._log.send_to(message, partition)
        sending = asyncio.ensure_future(coroutine)
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)
        try:
            at = await sending
        except (Rejected, Unavailable) as error:
            raise ProducerSendError(str(error)) from error
        return RecordMetadata(at.topic, at.partition, TP(at.topic, at.partition), at.offset, timestamp, 0)


def _pairs(headers: Any) -> Headers:
    if not headers:
        return ()
    return tuple(headers.items() if isinstance(headers, Mapping) else headers)
