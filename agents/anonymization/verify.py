"""A second look at what is about to leave, by a walk that shares nothing with the one that made it. Pure."""

from __future__ import annotations

from typing import NamedTuple

from pydicom.charset import python_encoding

from agents.anonymization.outcome import Refusal
from agents.anonymization.policy.rules import Action, Rules, Within, items_within
from gateway.elements import PIXEL_DATA, UNDEFINED, Element, Walker
from gateway.identity import is_well_known
from gateway.part10 import Bounds, Buffer, Encoding, Malformed

_ADDED = frozenset((0x00120062, 0x00120063, 0x00120064, 0x00280303))
"""What the de-identification itself says about the object, at the top level."""
_OUTPUT = Bounds()
_CHARACTER_SET = 0x00080005
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
        if element.tag == _CHARACTER_SET and not _has_known_sets(data, element):
            raise Malformed("unknown-charset", "The object's character set is not one of DICOM's.")
        if element.tag == PIXEL_DATA and element.depth == 0:
            fragments = element.length == UNDEFINED
            begin, end = element.offset, element.offset + element.length
    return Span(walker.position, begin, walker.fragments_end if fragments else end, fragments)


def check_output(dataset: bytes, encoding: Encoding, rules: Rules, pixels: memoryview) -> None:
    """Look whether the output is what the policy says.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When something stands in it that the policy removes, a UID is not a pseudonym, or pixels changed.
    """
    try:
        span = measure(dataset, 0, encoding, _OUTPUT)
        holders: list[tuple[int, Within]] = []
        for element in Walker(dataset, 0, encoding, _OUTPUT):
            parent, within = holders[element.depth - 1] if element.depth else (None, Within.OBJECT)
            action = rules.decide(element.tag, parent, within).action
            holders[element.depth :] = [(element.tag, items_within(action, within))]
            if action is Action.REMOVE and not (element.depth == 0 and element.tag in _ADDED):
                raise Refusal("not-verified", "The result still had an element that the policy removes.")
            if action is Action.UID and element.vr == "UI":
                value = dataset[element.offset : element.offset + element.length].decode("latin-1")
                if not all(_is_pseudonym(uid) for uid in value.split("\\")):
                    raise Refusal("not-verified", "The result still had a UID of the hospital.")
    except Malformed as error:
        raise Refusal("not-verified", "The result could not be read back.") from error
    if span.end != len(dataset) or memoryview(dataset)[span.pixels_begin : span.pixels_end] != pixels:
        raise Refusal("not-verified", "The result did not have the pixels of the original.")


def _is_pseudonym(uid: str) -> bool:
    return not uid.strip("\0 ") or uid.startswith("2.25.") or is_well_known(uid)


def _has_known_sets(data: Buffer, element: Element) -> bool:
    """Look before pydicom does, which would repeat an unknown value in a warning."""
    if element.length == UNDEFINED:
        return False
    value = bytes(data[element.offset : element.offset + element.length])
    return all(part.strip(b"\0 ") in _SETS for part in value.split(b"\\"))
