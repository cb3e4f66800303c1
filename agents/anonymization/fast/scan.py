"""One pass over the items of sequences: what comes out of them. Pure.

Believes nothing: what a table does not know, a length that does not fit, an order that is not ascending ends
the pass with `Surprise`. The same things end the walk of `gateway.elements`, whose bounds are used here.
"""

from __future__ import annotations

import struct

from agents.anonymization.admission import check_overlay
from agents.anonymization.fast.steps import (
    CHARSET,
    CREATOR,
    END,
    MAKE,
    NAMED_DROP,
    NAMED_MAKE,
    OVERLAY,
    PRIVATE,
    SAFE,
    SEQUENCE,
    SKIP,
    UNKNOWN,
)
from agents.anonymization.fast.tables import Entry, Inside, Table
from agents.anonymization.fast.tokens import Creator, Items, Safe, Token
from agents.anonymization.policy.private import creator_of
from agents.anonymization.text.naming import Naming
from agents.anonymization.verify import has_known_sets
from gateway.elements import UNDEFINED

LENGTH = struct.Struct("<I").unpack_from
ITEM_HEAD = struct.Struct("<4sI").unpack_from
ITEM, SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_NEVER = 1 << 62


class Surprise(Exception):  # noqa: N818 - a decision that travels up: the careful way takes the object
    """The object is not one that the fast path knows to take."""


class Scanner:
    """Walks the items of sequences.

    Parameters
    ----------
    data
        Where the sequences lie.
    depth
        Levels of nested sequences that may be.
    elements
        Elements, items and delimiters together that may be.

    Attributes
    ----------
    data
        As above.
    left
        Elements that may still be.
    named
        What names somebody in them.
    """

    def __init__(self, data: bytes, *, depth: int, elements: int) -> None:
        self._depth = depth
        self.left = elements
        self.data = data
        self.named: list[Naming] = []

    def items(
        self, start: int, length: int, inside: Inside, numbers: list[int], depth: int = 0
    ) -> tuple[list[list[Token]], int]:
        """Walk a sequence; give the items that come out, and where it ends.

        Parameters
        ----------
        start, length
            Of its value in `data`, bytes.
        inside
            What is done to its items.
        numbers
            Gets what is done to each element that is not made: `agents.anonymization.fast.tallies`.
        depth
            Sequences around it.

        Raises
        ------
        Surprise
            At the first thing that can't be so.
        struct.error
            When the bytes end before the sequence does.
        """
        if depth >= self._depth:
            raise Surprise
        table, only, dropped, _ = inside
        undefined = length == UNDEFINED
        end = _NEVER if undefined else start + length
        found: list[list[Token]] = []
        nothing: list[int] = []
        position = start
        while position < end:
            mark, size = ITEM_HEAD(self.data, position)
            position += 8
            self.left -= 1
            if mark == SEQUENCE_END and undefined:
                return found, position
            item_end = _NEVER if size == UNDEFINED else position + size
            if mark != ITEM or self.left < 0 or (item_end > end and size != UNDEFINED):
                raise Surprise
            if len(found) < only:
                tokens, position = self._item(position, item_end, table, numbers, depth + 1)
                found.append(tokens)
            else:
                _, position = self._item(position, item_end, dropped, nothing, depth + 1)
        if position != end:
            raise Surprise
        return found, position

    def _item(  # noqa: C901, PLR0912, PLR0915 - one loop: calls would cost more than what it does
        self, position: int, end: int, table: Table, numbers: list[int], depth: int
    ) -> tuple[list[Token], int]:
        """Walk the data set of one item; give what comes out and where the item ends."""
        data, head = self.data, table.head
        tokens: list[Token] = []
        creators: dict[int, bytes] = {}
        last = -1
        for steps in range(self.left):
            if position >= end:
                if position > end:
                    raise Surprise
                self.left -= steps
                return tokens, position
            key, length = head(data, position)
            tag, kind, size, number, op, inside = table[key]
            if tag <= last:
                raise Surprise
            last = tag
            if kind == SKIP:
                numbers.append(number)
                position += 8 + length
                continue
            start = position + size
            if size == 12:  # noqa: PLR2004 - two reserved bytes, then a length of 32 bits
                if length:
                    raise Surprise
                length = LENGTH(data, position + 8)[0]
            stop = start + length
            if kind == PRIVATE:
                creator = creators.get(creator_of(tag), b"")
                block = table.block(creator)
                entry = table.private(key, creator, undefined=True) if length == UNDEFINED else block[key]
                _, kind, _, number, op, inside = entry
            if kind == MAKE:
                tokens.append((op, data[start:stop]))
            elif kind <= UNKNOWN and length != UNDEFINED:
                numbers.append(number)
            elif inside is not None and (kind == SEQUENCE or kind == UNKNOWN):  # noqa: PLR1714, SIM109 - quicker
                self.left -= steps
                numbers.append(number)
                found, stop = self.items(start, length, inside, numbers, depth)
                if not inside.silent:
                    tokens.append(Items(tag, found))
                self.left += steps
            elif kind == END and end == _NEVER:
                self.left -= steps + 1
                return tokens, position + 8
            elif kind == NAMED_DROP or kind == NAMED_MAKE:  # noqa: PLR1714, SIM109 - quicker
                value = data[start:stop]
                self.named.append(Naming(table.parent, tag, value))
                if kind == NAMED_MAKE:
                    tokens.append((op, value))
                else:
                    numbers.append(number)
            elif kind == CREATOR:
                creators[tag] = data[start:stop]
                tokens.append(Creator(tag, creators[tag]))
            elif kind == SAFE:
                tokens.append(Safe((op, data[start:stop]), creator_of(tag)))
            else:
                inspect(table[key], length, data[start:stop])
                numbers.append(number)
            position = stop
        raise Surprise


def inspect(entry: Entry, length: int, value: bytes) -> None:
    """Look at a value that does not come out.

    Raises
    ------
    Surprise
        When the object is none for the fast path.
    agents.anonymization.outcome.Refusal
        When an overlay lies in the pixels.
    """
    if length == UNDEFINED:
        raise Surprise
    if entry.kind == CHARSET:
        if not has_known_sets(value):
            raise Surprise
    elif entry.kind == OVERLAY:
        check_overlay(entry.tag, value, little=True)
    else:
        raise Surprise
