"""What was changed in an object: its output laid beside it, attribute by attribute. Pure.

It looks at both files as they are, by a walk that shares nothing with what wrote the output, and asks the
rules for the reason alone: a report made of it says what happened, not what was meant to. No value leaves
this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from pydicom.datadict import dictionary_has_tag, keyword_for_tag

from agents.anonymization.method import WRITTEN
from agents.anonymization.policy.decision import Action, Within, items_within
from agents.anonymization.policy.rules import Rules, known_vr
from gateway.elements import PIXEL_DATA, UNDEFINED, Walker
from gateway.part10 import Bounds, Buffer, encoding_of, inflate, read_meta

Done = Literal[
    "kept",
    "unused",
    "removed",
    "emptied",
    "pseudonym",
    "new-uid",
    "dummy",
    "shifted",
    "cleaned",
    "replaced",
    "added",
]
"""What happened. Those that don't say it themselves:

* unused: it had no value and has none;
* cleaned: it kept a part of its value, or was put into the standard's terms;
* replaced: it got the policy's own value;
* added: the de-identification says it of itself, in place of what an earlier one said.
"""

_DONE_BY: dict[Action, Done] = {
    Action.PATIENT: "pseudonym",
    Action.UID: "new-uid",
    Action.DUMMY: "dummy",
    Action.SHIFT: "shifted",
    Action.REPLACE: "replaced",
    Action.REMOVE: "added",
}
"""What made another value of one. What is removed and there again is what the de-identification says."""
_ADDED = "the de-identification's own"
_PIXELS_CHANGED = "pixels changed"
_PICTURES = frozenset((PIXEL_DATA, 0x7FE00008, 0x7FE00009))
"""Pixel Data, of whole and of floating numbers."""
_TEXTS = frozenset(
    ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT")
)
_CHUNK = 1 << 20
_BOUNDS = Bounds()

Path = tuple[int, ...]
"""Tags from the top down to an attribute, without the numbers of items."""


class Change(NamedTuple):
    """What happened to an attribute, by its keyword, and why."""

    attribute: str
    done: Done
    reason: str


class _Value(NamedTuple):
    """Where a value lies in bytes; a sequence has none."""

    vr: str
    data: Buffer
    begin: int
    end: int

    @property
    def empty(self) -> bool:
        if self.vr in _TEXTS and self.end - self.begin <= _CHUNK:
            return not self.data[self.begin : self.end].strip(b"\0 ")
        return self.begin == self.end


def changes(original: Buffer, output: Buffer, rules: Rules) -> frozenset[Change]:
    """Give what happened to the attributes of an object, at every depth.

    Of an attribute that occurs several times at one place of the structure, in several items, it is what
    happened to any of them. What stood in a sequence that went is not named: it went with it.

    Raises
    ------
    gateway.part10.Malformed
        When one of the two is no DICOM file.
    """
    before, after = _attributes(original), _attributes(output)
    filled = {path[:-1] for path in before}, {path[:-1] for path in after}
    found: set[Change] = set()
    within: dict[Path, Within] = {(): Within.OBJECT}
    for path, values in before.items():
        *above, tag = path
        inside = within.get(tuple(above))
        if inside is None:
            continue
        there = after.get(path)
        if not above and tag in WRITTEN and there is not None:
            found.add(Change(attribute_name(tag), "added", _ADDED))
            continue
        decision = rules.decide(tag, above[-1] if above else None, inside)
        if there is not None:
            within[path] = items_within(decision.action, inside)
        if there is not None and None in values and None in there:
            done = _done_to_sequence(path in filled[0], path in filled[1], decision.action)
        else:
            done = _done(values, there, decision.action)
        found.add(Change(attribute_name(tag), done, _why(tag, done, decision.reason)))
    for path in after.keys() - before.keys():
        if len(path) == 1 or (path[:-1] in before and path[0] not in WRITTEN):
            found.add(Change(attribute_name(path[-1]), "added", _ADDED))
    return frozenset(found)


def attribute_name(tag: int) -> str:
    """Give an attribute's keyword; of private and unknown ones the group alone, so that no number tells."""
    group = f"{tag >> 16:04X}"
    if tag >> 16 & 1:
        return f"Private {group}"
    if not tag & 0xFFFF:
        return "GroupLength"
    if tag >> 24 in (0x50, 0x60):
        return f"{'Curve' if tag >> 24 == 0x50 else 'Overlay'} {group}"  # noqa: PLR2004 - groups 50xx
    return str(keyword_for_tag(tag)) if dictionary_has_tag(tag) else f"Unknown {group}"


def _why(tag: int, done: Done, reason: str) -> str:
    """Give the rules' reason, unless it is not they that explain what happened."""
    if done == "added":
        return _ADDED
    return _PIXELS_CHANGED if done == "cleaned" and tag in _PICTURES else reason


def _done(before: Sequence[_Value | None], after: Sequence[_Value | None] | None, action: Action) -> Done:
    if after is None:
        return "removed"
    if len(before) == len(after) and all(map(_equal, before, after)):
        empty = all(value is not None and value.empty for value in before)
        return "unused" if empty else "kept"
    if all(value is not None and value.empty for value in after):
        return "emptied"
    return _DONE_BY.get(action, "cleaned")


def _done_to_sequence(before: bool, after: bool, action: Action) -> Done:  # noqa: FBT001 - alike
    """Give what happened to a sequence that has items before and after, or not; they speak for themselves."""
    if before and not after:
        return "emptied"
    if not before:
        return "unused"
    return "dummy" if action is Action.DUMMY else "kept"


def _equal(one: _Value | None, other: _Value | None) -> bool:
    if one is None or other is None:
        return one is other
    if abs((one.end - one.begin) - (other.end - other.begin)) > 1:
        return False
    if one.end - one.begin <= _CHUNK:
        first, second = one.data[one.begin : one.end], other.data[other.begin : other.end]
        return first == second or first.rstrip(b"\0 ") == second.rstrip(b"\0 ")
    steps = range(0, one.end - one.begin, _CHUNK)
    return all(
        one.data[one.begin + step : min(one.begin + step + _CHUNK, one.end)]
        == other.data[other.begin + step : min(other.begin + step + _CHUNK, other.end)]
        for step in steps
    )


def _attributes(data: Buffer) -> dict[Path, list[_Value | None]]:
    """Give values by path in the order of the file; parents come before their children."""
    meta = read_meta(data)
    encoding, start = encoding_of(meta.text(0x00020010)), meta.dataset
    if encoding.deflated:
        data, start = inflate(data, start, _BOUNDS), 0
    walker = Walker(data, start, encoding, _BOUNDS, ordered=False)
    found: dict[Path, list[_Value | None]] = {}
    path: list[int] = []
    fragments: int | None = None
    for tag, vr, offset, length, depth in walker:
        path[depth:] = [tag]
        values = found.setdefault(tuple(path), [])
        if length == UNDEFINED and tag == PIXEL_DATA and not depth:
            fragments = offset
        elif length == UNDEFINED or "SQ" in (vr, known_vr(tag) if vr == "UN" else vr):
            values.append(None)
        else:
            values.append(_Value(vr, data, offset, offset + length))
    if fragments is not None:
        found[PIXEL_DATA,].append(_Value("OB", data, fragments, walker.fragments_end))
    return found
