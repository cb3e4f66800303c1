"""Answers to commands, on the topic that the asking page listens to."""

from __future__ import annotations

from datetime import datetime

import msgspec

from schemas.command import CommandAccepted, CommandRejected
from schemas.envelope import Event
from schemas.make import derived
from streams.bus import Producer
from streams.publishing import publish

MAX_REASON = 512


async def reply_accepted(
    producer: Producer, command: Event, consumer: str, version: int, now: datetime
) -> None:
    """Tell that a command took effect; `version` is its target's."""
    said = CommandAccepted(command=command.id, stream=command.subject, version=version)
    await _reply(producer, command, consumer, said, now)


async def reply_rejected(
    producer: Producer, command: Event, consumer: str, reason: str, now: datetime
) -> None:
    """Tell that a command was refused, and what to do instead."""
    said = CommandRejected(command=command.id, stream=command.subject, reason=reason[:MAX_REASON])
    await _reply(producer, command, consumer, said, now)


async def _reply(
    producer: Producer, command: Event, consumer: str, said: msgspec.Struct, now: datetime
) -> None:
    to = command.authid or command.source
    await publish(
        producer,
        [derived(said, cause=command, consumer=consumer, subject=to, recorded=now, index="reply")],
    )
