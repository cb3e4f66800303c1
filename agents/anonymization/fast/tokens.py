"""What a pass over a header finds to come out. Types."""

from __future__ import annotations

from dataclasses import dataclass

from agents.anonymization.policy.rules import Decision


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """How a value is made. Equal to itself alone, so that it is a quick key; `vr` as it is written."""

    tag: int
    vr: str
    decision: Decision


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """A sequence, by tag, and of each item that comes out what comes out of it."""

    tag: int
    items: list[list[Token]]


@dataclass(frozen=True, slots=True, eq=False)
class Creator:
    """Who reserves a private block: it comes out if something of the block does."""

    tag: int
    value: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Safe:
    """A private value that is to be made, and the tag of its creator."""

    made: tuple[Op, bytes]
    creator: int


Token = bytes | tuple[Op, bytes] | Items | Creator | Safe
"""What comes out: bytes as they are, a value to be made or looked at, a sequence, something private."""
