"""Elements as they lie in an object, taken out of pydicom's hands before it converts their values. Pure."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from pydicom.dataset import Dataset
from pydicom.values import convert_SQ

from agents.anonymization.outcome import Refusal
from gateway.elements import PIXEL_DATA, UNDEFINED, Walker
from gateway.part10 import Bounds, Encoding

_FAMILIES = (
    frozenset(("US", "SS", "UL", "SL", "SV", "UV", "AT", "OW")),
    frozenset(("FL", "FD")),
    frozenset(("OB", "OW", "OF", "OD", "OL", "OV")),
    frozenset(("CS", "DS", "IS", "LO", "SH", "AE", "AS", "DA", "TM", "DT", "LT", "ST", "UT", "UC", "UR"))
    | frozenset(("PN", "UI")),
)
_AMBIGUOUS = {"US or SS": "US", "OB or OW": "OW", "US or OW": "OW", "US or SS or OW": "OW"}
_BOUNDS = Bounds()
_ANY_SEQUENCE = 0x00081140


class Source(NamedTuple):
    """An element as it was read: `items` when it is a sequence, else its raw `value`."""

    tag: int
    vr: str | None
    """As written; None with implicit VR."""
    value: bytes
    items: list[Dataset] | None
    fragments: bool


def tags_of(dataset: Dataset) -> list[int]:
    """Give the tags of a data set or item, in order."""
    return sorted(int(key) for key in dataset.keys())  # noqa: SIM118 - iterating converts values


def take(dataset: Dataset, tag: int, known: str | None) -> Source:
    """Take an element out.

    Parameters
    ----------
    known
        The VR that the attribute has by the standard, or by the list of private ones; None: unknown.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When it is a sequence and should not be, or the other way round.
    gateway.part10.Malformed
        When a sequence is built wrongly, or asks for more than it may.
    """
    # keep_deferred: pydicom takes an empty value for one that it left in the file
    item: Any = dataset.get_item(tag, keep_deferred=True)
    if not item.is_raw:
        if known not in ("SQ", None):
            raise Refusal("bad-vr", "A sequence stands where the standard knows none.")
        return Source(tag, "SQ", b"", list(item.value), fragments=False)
    vr: str | None = item.VR
    value: bytes = item.value or b""
    if vr == "SQ" or (vr in (None, "UN") and known == "SQ"):
        if known != "SQ":
            raise Refusal("bad-vr", "A sequence stands where the standard knows none.")
        implicit, little = (True, True) if vr == "UN" else (item.is_implicit_VR, item.is_little_endian)
        if tag >> 16 & 1 and vr != "SQ":
            _walk_items(value, little=little)
        items = convert_SQ(value, implicit, little) if value else []
        return Source(tag, vr, b"", list(items), fragments=False)
    if known == "SQ":
        raise Refusal("bad-vr", "A sequence does not have the value representation of one.")
    fragments = item.length == UNDEFINED
    if fragments and tag != PIXEL_DATA:
        raise Refusal("bad-structure", "An element that is no sequence has no declared length.")
    return Source(tag, vr, value, None, fragments)


def vr_of(dataset: Dataset, tag: int) -> str | None:
    """Give the VR of an element as it is written; None with implicit VR."""
    item: Any = dataset.get_item(tag, keep_deferred=True)
    return item.VR if item.is_raw else "SQ"


def raw(dataset: Dataset, tag: int) -> bytes:
    """Give the value of a top-level element as it lies there; empty when there is none, or a sequence."""
    item: Any = dataset.get_item(tag, keep_deferred=True) if tag in dataset else None
    return (item.value or b"") if item is not None and item.is_raw else b""


def written_vr(source: Source, known: str) -> str:
    """Give the VR to write for a standard attribute that keeps its value.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When the one that it has hides another kind of value.
    """
    if source.vr in (None, "UN"):
        return plain_vr(known)
    candidates = known.split(" or ")
    if source.vr in candidates:
        return str(source.vr)
    if known == "UI" or not any(source.vr in some and candidates[0] in some for some in _FAMILIES):
        raise Refusal("bad-vr", "An element has a value representation that does not fit its attribute.")
    # What reads the output believes the standard: text is text of the kind that belongs there.
    return candidates[0] if candidates[0] in _FAMILIES[-1] else str(source.vr)


def plain_vr(known: str | None) -> str:
    """Give one VR of those that an attribute may have."""
    return _AMBIGUOUS.get(str(known), str(known))


def _walk_items(value: bytes, *, little: bool) -> None:
    """Walk through what only a list knows to be a sequence: nobody has been inside yet."""
    order = "<" if little else ">"
    head = struct.pack(order + "HHI", _ANY_SEQUENCE >> 16, _ANY_SEQUENCE & 0xFFFF, len(value))
    for _ in Walker(head + value, 0, Encoding(implicit=True, little=little), _BOUNDS):
        pass
