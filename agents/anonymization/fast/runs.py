"""What stands still from one object to the next: runs of elements that need no second reading.

The slices of a series share most of their headers. Elements that were the same in some objects on end are
joined into a run: where its bytes stand again, what came of them comes again, by one comparison. A run in
which one byte moved is forgotten, and its elements are read one by one until they stand still again.

That is a matter of speed alone. What comes of top-level elements depends on their bytes, on the table and on
what was put in before them, and on nothing else; so objects of several series may share what is remembered,
in any order and by several threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from agents.anonymization.fast.tokens import Creator, Safe, Token
from agents.anonymization.text.naming import Naming
from streams.copying import Span

_STILL = 2
"""Objects on end in which an element must have been what it was in the one before."""
_SELDOM = 8
"""One in so many objects is learned from while they are of as many pieces and each of these moves."""
_LONGEST, _RUN_AT_MOST = 1 << 13, 1 << 14
"""Bytes of an element in a run, and of a run."""
_AT_MOST = 1 << 10
"""Runs, and elements that are watched."""

_UNSEEN = b"", 0

Reserved = tuple[int, bytes]
"""A creator of a private block: tag and value."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Consecutive top-level elements. Equal to itself alone, so that it is a quick key.

    Attributes
    ----------
    key, raw
        How the first one begins; the bytes of all.
    last
        Tag of the last one.
    before, after
        How many of `top.BARRIERS` are passed in front of it and behind it.
    cost
        Elements, with those inside.
    tokens, numbers, named, values
        What comes of them, as in `top.Top`.
    needs, gives
        Who reserved private blocks, tag and value: of those in it before it began, and in it.
    whole
        Whether what comes of it depends on nothing else of the object: it has private blocks from who
        reserved them to the end of their group, or not at all.
    """

    key: bytes
    raw: bytes
    last: int
    before: int
    after: int
    cost: int
    tokens: tuple[Token | int, ...]
    numbers: tuple[int, ...]
    named: tuple[Naming, ...]
    values: dict[int, bytes]
    needs: tuple[Reserved, ...] = ()
    gives: tuple[Reserved, ...] = ()
    whole: bool = True


class Came(NamedTuple):
    """What came of an object's top level, as in `top.Top`."""

    tokens: Sequence[Token | Run | Span | int]
    numbers: Sequence[int]
    named: Sequence[Naming]
    values: Mapping[int, bytes]


class Piece(NamedTuple):
    """An element that was read: where it lies in the bytes `data`, else as in `Run`.

    `tokens`, `numbers` and `named` tell how many there are behind it, `reserved` who reserved its block if it
    is private and may stay. Without a key it can't stand in a run.
    """

    key: bytes
    data: bytes
    start: int
    stop: int
    last: int
    before: int
    after: int
    cost: int
    tokens: int
    numbers: int
    named: int
    reserved: Reserved | None


class _Still(NamedTuple):
    """An element that stood still, and where what came of it begins: tokens, numbers, namings."""

    piece: Piece
    token: int
    number: int
    naming: int


class Runs:
    """The runs of one table.

    Attributes
    ----------
    standing
        By key of their first element.
    """

    def __init__(self) -> None:
        self.standing: dict[bytes, Run] = {}
        self._watched: dict[bytes, tuple[bytes, int]] = {}
        self._pieces = self._passed = 0
        self._settled = False

    def moved(self, run: Run) -> None:
        """Forget a run: its elements stand there, and are not what they were."""
        self.standing.pop(run.key, None)

    def fitted(self) -> None:
        """Take note of an object that fitted a pattern: one that is read again begins something new."""
        self._settled = False

    def curious(self) -> bool:
        """Tell whether the object that is read next is one to learn from."""
        return not self._settled or self._passed + 1 >= _SELDOM

    def passed(self, pieces: int) -> None:
        """Take note of an object, of so many pieces, that is not learned from."""
        self._passed += 1
        self._settled = self._settled and pieces == self._pieces

    def learn(self, pieces: Sequence[Run | Piece], came: Came) -> frozenset[int]:
        """Look what stood still in an object that was read; `pieces`: all of it, in order.

        Gives the places of those that did, and were in no run yet.
        """
        self._pieces, self._passed, self._settled = len(pieces), 0, True
        together: list[Run | _Still] = []
        still = set[int]()
        token = number = naming = 0
        for place, piece in enumerate(pieces):
            if isinstance(piece, Run):
                together.append(piece)
                token += 1 if piece.whole else len(piece.tokens)
                number += 0 if piece.whole else len(piece.numbers)
                naming += len(piece.named)
                continue
            if self._stands(piece):
                together.append(_Still(piece, token, number, naming))
                still.add(place)
            elif together:
                self._join(together, came)
                together = []
            token, number, naming = piece.tokens, piece.numbers, piece.named
        self._join(together, came)
        return frozenset(still)

    def _stands(self, piece: Piece) -> bool:
        """Tell whether an element has stood still for some objects."""
        key, data, start, stop, *_ = piece
        if not key or stop - start > _LONGEST:
            return False
        raw = data[start:stop]
        was, times = self._watched.get(key, _UNSEEN)
        times = times + 1 if was == raw else 0
        if times or not was:
            self._settled = False
        if len(self._watched) >= _AT_MOST:
            self._watched.clear()
        self._watched[key] = raw, times
        return times >= _STILL

    def _join(self, together: Sequence[Run | _Still], came: Came) -> None:
        """Make runs of what stands together."""
        start = size = 0
        for place, one in enumerate(together):
            length = len(one.raw) if isinstance(one, Run) else one.piece.stop - one.piece.start
            if size + length > _RUN_AT_MOST:
                self._cut(together[start:place], came)
                start, size = place, 0
            size += length
        self._cut(together[start:], came)

    def _cut(self, together: Sequence[Run | _Still], came: Came) -> None:
        """Make a run, and runs of their own of a private group that begins before it or ends behind it."""
        whole = [_is_public(one, came) for one in together]
        if all(whole):
            self._put(together, came)
            return
        begin, end, gives = 0, len(together), set[int]()
        for place, one in enumerate(together):
            gives |= {tag for tag, _ in _gives(one)}
            if not whole[place] and any(
                isinstance(token, Safe) and token.creator not in gives for token in _tokens(one, came)
            ):
                begin = place + 1
        while end > begin and _last(together[end - 1]) >> 16 == _last(together[-1]) >> 16:
            end -= 1
        if all(whole[end:]):
            end = len(together)
        for part in (together[:begin], together[begin:end], together[end:]):
            self._put(part, came)

    def _put(self, together: Sequence[Run | _Still], came: Came) -> None:
        if not together or (len(together) == 1 and isinstance(together[0], Run)):
            return
        if len(self.standing) >= _AT_MOST:
            self.standing.clear()
        for one in together:
            self.standing.pop(_key(one), None)
        run = _joined(together, came)
        self.standing[run.key] = run


def _joined(together: Sequence[Run | _Still], came: Came) -> Run:
    raw, tokens, numbers, named = list[bytes](), list[Token | int](), list[int](), list[Naming]()
    values, needs, gives = dict[int, bytes](), dict[int, bytes](), dict[int, bytes]()
    cost = 0
    for one in together:
        if isinstance(one, Run):
            raw.append(one.raw)
            tokens += one.tokens
            numbers += one.numbers
            named += one.named
            values |= one.values
            cost += one.cost
            needs |= {tag: value for tag, value in one.needs if tag not in gives}
            gives |= dict(one.gives)
            continue
        piece, tag = one.piece, one.piece.last
        raw.append(piece.data[piece.start : piece.stop])
        tokens += _tokens(one, came)
        numbers += came.numbers[one.number : piece.numbers]
        named += came.named[one.naming : piece.named]
        if tag in came.values:
            values[tag] = came.values[tag]
        cost += piece.cost
        if piece.reserved is not None:
            creator, value = piece.reserved
            if creator == tag:
                gives[tag] = value
            elif creator not in gives:
                needs[creator] = value
    first, last = together[0], together[-1]
    return Run(
        key=_key(first),
        raw=b"".join(raw),
        last=_last(last),
        before=first.before if isinstance(first, Run) else first.piece.before,
        after=last.after if isinstance(last, Run) else last.piece.after,
        cost=cost,
        tokens=tuple(tokens),
        numbers=tuple(numbers),
        named=tuple(named),
        values=values,
        needs=tuple(needs.items()),
        gives=tuple(gives.items()),
        whole=_is_whole(tokens, gives, _last(last)),
    )


def _is_whole(tokens: Sequence[Token | int], gives: Mapping[int, bytes], last: int) -> bool:
    begun = all(token.creator in gives for token in tokens if isinstance(token, Safe))
    return begun and all(token.tag >> 16 < last >> 16 for token in tokens if isinstance(token, Creator))


def _is_public(one: Run | _Still, came: Came) -> bool:
    """Tell whether no private block stays of which a part may lie outside."""
    if isinstance(one, Run):
        return one.whole
    if one.piece.reserved is None:
        return True
    return not any(isinstance(token, Creator | Safe) for token in _tokens(one, came))


def _key(one: Run | _Still) -> bytes:
    return one.key if isinstance(one, Run) else one.piece.key


def _last(one: Run | _Still) -> int:
    return one.last if isinstance(one, Run) else one.piece.last


def _gives(one: Run | _Still) -> tuple[Reserved, ...]:
    if isinstance(one, Run):
        return one.gives
    reserved = one.piece.reserved
    return (reserved,) if reserved is not None and reserved[0] == one.piece.last else ()


def _tokens(one: Run | _Still, came: Came) -> Sequence[Token | int]:
    """Give what comes of it: of an element that was read by itself that is no run and no span."""
    if isinstance(one, Run):
        return one.tokens
    own = came.tokens[one.token : one.piece.tokens]
    return [token for token in own if not isinstance(token, Run | Span)]
