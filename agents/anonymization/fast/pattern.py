"""What the objects of a series have in common from their first byte to their last, read by comparing it.

A pattern is made of one object, when most of it stood still for some objects: the bytes that do, and between
them the elements that move, of which only the values are read. An object fits when every byte that is not
the value of such an element, or of the pixels, is the same, so that whatever was found out about those holds
for it as well. What does not fit is walked as if there were no pattern, and may become one itself, in which
more moves.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from agents.anonymization.fast.pixels import Pixels
from agents.anonymization.fast.runs import Piece, Run
from agents.anonymization.fast.scan import LENGTH, Scanner, Surprise
from agents.anonymization.fast.sources import Source
from agents.anonymization.fast.steps import DROP, MAKE, PIXELS, PRIVATE, SEQUENCE, SKIP, SKIP_LONG, UNKNOWN
from agents.anonymization.fast.tables import Entry, Table
from agents.anonymization.fast.tokens import Items, Token
from agents.anonymization.fast.top import Top
from gateway.part10 import LONG_VRS, PREAMBLE, VR_NAMES, Bounds, Meta
from streams.copying import Span

_MARK = PREAMBLE - 4
"""Where DICM stands. What lies before it is looked at by nobody."""
_GROUP_LENGTH, _MEDIA_INSTANCE = 0x00020000, 0x00020003
_SHORT_LENGTH = struct.Struct("<H").unpack_from
_MOST_MOVING = 32
"""Elements that move: where there are more, little is saved."""
_LONGEST_TAIL = 1 << 12
"""Bytes behind the pixels."""
_PLAIN = frozenset((SKIP, SKIP_LONG, DROP, UNKNOWN, MAKE))
_WIDE = 12
"""Bytes in front of a value whose length has 32 bits, in explicit VR."""


class Moving(NamedTuple):
    """An element that moves.

    Attributes
    ----------
    fixed
        What stands in front of its length, from the end of the one before: its own tag and VR at the end.
    wide
        Whether the length has 32 bits.
    entry
        What is done to it; None: it is of the file meta information, and nothing is.
    """

    fixed: bytes
    wide: bool
    entry: Entry | None


class Moved(NamedTuple):
    """What an object has where others of its series have something else; see `top.Top`."""

    tokens: list[Token]
    numbers: list[int]
    values: dict[int, bytes]
    pixels: Pixels


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """What stands still in the objects of a series, and what moves.

    Attributes
    ----------
    moving
        In order.
    end
        What stands behind the last of them, up to the pixels.
    pixels, tail
        Bytes of pixels, which are not compressed; what stands behind them.
    slots
        Which of the tokens that were found in the first object come of elements that move.
    tags
        Of the elements that move.
    numbers
        As in `top.Top`, of what stands still.
    """

    moving: tuple[Moving, ...]
    end: bytes
    pixels: int
    tail: bytes
    slots: tuple[int, ...]
    tags: frozenset[int]
    numbers: tuple[int, ...]

    def match(self, source: Source, first: bytes, bounds: Bounds) -> Moved | None:
        """Give what moved in an object, None when it does not fit; `first`: its first bytes."""
        # All that is compared lies in a window and a short tail, too few bytes for more elements than may be.
        scanner = Scanner(first, depth=bounds.depth, elements=bounds.elements)
        try:
            moved = self._moved(first, scanner)
        except (struct.error, Surprise):
            return None
        behind = moved.pixels.span.offset + self.pixels
        if scanner.named or behind + len(self.tail) != source.size:
            return None
        if self.tail and source.read(behind, len(self.tail)) != self.tail:
            return None
        return moved

    def _moved(self, first: bytes, scanner: Scanner) -> Moved:
        tokens, numbers, values, position = list[Token](), list[int](), dict[int, bytes](), _MARK
        for fixed, wide, entry in self.moving:
            if not first.startswith(fixed, position):
                raise Surprise
            position += len(fixed)
            length: int = (LENGTH if wide else _SHORT_LENGTH)(first, position)[0]
            start = position + (4 if wide else 2)
            position = start + length
            if entry is None:
                continue
            tag, kind, _, number, op, inside = entry
            if kind == MAKE:
                values[tag] = value = first[start:position]
                tokens.append((op, value))
                continue
            numbers.append(number)
            if kind == DROP:
                values[tag] = first[start:position]
            elif inside is not None and kind == SEQUENCE:
                found, position = scanner.items(start, length, inside, numbers)
                if not inside.silent:
                    tokens.append(Items(tag, found))
        if not first.startswith(self.end, position):
            raise Surprise
        pixels = Span(position + len(self.end), self.pixels)
        return Moved(tokens, numbers, values, Pixels(pixels, encapsulated=False))


def pattern_of(source: Source, first: bytes, meta: Meta, top: Top) -> Pattern | None:
    """Give the pattern of an object that was walked; None when what moves in it asks for more than a look.

    Parameters
    ----------
    first, meta
        Its first bytes, and the file meta information in them.
    top
        What was found at the top level: nothing of it is made yet.
    """
    moves = sum(isinstance(piece, Piece) for piece in top.pieces) - len(top.still)
    if not top.pieces or moves > _MOST_MOVING or top.pixels is None or top.pixels.encapsulated:
        return None
    pixels, table = top.pixels.span, top.table
    behind = pixels.offset + pixels.length
    moving, begin = _of_meta(first, meta)
    if pixels.offset > len(first) or source.size - behind > _LONGEST_TAIL or begin < 0:
        return None
    slots, numbers = list[int](), list[int]()
    token = number = naming = 0
    for place, piece in enumerate(top.pieces):
        if isinstance(piece, Run):
            last = number + (0 if piece.whole else len(piece.numbers))
            numbers += top.numbers[number:last]
            token += 1 if piece.whole else len(piece.tokens)
            number, naming = last, naming + len(piece.named)
            continue
        if place in top.still:
            numbers += top.numbers[number : piece.numbers]
            token, number, naming = piece.tokens, piece.numbers, piece.named
            continue
        entry = _entry_of(piece, table)
        if entry.kind == PIXELS:
            break
        if piece.data is not first or piece.named != naming or not _may_move(entry, piece):
            return None
        wide = table.implicit or entry.size == _WIDE
        ends = piece.start + entry.size - (4 if wide else 2)
        moving.append(Moving(first[begin:ends], wide, entry))
        slots += [at for at in range(token, piece.tokens) if not isinstance(top.tokens[at], int)]
        begin, token, number = piece.stop, piece.tokens, piece.numbers
    return Pattern(
        moving=tuple(moving),
        end=first[begin : pixels.offset],
        pixels=pixels.length,
        tail=source.read(behind, source.size - behind),
        slots=tuple(slots),
        tags=frozenset(one.entry.tag for one in moving if one.entry is not None),
        numbers=(*numbers, *top.numbers[number:]),
    )


def _entry_of(piece: Piece, table: Table) -> Entry:
    key = piece.data[piece.start : piece.start + (4 if table.implicit else 6)]
    entry = table[key]
    return table.block(piece.reserved[1])[key] if entry.kind == PRIVATE and piece.reserved else entry


def _may_move(entry: Entry, piece: Piece) -> bool:
    # What is done to a private sequence depends on whether it has a length.
    return entry.kind in _PLAIN or (entry.kind == SEQUENCE and piece.reserved is None)


def _of_meta(first: bytes, meta: Meta) -> tuple[list[Moving], int]:
    """Give what moves in the file meta information, and where that ends; -1: it is not read so."""
    moving, begin, position = list[Moving](), _MARK, PREAMBLE
    for tag, value in meta.values.items():
        wide = VR_NAMES.get(first[position + 4 : position + 6]) in LONG_VRS
        start = position + (_WIDE if wide else 8)
        position = start + len(value)
        if tag in (_GROUP_LENGTH, _MEDIA_INSTANCE):
            moving.append(Moving(first[begin : start - (4 if wide else 2)], wide, None))
            begin = position
    return moving, begin if position == meta.dataset else -1
