"""An object's elements for a person to read: raw values decoded, nothing that a terminal acts on. Pure."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Sequence
from io import BytesIO
from typing import Any, NamedTuple

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.datadict import dictionary_has_tag, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.valuerep import TEXT_VR_DELIMS
from pydicom.values import convert_SQ

from agents.anonymization.policy.rules import known_vr
from agents.anonymization.verify import measure
from gateway.elements import UNDEFINED
from gateway.part10 import Bounds, encoding_of, inflate, read_meta

LONGEST = 1000
"""Characters of a value that are shown."""

_LOCAL = frozenset(("LO", "LT", "PN", "SH", "ST", "UC", "UT"))
"""Text in the object's own character set."""
_ASCII = frozenset(("AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"))
_NUMBERS = {
    "US": "H",
    "SS": "h",
    "UL": "I",
    "SL": "i",
    "UV": "Q",
    "SV": "q",
    "FL": "f",
    "FD": "d",
    "AT": "HH",
}
_MOST_NUMBERS = 16
_REPEATING = (0x50, 0x60)
_EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
_CHARACTER_SET = 0x00080005


class Opened(NamedTuple):
    """A Part 10 file's parts."""

    preamble: bytes
    meta: dict[int, bytes]
    dataset: Dataset
    little: bool


class Element(NamedTuple):
    """An element: `items` when it is a sequence, else its raw `value`."""

    tag: int
    vr: str
    value: bytes
    items: list[Dataset] | None
    creator: str
    """Of a private element."""

    @property
    def name(self) -> str:
        """The keyword, else the tag; of repeating groups the tag, because all share their keywords."""
        repeating = self.tag >> 24 in _REPEATING
        return (not repeating and keyword_for_tag(self.tag)) or written(self.tag)

    @property
    def text(self) -> bytes:
        """The value without padding."""
        return self.value.rstrip(b"\0 ") if self.vr in _LOCAL | _ASCII else self.value


def written(tag: int) -> str:
    """Give a tag as the standard writes it."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def opened(content: bytes) -> Opened:
    """Read an object that anonymization has judged to be readable.

    Raises
    ------
    gateway.part10.Malformed
        When it is not.
    """
    meta = read_meta(content)
    syntax = meta.text(0x00020010)
    encoding, body, start = encoding_of(syntax), content, meta.dataset
    if encoding.deflated:
        body, start = inflate(content, start, Bounds()), 0
        encoding = encoding_of(_EXPLICIT_LITTLE)
    span = measure(body, start, encoding, Bounds())
    data = read_dataset(
        BytesIO(body[start : span.end]), encoding.implicit, encoding.little, at_top_level=False
    )
    return Opened(content[:128], meta.values, data, encoding.little)


def tags_of(dataset: Dataset | None) -> set[int]:
    """Give the tags in a data set; none without one."""
    return set() if dataset is None else {int(tag) for tag in dataset.keys()}  # noqa: SIM118 - converts values


def element(dataset: Dataset, tag: int) -> Element:
    """Take an element without letting pydicom convert its value, which can fail."""
    item: Any = dataset.get_item(tag, keep_deferred=True)
    creator = _creator(dataset, tag)
    if not item.is_raw:
        return Element(tag, "SQ", b"", list(item.value), creator)
    known, value = known_vr(tag), item.value or b""
    vr = item.VR if item.VR not in (None, "UN") else str(known or "UN").partition(" ")[0]
    if vr == "SQ":
        implicit, little = (True, True) if item.VR == "UN" else (item.is_implicit_VR, item.is_little_endian)
        return Element(tag, vr, b"", list(convert_SQ(value, implicit, little)) if value else [], creator)
    if item.length == UNDEFINED:
        vr = "OB"
    return Element(tag, vr, value, None, creator)


def charset_of(dataset: Dataset, inherited: Sequence[str]) -> Sequence[str]:
    """Give the Python codecs of a data set's texts; those of what holds it when it names none."""
    if _CHARACTER_SET not in dataset:
        return inherited
    names = element(dataset, _CHARACTER_SET).text.decode("ascii", "replace").split("\\")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return convert_encodings([name.strip() for name in names])


def shown(found: Element, charset: Sequence[str], *, little: bool) -> str:
    """Give a value in words of at most `LONGEST` characters."""
    if found.items is not None:
        return f"{len(found.items)} item{'' if len(found.items) == 1 else 's'}"
    if found.vr in _LOCAL | _ASCII:
        return printable(_decoded(found, charset))
    letter = _NUMBERS.get(found.vr)
    size = struct.calcsize(f"<{letter}") if letter else 0
    if not letter or len(found.value) % size or len(found.value) > size * _MOST_NUMBERS:
        return f"{len(found.value)} bytes" if found.value else ""
    values = struct.iter_unpack(f"{'<' if little else '>'}{letter}", found.value)
    if found.vr == "AT":
        return "\\".join(written(group << 16 | number) for group, number in values)
    return "\\".join(str(one) if isinstance(one, int) else f"{one:.10g}" for (one,) in values)


def printable(text: str) -> str:
    """Give text without what a terminal would act on, at most `LONGEST` characters of it."""
    short = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in short)


def _decoded(found: Element, charset: Sequence[str]) -> str:
    value = found.text[: 4 * LONGEST]
    if found.vr in _ASCII:
        return value.decode("latin-1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return decode_bytes(value, list(charset), TEXT_VR_DELIMS)


def _creator(dataset: Dataset, tag: int) -> str:
    """Give the private creator of an element's block (PS3.5, 7.8.1)."""
    block = tag & 0xFFFF0000 | tag >> 8 & 0xFF
    if not tag >> 16 & 1 or dictionary_has_tag(tag) or block not in dataset or tag & 0xFF00 == 0:
        return ""
    item: Any = dataset.get_item(block, keep_deferred=True)
    return printable((item.value or b"").decode("latin-1").strip("\0 ")) if item.is_raw else ""
