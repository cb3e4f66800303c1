"""The top level of a data set, read through a window, so that big values are never in memory.

What comes out as it is becomes a `Span` of the source when it is pixels or reaches beyond the window.
"""

from __future__ import annotations

import struct

from agents.anonymization.fast.pixels import DELIMITER, Pixels, find_fragments
from agents.anonymization.fast.runs import Came, Piece, Run
from agents.anonymization.fast.scan import (
    LENGTH,
    Scanner,
    Surprise,
    inspect,
)
from agents.anonymization.fast.sources import Source
from agents.anonymization.fast.steps import (
    CREATOR,
    DROP,
    MAKE,
    NAMED_DROP,
    NAMED_MAKE,
    PIXELS,
    PRIVATE,
    SAFE,
    SEQUENCE,
    SKIP_LONG,
    UNKNOWN,
)
from agents.anonymization.fast.tables import Entry, Table
from agents.anonymization.fast.tokens import Creator, Items, Safe, Token
from agents.anonymization.kinds import SIZES
from agents.anonymization.method import IDENTITY_REMOVED, LONGITUDINAL
from agents.anonymization.policy.private import creator_of
from agents.anonymization.policy.rules import PATIENT_ID, PATIENT_NAME
from agents.anonymization.text.naming import Naming
from gateway.elements import UNDEFINED
from gateway.part10 import Bounds
from streams.copying import Span

WINDOW = 1 << 14
"""Bytes that are read at once; most headers are shorter."""
BARRIERS = PATIENT_NAME, PATIENT_ID, IDENTITY_REMOVED, LONGITUDINAL
"""Something is put in here, unless the object has the name or the ID itself."""
_WIDEST = 1 << 26
"""Most bytes of one element that does not come out as it is."""
_PADDING = 1 << 20
_BARRIERS = *BARRIERS, 1 << 62
_MORE = -1
_VALUES = frozenset((NAMED_DROP, NAMED_MAKE, SAFE, CREATOR))
_NO_TAG = bytes(4)


class Top:
    """Walks a data set from its first byte to its last.

    Parameters
    ----------
    source
        The file.
    first
        Its first bytes.
    start
        Where the data set begins in them.
    table
        What to do at the top level.
    bounds
        What the data set may ask.

    Attributes
    ----------
    table
        As above.
    tokens
        What comes out. A number stands where that one of `BARRIERS` is put in.
    values
        Of public attributes, without sequences and bulk data, as they were read.
    numbers
        What was done to each element that is not made: `agents.anonymization.fast.tallies`.
    named
        What names somebody, at every depth, and must not be found again.
    pixels
        None without.
    pieces
        What it consists of, in order, when the object is one to learn from; else nothing.
    still
        Places of those that stood still, though in no run.
    """

    def __init__(self, source: Source, first: bytes, start: int, table: Table, bounds: Bounds) -> None:
        self.tokens: list[Token | Run | Span | int] = []
        self.values: dict[int, bytes] = {}
        self.pixels: Pixels | None = None
        self._scanner = Scanner(first, depth=bounds.depth, elements=bounds.allowed(source.size - start))
        self.numbers: list[int] = []
        self.named = self._scanner.named
        self._source, self.table = source, table
        self._data, self._base = first, 0
        self._position, self._last, self._put = start, -1, 0
        self._need = WINDOW
        self._creators: dict[int, bytes] = {}
        self._curious = table.runs.curious()
        self.pieces: list[Run | Piece] = []
        self.still: frozenset[int] = frozenset()
        self._count = 0

    def walk(self) -> None:
        """Walk.

        Raises
        ------
        Surprise
            When the object is none for the fast path.
        agents.anonymization.outcome.Refusal
            When an overlay lies in the pixels.
        OSError
            When the source can't be read.
        """
        size = self._source.size
        self._window()
        while self._base + self._position < size:
            if self._need > _WIDEST:
                raise Surprise
            self._base += self._position
            self._data, self._position = self._source.read(self._base, self._need), 0
            self._need = WINDOW
            self._window()
        if self._base + self._position > size or self._scanner.left < 0:
            raise Surprise
        if self._curious:
            self.still = self.table.runs.learn(
                self.pieces, Came(self.tokens, self.numbers, self.named, self.values)
            )
        else:
            self.table.runs.passed(self._count)
        self.tokens.extend(range(self._put, len(BARRIERS)))

    def _window(self) -> None:  # noqa: C901, PLR0912, PLR0915 - one loop: calls would cost more than what it does
        """Take elements as long as they lie in the window; stop behind the last, or ask for more bytes."""
        data, have, table, head = self._data, len(self._data), self.table, self.table.head
        values, tokens, numbers, pieces = self.values, self.tokens, self.numbers, self.pieces
        runs, standing, named, creators = table.runs, table.runs.standing, self.named, self._creators
        new_tuple = tuple.__new__  # a named tuple made by name takes three times as long
        self._scanner.data = data
        position, last, put = self._position, self._last, self._put
        barrier, left = _BARRIERS[put], self._scanner.left
        private, owner, block = -1, (0, b""), table.block(b"")
        curious, count = self._curious, self._count
        # What was begun in another window was put in there, too.
        alone, starved = not self._base, False
        try:
            while left > 0:
                key, length = head(data, position)
                count += 1
                run = standing.get(key)
                if run is not None:
                    first = table[key].tag
                    fits = first > last and run.before == put
                    if fits and run.needs:
                        fits = all(creators.get(of, b"") == value for of, value in run.needs)
                    if fits and data.startswith(run.raw, position):
                        if run.whole:
                            tokens.append(run)
                        else:
                            tokens += run.tokens
                            numbers += run.numbers
                        creators.update(run.gives)
                        if curious:
                            pieces.append(run)
                        values.update(run.values)
                        named += run.named
                        left -= run.cost
                        last, put, barrier = run.last, run.after, _BARRIERS[run.after]
                        position += len(run.raw)
                        alone = True
                        continue
                    if position + len(run.raw) <= have:
                        runs.moved(run)
                tag, kind, size, number, op, _ = table[key]
                if tag <= last:
                    if tag:
                        raise Surprise
                    starved = True
                    break
                before, cost, reserved = put, 1, None
                if tag >= barrier:
                    put = self._raised(tag, put)
                    barrier = _BARRIERS[put]
                start = position + size
                if size == 12:  # noqa: PLR2004 - two reserved bytes, then a length of 32 bits
                    if length:
                        raise Surprise
                    length = LENGTH(data, position + 8)[0]
                stop = start + length
                if kind == PRIVATE:
                    if tag >> 8 != private:
                        private, creator = tag >> 8, creator_of(tag)
                        owner = creator, creators.get(creator, b"")
                        block = table.block(owner[1])
                    reserved = owner
                    if length != UNDEFINED:
                        _, kind, _, number, op, _ = block[key]
                if kind <= SKIP_LONG:
                    numbers.append(number)
                elif stop > have or kind >= SEQUENCE:
                    self._scanner.left = left
                    stop = self._rarely(table[key], key, position, length)
                    if stop == _MORE:
                        break
                    cost += left - self._scanner.left
                    alone = alone and kind != PIXELS
                    if kind == CREATOR:
                        reserved = tag, creators[tag]
                elif kind == MAKE:
                    values[tag] = value = data[start:stop]
                    tokens.append((op, value))
                else:
                    numbers.append(number)
                    if kind == DROP:
                        values[tag] = data[start:stop]
                if curious:
                    known_by = key if alone else b""
                    ends = put, cost, len(tokens), len(numbers), len(named), reserved
                    pieces.append(new_tuple(Piece, (known_by, data, position, stop, tag, before, *ends)))
                alone = True
                left -= cost
                last = tag
                position = stop
            else:
                raise Surprise
        except struct.error:
            starved = position < have
        self._position, self._last, self._put, self._scanner.left = position, last, put, left
        self._count = count
        if starved:
            self._starve()

    def _raised(self, tag: int, put: int) -> int:
        """Put in what stands before `tag`; give how much that is with what was `put` before."""
        while tag >= _BARRIERS[put]:
            if tag not in (PATIENT_NAME, PATIENT_ID) or tag != BARRIERS[put]:
                self.tokens.append(put)
            put += 1
        return put

    def _rarely(self, entry: Entry, key: bytes, position: int, length: int) -> int:
        """Take an element that is no plain value, or does not end in the window; give its end, or `_MORE`."""
        undefined = length == UNDEFINED
        if entry.kind == PRIVATE:
            creator = self._creators.get(creator_of(entry.tag), b"")
            block = self.table.block(creator)
            entry = self.table.private(key, creator, undefined=True) if undefined else block[key]
        kind, number, start = entry.kind, entry.number, position + entry.size
        stop = start + length
        if not undefined and self._base + stop > self._source.size:
            raise Surprise
        outside = stop > len(self._data)
        if kind == PIXELS:
            return self._span(entry, position, length)
        if kind == UNKNOWN or (kind == SEQUENCE and (undefined or not outside)):
            return self._sequence(entry, start, stop, length)
        if outside and not undefined:
            self._need = stop - position + WINDOW
            return _MORE
        value = self._data[start:stop]
        if undefined or kind not in _VALUES:
            inspect(entry, length, value)
            self.numbers.append(number)
        else:
            self._value(entry, value)
        return stop

    def _value(self, entry: Entry, value: bytes) -> None:
        """Take a value that is private or names somebody."""
        tag, kind, _, number, op, _ = entry
        if kind in (NAMED_DROP, NAMED_MAKE):
            self.values[tag] = value
            self.named.append(Naming(None, tag, value))
        if kind == NAMED_MAKE:
            self.tokens.append((op, value))
        elif kind == NAMED_DROP:
            self.numbers.append(number)
        elif kind == SAFE:
            self.tokens.append(Safe((op, value), creator_of(tag)))
        else:
            self._creators[tag] = value
            self.tokens.append(Creator(tag, value))

    def _span(self, entry: Entry, position: int, length: int) -> int:
        """Take a value that comes out as it is, wherever it lies; give its end."""
        start, fragments = position + entry.size, None
        span, stop = Span(self._base + start, length), start + length
        self.numbers.append(entry.number)
        self.tokens += (self._data[position:start], span)
        if length == UNDEFINED:
            if self.table.implicit:
                raise Surprise
            fragments = find_fragments(self._source, span.offset, self._scanner.left)
            self._scanner.left -= len(fragments) + 1
            self.tokens[-1] = span = Span(span.offset, sum(one.length for one in fragments))
            self.tokens.append(DELIMITER)
            stop = start + span.length + len(DELIMITER)
        elif length & 1 or length % SIZES.get(entry.op.vr, 1):
            raise Surprise
        if entry.kind == PIXELS:
            self.pixels = Pixels(span, encapsulated=fragments is not None)
        return stop

    def _sequence(self, entry: Entry, start: int, stop: int, length: int) -> int:
        """Take a sequence, or what is dropped like one; give its end."""
        scanner, inside = self._scanner, entry.inside
        counted, named, left = len(self.numbers), len(self.named), scanner.left
        self.numbers.append(entry.number)
        if inside is None:
            raise Surprise
        if entry.kind == UNKNOWN and length != UNDEFINED:
            return stop
        try:
            found, stop = scanner.items(start, length, inside, self.numbers)
        except struct.error:
            del self.numbers[counted:]
            del self.named[named:]
            scanner.left = left
            raise
        if not inside.silent:
            self.tokens.append(Items(entry.tag, found))
        return stop

    def _starve(self) -> None:
        """Ask for more bytes of an element that does not end in the window, if they can be there."""
        rest = self._source.size - self._base - self._position
        have = len(self._data) - self._position
        if have < rest and not self._data.startswith(_NO_TAG, self._position):
            self._need = max(WINDOW, 2 * have)
        elif rest <= _PADDING and not any(self._source.read(self._base + self._position, rest)):
            self._position += rest
        else:
            raise Surprise
