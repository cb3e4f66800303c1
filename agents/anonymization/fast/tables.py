"""What to do with an element, looked up by the bytes that begin it. Pure but for what it remembers.

A table belongs to where its elements stand: at the top level, or in the items of one sequence. Its keys are
the first bytes of an element, tag and value representation (6 bytes), or the tag alone in implicit VR (4). An
entry is made from the rules when its key is first met.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from pydicom.datadict import dictionary_VR

from agents.anonymization.fast.runs import Runs
from agents.anonymization.fast.steps import (
    CHARSET,
    CREATOR,
    DROP,
    END,
    MAKE,
    NAMED_DROP,
    NAMED_MAKE,
    OVERLAY,
    PIXELS,
    PRIVATE,
    SAFE,
    SEQUENCE,
    SKIP,
    SKIP_LONG,
    SURPRISE,
    UNKNOWN,
)
from agents.anonymization.fast.tallies import Tallies
from agents.anonymization.fast.tokens import Op
from agents.anonymization.kinds import CHARACTER_SET
from agents.anonymization.outcome import Refusal
from agents.anonymization.policy.private import SafePrivate, is_creator
from agents.anonymization.policy.rules import (
    ENCAPSULATED_DOCUMENT,
    PATIENT_ID,
    PATIENT_NAME,
    Action,
    Decision,
    Rules,
    Within,
    items_within,
    known_vr,
)
from agents.anonymization.rewrite import done_to_sequence
from agents.anonymization.source import Source, plain_vr, written_vr
from agents.anonymization.surplus.removing import LENGTHS, OFFSETS, TOTAL
from agents.anonymization.text.content import ITEM_SEQUENCES
from agents.anonymization.text.naming import kind_of
from gateway.elements import ITEM_END, PIXEL_DATA
from gateway.part10 import LONG_VRS, VR_NAMES

ITEM_GROUP = 0xFFFE
_BYTES = frozenset(("OB", "OW", "OF", "OD", "OL", "OV"))
_OVERLAY_BITS = frozenset((0x0100, 0x0102))
_OVERLAYS = 0x60
_TABLES_OF_OFFSETS = frozenset((OFFSETS, LENGTHS, TOTAL))
"""Whether they are true is not for the fast path to find out."""
_ITEM_END = struct.pack("<HHI", ITEM_END >> 16, ITEM_END & 0xFFFF, 0)
_BEHIND_ALL = 1 << 32
_UNKNOWN_SEQUENCE = 0
_SHORT, _LONG = 8, 12
"""Bytes in front of a value."""
_REMOVED = Decision(Action.REMOVE, "inside what is removed")
_PRIVATE = Decision(Action.REMOVE, "private")
_NO_OP = Op(0, "", _REMOVED)

Head = Callable[[bytes, int], tuple[Any, ...]]
"""Reads an element's key and the length behind it."""


class Inside(NamedTuple):
    """A sequence's items.

    Attributes
    ----------
    table, only
        Of those that come out, and how many these are.
    dropped
        Of the others.
    silent
        Whether not even the sequence comes out.
    """

    table: Table
    only: int
    dropped: Table
    silent: bool = False


class Entry(NamedTuple):
    """What to do: `kind`, bytes in front of the value, the number it counts as, and how it is made."""

    tag: int
    kind: int
    size: int
    number: int
    op: Op
    inside: Inside | None = None


class Table(dict[bytes, Entry]):
    """Entries by key; see the module.

    Parameters
    ----------
    within
        None: inside something that does not come out.
    """

    def __init__(self, tables: Tables, parent: int | None, within: Within | None, *, implicit: bool) -> None:
        super().__init__()
        self.tables = tables
        self.implicit = implicit
        self.head: Head = struct.Struct("<4sI" if implicit else "<6sH").unpack_from
        self.runs = Runs()
        self.parent = parent
        self._within = within
        self._blocks: dict[bytes, Block] = {}

    def __missing__(self, key: bytes) -> Entry:
        entry = self[key] = self._entry(key)
        self.tables.entries += 1
        return entry

    def block(self, creator: bytes) -> Block:
        """Give the table of the PRIVATE elements of a block that `creator` reserved."""
        if creator not in self._blocks:
            self._blocks[creator] = Block(self, creator)
            self.tables.entries += 1
        return self._blocks[creator]

    def private(self, key: bytes, creator: bytes, *, undefined: bool = False) -> Entry:
        """Give the entry of a PRIVATE element; `undefined`: without a declared length."""
        tag, size = self[key].tag, self[key].size
        written = "UN" if self.implicit else VR_NAMES[key[4:6]]
        # Whatever has no length is read as a sequence.
        vr = "SQ" if undefined else None if self.implicit else written
        safe = self.tables.private.decide(creator, tag, vr)
        if safe is None:
            return self._dropped(tag, written, size, _PRIVATE) or _surprise(tag)
        if "SQ" in (safe.vr, vr):
            return _surprise(tag)
        return Entry(tag, SAFE, size, 0, Op(tag, plain_vr(safe.vr), safe.decision))

    def _entry(self, key: bytes) -> Entry:
        if key == _ITEM_END[: len(key)]:
            return Entry(_BEHIND_ALL, END, _SHORT, 0, _NO_OP)
        tag = int.from_bytes(key[:2], "little") << 16 | int.from_bytes(key[2:4], "little")
        written = _dictionary_vr(tag) if self.implicit else VR_NAMES.get(key[4:6])
        if written is None or tag >> 16 == ITEM_GROUP or tag in _TABLES_OF_OFFSETS:
            return _surprise(tag)
        size = _LONG if written in LONG_VRS and not self.implicit else _SHORT
        entry = self._decided(tag, written, size) or _surprise(tag)
        named = {DROP: NAMED_DROP, MAKE: NAMED_MAKE}.get(entry.kind)
        return entry._replace(kind=named) if named and self._names(tag) else entry

    def _names(self, tag: int) -> bool:
        """Tell whether an attribute says what must not be found again."""
        kept = self.tables.rules.decide(tag, self.parent).action is Action.KEEP
        return not kept and kind_of(tag, self.parent) is not None

    def _decided(self, tag: int, written: str, size: int) -> Entry | None:
        if self._within is None:
            return self._dropped(tag, written, size, _REMOVED)
        decision = self.tables.rules.decide(tag, self.parent, self._within)
        if decision.action is Action.PRIVATE:
            if not is_creator(tag):
                return Entry(tag, PRIVATE, size, 0, _NO_OP)
            return Entry(tag, CREATOR, size, 0, _NO_OP) if written in ("LO", "UN") else None
        if decision.action is not Action.REMOVE:
            return self._kept(tag, written, size, decision)
        if tag in (PATIENT_NAME, PATIENT_ID) and self.parent is None:
            return None
        return self._dropped(tag, written, size, decision)

    def _dropped(self, tag: int, written: str, size: int, decision: Decision) -> Entry | None:
        number = self.tables.tallies.number(tag, decision.reason, "removed")
        if tag >> 24 == _OVERLAYS and self._within is not None:
            kind = OVERLAY if tag & 0xFFFF in _OVERLAY_BITS else DROP
            return None if written == "SQ" else Entry(tag, kind, size, number, _NO_OP)
        if written in ("SQ", "UN") and not self._names(tag):
            if written == "UN" and not self.implicit and _dictionary_vr(tag) == "SQ":
                return None
            table = self.tables.dropped(tag, implicit=self.implicit or written == "UN")
            kind = SEQUENCE if written == "SQ" else UNKNOWN
            return Entry(tag, kind, size, number, _NO_OP, Inside(table, 0, table, silent=True))
        kind = DROP
        if tag >> 16 & 1 or written in _BYTES:
            kind = SKIP if size == _SHORT else SKIP_LONG
        elif tag == CHARACTER_SET:
            kind = CHARSET
        return Entry(tag, kind, size, number, _NO_OP)

    def _kept(self, tag: int, written: str, size: int, decision: Decision) -> Entry | None:
        known = known_vr(tag)
        if known == "SQ" and written == "SQ":
            return self._sequence(tag, size, decision)
        foreign = "SQ" in (known, written) or (self.implicit and _dictionary_vr(tag) == "UN")
        if foreign or tag == ENCAPSULATED_DOCUMENT or tag >> 24 == _OVERLAYS:
            return None
        vr, kind = plain_vr(known), MAKE
        if decision.action is Action.KEEP:
            try:
                source = Source(tag, None if self.implicit else written, b"", None, fragments=False)
                vr = written_vr(source, str(known))
            except Refusal:
                return None
            if (
                self.parent is None
                and tag == PIXEL_DATA
                and vr in _BYTES
                and (self.implicit or vr == written)
            ):
                kind = PIXELS
        number = self.tables.tallies.number(tag, decision.reason, "kept")
        return Entry(tag, kind, size, number, Op(tag, vr, decision))

    def _sequence(self, tag: int, size: int, decision: Decision) -> Entry | None:
        action = done_to_sequence(decision)
        if action is Action.REMOVE:
            return self._dropped(tag, "SQ", size, decision)
        within = items_within(action, self._within or Within.OBJECT)
        only = {Action.EMPTY: 0, Action.DUMMY: 1}.get(action, sys.maxsize)
        number = self.tables.tallies.number(tag, decision.reason, "kept" if only > 1 else "replaced")
        dropped = self.tables.dropped(tag, implicit=self.implicit)
        if tag in ITEM_SEQUENCES:
            # What is decided about a content item depends on its concept.
            return Entry(tag, SEQUENCE, size, number, _NO_OP, Inside(_Unknown(dropped), only, dropped))
        table = self.tables.of(tag, within, implicit=self.implicit)
        return Entry(tag, SEQUENCE, size, number, _NO_OP, Inside(table, only, dropped))


class _Unknown(Table):
    """The table of items of which the fast path takes none that says anything."""

    def __init__(self, like: Table) -> None:
        super().__init__(like.tables, like.parent, None, implicit=like.implicit)

    def _entry(self, key: bytes) -> Entry:
        return super()._entry(key) if key == _ITEM_END[: len(key)] else _surprise(0)


class Block(dict[bytes, Entry]):
    """Entries of PRIVATE elements, by key."""

    def __init__(self, table: Table, creator: bytes) -> None:
        super().__init__()
        self._table = table
        self._creator = creator

    def __missing__(self, key: bytes) -> Entry:
        entry = self[key] = self._table.private(key, self._creator)
        self._table.tables.entries += 1
        return entry


class Tables:
    """The tables of one set of rules.

    Attributes
    ----------
    entries
        How many were made, so that who keeps the tables can begin anew before hostile ones fill the memory.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.private = SafePrivate(rules.policy)
        self.tallies = Tallies()
        self.entries = 0
        self._made: dict[tuple[int | None, Within | None, bool], Table] = {}

    def of(self, parent: int | None, within: Within, *, implicit: bool) -> Table:
        """Give the table of items of the sequence `parent`, of the top level when it is None."""
        return self._table(parent, within, implicit)

    def dropped(self, parent: int, *, implicit: bool) -> Table:
        """Give the table of items of the sequence `parent` that don't come out."""
        # All that the standard does not know are alike.
        return self._table(parent if known_vr(parent) == "SQ" else _UNKNOWN_SEQUENCE, None, implicit)

    def _table(self, parent: int | None, within: Within | None, implicit: bool) -> Table:  # noqa: FBT001 - private
        key = parent, within, implicit
        if key not in self._made:
            self._made[key] = Table(self, parent, within, implicit=implicit)
        return self._made[key]


def _surprise(tag: int) -> Entry:
    return Entry(tag, SURPRISE, _SHORT, 0, _NO_OP)


def _dictionary_vr(tag: int) -> str:
    if tag >> 16 & 1:
        return "UN"
    try:
        return str(dictionary_VR(tag))
    except KeyError:
        return "UN"
