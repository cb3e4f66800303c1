"""Sending events where the catalogue says they travel."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.catalogue import topic_of
from schemas.envelope import Event, encode
from streams.bus import Message, Producer


def message(event: Event) -> Message:
    """Make the message of an event: its topic, its key, its bytes."""
    return Message(topic_of(event.type).name, event.partitionkey, encode(event))


async def publish(producer: Producer, events: Iterable[Event]) -> None:
    """Send events and wait until all are durable; equal keys keep their order.

    Raises
    ------
    streams.errors.Unavailable
        When the bus did not confirm in time; sending again is harmless.
    streams.errors.Refused
        When the bus refused one.
    """
    messages = [message(event) for event in events]
    if messages:
        await producer.send_all(messages)
