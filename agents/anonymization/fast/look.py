"""A second look at what is about to leave, by a walk of its own over the finished bytes.

It shares nothing with the pass that made them but the rules: from the first byte to the last everything must
be an element, in order, as long as it says, and as the careful way compares it (`verify.compare`). A part
that is byte for byte one of an earlier object, under the same rules and names, was looked at then; that makes
the look cheap enough to have at every object.
"""

from __future__ import annotations

import struct
from collections.abc import Container, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from agents.anonymization.fast.pixels import DELIMITER
from agents.anonymization.fast.scan import ITEM, ITEM_HEAD, LENGTH
from agents.anonymization.method import WRITTEN
from agents.anonymization.outcome import Refusal
from agents.anonymization.policy.private import SafePrivate, creator_of, is_creator
from agents.anonymization.policy.rules import Action, Rules, Within, items_within, known_vr
from agents.anonymization.rewrite import done_to_sequence
from agents.anonymization.values import Known
from agents.anonymization.verify import compare
from gateway.elements import UNDEFINED
from gateway.part10 import LONG_VRS, VR_NAMES, Encoding
from streams.copying import Span

_REMEMBERED = 2048
"""Parts that need not be looked at again."""
_LONGEST = 1 << 14
_OVERLAYS = 0x60
_NO_LENGTH = b"\xff\xff\xff\xff"
_NOT_VERIFIED = Refusal("not-verified", "The result could not be read back.")


class _Expected(NamedTuple):
    """What may stand under a key: `ours` whatever it is, else what `action` leaves, `items` in a sequence."""

    tag: int
    vr: str
    size: int
    action: Action
    ours: bool
    items: _Place | None


class _Place(dict[bytes, _Expected]):
    """The top level, or the items of a sequence: what may stand there, by key as in `tables`."""

    def __init__(self, places: Places, parent: int | None, within: Within) -> None:
        super().__init__()
        self._places = places
        self._parent = parent
        self._within = within

    def __missing__(self, key: bytes) -> _Expected:
        tag = int.from_bytes(key[:2], "little") << 16 | int.from_bytes(key[2:4], "little")
        implicit = self._places.implicit
        vr = str(known_vr(tag)) if implicit else VR_NAMES.get(key[4:6], "")
        size = 12 if vr in LONG_VRS and not implicit else 8
        decision = self._places.rules.decide(tag, self._parent, self._within)
        ours = self._parent is None and tag in WRITTEN
        action, items = decision.action, None
        if vr == "SQ" and not ours:
            action = done_to_sequence(decision)
            items = self._places.of(tag, items_within(action, self._within))
        hidden = known_vr(tag) == "SQ" and vr != "SQ"
        if not vr or hidden or (action is Action.GRAPHICS and tag >> 24 == _OVERLAYS):
            action = Action.REMOVE
        self[key] = _Expected(tag, vr, size, action, ours, items)
        return self[key]


class Places:
    """What may stand where, by rules and encoding.

    Parameters
    ----------
    encoding
        How outputs are written, little endian.
    """

    def __init__(self, rules: Rules, encoding: Encoding) -> None:
        self.rules = rules
        self.private = SafePrivate(rules.policy)
        self.implicit = encoding.implicit
        self.head = struct.Struct("<4sI" if encoding.implicit else "<6sH").unpack_from
        self._made: dict[tuple[int | None, Within], _Place] = {}

    def of(self, parent: int | None, within: Within) -> _Place:
        """Give the place of items of the sequence `parent`, the top level when it is None."""
        key = parent, within
        if key not in self._made:
            self._made[key] = _Place(self, parent, within)
        return self._made[key]


class _Creators(dict[int, bytes]):
    """Who reserved private blocks in a part of a data set, by tag.

    Attributes
    ----------
    asked
        Whether somebody wanted to know of a block that was reserved before, in `outside`.
    """

    def __init__(self, outside: Mapping[int, bytes] = MappingProxyType({})) -> None:
        self.asked = False
        self._outside = outside

    def of(self, tag: int) -> bytes:
        """Give who reserved the block of a private element, empty when nobody did."""
        creator = creator_of(tag)
        if creator in self:
            return self[creator]
        self.asked = True
        return self._outside.get(creator, b"")


class Look:
    """Looks at outputs made under the same rules and with the same known names.

    Parameters
    ----------
    places, known
        What must hold in them.
    """

    def __init__(self, places: Places, known: Known) -> None:
        self._places = places
        self._known = known
        self._top = places.of(None, Within.OBJECT)
        self._seen: dict[tuple[bytes, bytes], _Seen] = {}

    def at(self, parts: Sequence[bytes | Span], moving: Container[int] = ()) -> None:
        """Look at a data set: bytes that are elements, and spans that are the value of the one before.

        Parameters
        ----------
        moving
            Places of parts that are others in each object, and not worth remembering.

        Raises
        ------
        agents.anonymization.outcome.Refusal
            When it is not what the rules say.
        """
        seen, last, creators = self._seen, -1, dict[int, bytes]()
        try:
            for number, part in enumerate(parts):
                if isinstance(part, Span):
                    _look_around(parts, number)
                    continue
                found = seen.get((part, _context(part, creators) if creators else b""))
                if found is not None and found.first > last:
                    last = found.last
                    creators.update(found.creators)
                elif part and not (part == DELIMITER and number and isinstance(parts[number - 1], Span)):
                    behind = parts[number + 1] if number + 1 < len(parts) else None
                    last = self._part(part, behind, last, creators, once=number in moving)
        except struct.error as error:
            raise _NOT_VERIFIED from error

    def _part(
        self,
        part: bytes,
        behind: bytes | Span | None,
        last: int,
        creators: dict[int, bytes],
        *,
        once: bool,
    ) -> int:
        """Look at elements; give the last one's tag."""
        span = behind if isinstance(behind, Span) else None
        first, context, own = _tag_of(part), _context(part, creators), _Creators(creators)
        end = self._elements(part, self._top, own, last, span)
        if own:
            creators.update(own)
        if once:
            return end
        if span is None and len(part) <= _LONGEST and (first == end or not own.asked):
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            self._seen[part, context] = _Seen(first, end, dict(own))
        return end

    def _elements(
        self,
        data: bytes,
        place: _Place,
        creators: _Creators,
        last: int = -1,
        span: Span | None = None,
    ) -> int:
        """Look at elements to the last one, whose value may be a `span`; give its tag."""
        position = 0
        while position < len(data):
            key, length = self._places.head(data, position)
            expected = place[key]
            start = position + expected.size
            if expected.size == 12:  # noqa: PLR2004 - two reserved bytes, then a length of 32 bits
                if length:
                    raise _NOT_VERIFIED
                length = LENGTH(data, position + 8)[0]
            position = start + length
            if expected.tag <= last:
                raise _NOT_VERIFIED
            last = expected.tag
            if span is not None and start == len(data):
                if expected.action is Action.KEEP and length in (span.length, UNDEFINED):
                    return last
                raise _NOT_VERIFIED
            if position > len(data):
                raise _NOT_VERIFIED
            if not expected.ours:
                self._element(expected, data[start:position], creators)
        if span is not None:
            raise _NOT_VERIFIED
        return last

    def _element(self, expected: _Expected, value: bytes, creators: _Creators) -> None:
        tag, vr, action = expected.tag, expected.vr, expected.action
        if expected.items is not None and action is not Action.REMOVE:
            self._items(value, expected.items)
            return
        if action is Action.PRIVATE:
            action = Action.KEEP
            if is_creator(tag):
                creators[tag] = value
            else:
                written = None if self._places.implicit or vr == "UN" else vr
                safe = self._places.private.decide(creators.of(tag), tag, written)
                action = safe.decision.action if safe else Action.REMOVE
        compare(action, tag, vr, value, self._known)

    def _items(self, data: bytes, place: _Place) -> None:
        position = 0
        while position < len(data):
            mark, length = ITEM_HEAD(data, position)
            position += 8 + length
            if mark != ITEM or position > len(data):
                raise _NOT_VERIFIED
            self._elements(data[position - length : position], place, _Creators())


class _Seen(NamedTuple):
    """A part that was looked at: its first and last tag, and the private creators in it."""

    first: int
    last: int
    creators: dict[int, bytes]


def _tag_of(part: bytes) -> int:
    return int.from_bytes(part[:2], "little") << 16 | int.from_bytes(part[2:4], "little")


def _context(part: bytes, creators: Mapping[int, bytes]) -> bytes:
    """Give what the judgement of a part depends on: of a private element, who reserved its block."""
    return creators.get(creator_of(_tag_of(part)), b"") if part and part[0] & 1 else b""


def _look_around(parts: Sequence[bytes | Span], number: int) -> None:
    """Look whether a span is a value, and is closed as its length says."""
    head = parts[number - 1] if number else b""
    behind = parts[number + 1] if number + 1 < len(parts) else b""
    if isinstance(head, Span) or not head or head.endswith(_NO_LENGTH) != (behind == DELIMITER):
        raise _NOT_VERIFIED
