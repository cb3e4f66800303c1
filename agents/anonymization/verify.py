"""A second look at what is about to leave, by a walk that shares nothing with the one that made it. Pure."""

from __future__ import annotations

from typing import NamedTuple

from pydicom.charset import python_encoding

from agents.anonymization.encrypted import ENCRYPTED
from agents.anonymization.graphics import Overlays
from agents.anonymization.kinds import DUMMY, SIZES, dummy_value
from agents.anonymization.method import WRITTEN
from agents.anonymization.outcome import Refusal
from agents.anonymization.policy.private import SafePrivate, creator_of, is_creator
from agents.anonymization.policy.rules import Action, Decision, Rules, Within, items_within, known_vr
from agents.anonymization.source import plain_vr
from agents.anonymization.values import WORDED, Known
from gateway.elements import PIXEL_DATA, UNDEFINED, Element, Walker
from gateway.identity import is_well_known
from gateway.part10 import Bounds, Buffer, Encoding, Malformed

_OUTPUT = Bounds()
_OVERLAYS = 0x60
_CHARACTER_SET = 0x00080005
SAYS_CLEANED = frozenset((0x00082111, 0x00082112, 0x00089215))
"""Derivation Description, Source Image and Derivation Code Sequence: written once pixels are cleaned."""
_SETS = frozenset(name.encode() for name in python_encoding)


class Span(NamedTuple):
    """Where things lie in a data set, in bytes: its end, and the value of its Pixel Data (0, 0: none).

    `encapsulated`: the pixels are fragments.
    """

    end: int
    pixels_begin: int
    pixels_end: int
    encapsulated: bool


def measure(data: Buffer, start: int, encoding: Encoding, bounds: Bounds) -> Span:
    """Walk a data set to its end.

    Raises
    ------
    gateway.part10.Malformed
        At the first thing that can't be so.
    """
    walker = Walker(data, start, encoding, bounds)
    begin = end = 0
    fragments = False
    for element in walker:
        if element.vr == "UN" and element.length == UNDEFINED and not encoding.little:
            raise Malformed("bad-structure", "A sequence is hidden in a value of another byte order.")
        if element.tag == _CHARACTER_SET and not _is_known_charset(data, element):
            raise Malformed("unknown-charset", "The object's character set is not one of DICOM's.")
        if element.tag == PIXEL_DATA and element.depth == 0:
            fragments = element.length == UNDEFINED
            begin, end = element.offset, element.offset + element.length
    return Span(walker.position, begin, walker.fragments_end if fragments else end, fragments)


class Expected(NamedTuple):
    """What the output is compared with."""

    rules: Rules
    known: Known
    overlays: Overlays
    encrypted: bool
    """Whether encrypted originals stand in it."""
    written: frozenset[int] = WRITTEN
    """Elements at the top level that are written by us, and say nothing of the object."""


class _Level:
    """One open item: the sequence that holds it, and the private creators it has."""

    __slots__ = ("creators", "last", "parent", "within")

    def __init__(self, parent: int | None, within: Within) -> None:
        self.parent = parent
        self.within = within
        self.last = -1
        self.creators: dict[int, bytes] = {}

    def enter(self, tag: int) -> None:
        """Go on to an element; one that is not behind the last is the first of another item."""
        if tag <= self.last:
            self.creators.clear()
        self.last = tag


class _Check:
    """Compares one element after the other with what the policy says."""

    def __init__(self, expected: Expected) -> None:
        self._expected = expected
        self._private = SafePrivate(expected.rules.policy)
        self._levels: list[_Level] = []
        self._skip: int | None = None

    def look(self, element: Element, value: bytes) -> None:
        """Look at an element."""
        depth = element.depth
        if self._skip is not None and depth > self._skip:
            return
        self._skip = None
        if depth == 0 and not self._levels:
            self._levels.append(_Level(None, Within.OBJECT))
        del self._levels[depth + 1 :]
        level = self._levels[depth]
        level.enter(element.tag)
        if depth == 0 and self._is_ours(element.tag):
            self._skip = 0
            return
        decision = self._decision(element, value, level)
        self._levels.append(_Level(element.tag, items_within(decision.action, level.within)))
        compare(decision.action, element.tag, element.vr, value, self._expected.known)

    def _is_ours(self, tag: int) -> bool:
        return tag in self._expected.written or (tag == ENCRYPTED and self._expected.encrypted)

    def _decision(self, element: Element, value: bytes, level: _Level) -> Decision:
        tag = element.tag
        decision = self._expected.rules.decide(tag, level.parent, level.within)
        if decision.action is Action.PRIVATE:
            if is_creator(tag):
                level.creators[tag] = value
                return Decision(Action.KEEP, "")
            vr = None if element.vr == "UN" else element.vr
            safe = self._private.decide(level.creators.get(creator_of(tag), b""), tag, vr)
            return safe.decision if safe else Decision(Action.REMOVE, "")
        if decision.action is Action.GRAPHICS and tag >> 24 == _OVERLAYS:
            return self._expected.overlays.decide(tag) if element.depth == 0 else Decision(Action.REMOVE, "")
        return decision


def compare(action: Action, tag: int, written: str, value: bytes, known: Known) -> None:
    """Compare what stands in the output with what should be done to it.

    Parameters
    ----------
    written
        The VR that it has.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When that was not done.
    """
    vr = plain_vr(known_vr(tag) or written)
    if action is Action.REMOVE:
        raise Refusal("not-verified", "The result still had an element that the policy removes.")
    if action is Action.UID and vr == "UI":
        if not all(_is_pseudonym(uid) for uid in value.decode("latin-1").split("\\")):
            raise Refusal("not-verified", "The result still had a UID of the hospital.")
    elif action in (Action.EMPTY, Action.DUMMY) and vr != "SQ":
        left = value.rstrip(b" \0") if vr not in SIZES else value
        if left.strip(b"\0") and (action is Action.EMPTY or left != dummy_value(vr)):
            raise Refusal("not-verified", "The result still had a value that the policy removes.")
    elif vr in WORDED and known.occur_in(value.replace(DUMMY, b"")):
        raise Refusal("not-verified", "The result still had a name that the object is known by.")


def check_output(dataset: bytes, encoding: Encoding, expected: Expected, pixels: memoryview) -> None:
    """Look whether the output is what the policy says.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When something stands in it that the policy removes, a UID is not a pseudonym, a name is left, or
        pixels changed.
    """
    span = _check_elements(dataset, 0, encoding, expected)
    if memoryview(dataset)[span.pixels_begin : span.pixels_end] != pixels:
        raise Refusal("not-verified", "The result did not have the pixels of the original.")


def check_cleaned(content: bytes, start: int, encoding: Encoding, expected: Expected) -> None:
    """Look again at a file whose pixels were cleaned after it was written, and which says so in new elements.

    Parameters
    ----------
    start
        Where its data set begins.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        As `check_output`, but for the pixels.
    """
    added = expected.written | SAYS_CLEANED
    _check_elements(content, start, encoding, expected._replace(written=added))


def _check_elements(data: bytes, start: int, encoding: Encoding, expected: Expected) -> Span:
    check = _Check(expected)
    try:
        span = measure(data, start, encoding, _OUTPUT)
        for element in Walker(data, start, encoding, _OUTPUT):
            whole = element.length == UNDEFINED or element.tag == PIXEL_DATA or element.vr == "SQ"
            end = element.offset if whole else element.offset + element.length
            check.look(element, data[element.offset : end])
    except Malformed as error:
        raise Refusal("not-verified", "The result could not be read back.") from error
    if span.end != len(data):
        raise Refusal("not-verified", "The result could not be read back.")
    return span


def _is_pseudonym(uid: str) -> bool:
    return not uid.strip("\0 ") or uid.startswith("2.25.") or is_well_known(uid)


def _is_known_charset(data: Buffer, element: Element) -> bool:
    if element.length == UNDEFINED:
        return False
    return has_known_sets(bytes(data[element.offset : element.offset + element.length]))


def has_known_sets(value: bytes) -> bool:
    """Look at a character set before pydicom does, which would repeat an unknown value in a warning."""
    return all(part.strip(b"\0 ") in _SETS for part in value.split(b"\\"))
