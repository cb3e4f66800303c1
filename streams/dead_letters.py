"""What a dead letter looks like, for the loop that writes it and the operator who reads it. Pure.

A dead letter is the original message, its bytes and headers untouched, with headers of ours after them. The
key of a dead-lettered message is parked: later messages of that key follow it, so that order holds, until the
key is released.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from streams.bus import Message, Record

Reason = Literal["poison", "failed", "parked"]
"""poison: can never work. failed: its handler failed too often. parked: an earlier one parked its key."""

_PREFIX = "chips-dlq-"
WHY_LENGTH = 500
"""Longest text of why, characters."""


class Letter(NamedTuple):
    """A dead letter, as read back."""

    topic: str
    partition: int
    offset: int
    reason: Reason
    why: str
    attempts: int
    at: datetime
    original: Message


class Parked(msgspec.Struct, frozen=True):
    """Body of the record (kind `parked_kind`, key the bus key) that parks a key: which message did it."""

    topic: str
    partition: int
    offset: int
    at: datetime


def parked_kind(agent: str) -> str:
    """Give the kind of the records that park keys of an agent."""
    return f"parked:{agent}"


def attempts_kind(agent: str) -> str:
    """Give the kind of the records that count failed attempts of an agent; their key is `place`."""
    return f"attempts:{agent}"


def place(topic: str, partition: int, offset: int) -> str:
    """Name where a message lies."""
    return f"{topic}/{partition}/{offset}"


def key_text(key: bytes | None) -> str:
    """Give a key as text; one that is not UTF-8 is not ours, and is written with escapes."""
    return (key or b"").decode("utf-8", "backslashreplace") or "-"


def compose(record: Record, *, to: str, reason: Reason, why: str, attempts: int, at: datetime) -> Message:
    """Make the dead letter of a message.

    Parameters
    ----------
    to
        The dead-letter topic.
    why
        What is wrong with it, in words without any value of it.
    attempts
        How often it was tried.
    at
        When it was given up, UTC.
    """
    ours = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "reason": reason,
        "why": why[:WHY_LENGTH],
        "attempts": str(attempts),
        "at": at.isoformat(),
    }
    # A released message that dies again keeps only where it died last.
    theirs = [(name, value) for name, value in record.headers if not name.startswith(_PREFIX)]
    headers = (*theirs, *((_PREFIX + name, text.encode()) for name, text in ours.items()))
    return Message(to, key_text(record.key), record.value, headers)


def read(record: Record) -> Letter:
    """Read a dead letter back.

    Raises
    ------
    ValueError
        When it lacks our headers.
    """
    ours = {
        name.removeprefix(_PREFIX): value.decode()
        for name, value in record.headers
        if name.startswith(_PREFIX)
    }
    theirs = tuple((name, value) for name, value in record.headers if not name.startswith(_PREFIX))
    try:
        return Letter(
            ours["topic"],
            int(ours["partition"]),
            int(ours["offset"]),
            msgspec.convert(ours["reason"], Reason),
            ours["why"],
            int(ours["attempts"]),
            datetime.fromisoformat(ours["at"]),
            Message(ours["topic"], key_text(record.key), record.value, theirs),
        )
    except (KeyError, msgspec.ValidationError) as error:
        raise ValueError(f"{place(*record[:3])} is no dead letter of CHIPS: {error}") from error
