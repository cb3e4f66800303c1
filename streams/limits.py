"""How large a message may be, on either bus; so that one tier refuses what the other would."""

from __future__ import annotations

from streams.bus import Message
from streams.errors import Refused

MAX_MESSAGE_BYTES = 1024 * 1024
"""Largest message (key, value and headers), bytes; an event is far smaller (`schemas.envelope.MAX_BYTES`)."""

MAX_DEAD_LETTER_BYTES = 2 * MAX_MESSAGE_BYTES
"""Largest message of a dead-letter topic, bytes: any message, and where and why."""


def is_dead_letters(topic: str) -> bool:
    """Tell whether a topic holds dead letters."""
    return topic.startswith("chips.dlq.")


def limit_of(topic: str) -> int:
    """Give the largest message that a topic takes, bytes."""
    return MAX_DEAD_LETTER_BYTES if is_dead_letters(topic) else MAX_MESSAGE_BYTES


def checked(message: Message) -> Message:
    """Give the message back when a bus may take it.

    Raises
    ------
    streams.errors.Refused
        When it has no key or is too large.
    """
    if not message.key:
        raise Refused(f"A message to {message.topic} needs a key: its key is its order")
    size = len(message.key) + len(message.value) + sum(len(k) + len(v) for k, v in message.headers)
    limit = limit_of(message.topic)
    if size > limit:
        raise Refused(f"A message to {message.topic} has {size} bytes, the limit is {limit}: refer to a blob")
    return message
