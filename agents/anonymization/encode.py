"""Bytes of elements, sequences and file meta information (DICOM PS3.5, 7; PS3.10, 7.1). Pure."""

from __future__ import annotations

import struct

from agents.anonymization.outcome import Refusal
from gateway.part10 import SHORT_VRS, Encoding

IMPLEMENTATION_CLASS_UID = "2.25.226437029850134120378462157439874018353"
IMPLEMENTATION_VERSION = "CHIPS"

_UNDEFINED = 0xFFFFFFFF
_SHORT_LIMIT = 0xFFFF
_TEXT_VRS = frozenset(
    ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT")
)


class Encoder:
    """Writes elements in one encoding."""

    def __init__(self, encoding: Encoding) -> None:
        self.implicit = encoding.implicit
        self._order = "<" if encoding.little else ">"
        self.little = encoding.little
        self._implicit = struct.Struct(self._order + "HHI").pack
        self._short = struct.Struct(self._order + "HH2sH").pack
        self._long = struct.Struct(self._order + "HH2sHI").pack

    def element(self, tag: int, vr: str, value: bytes, *, fragments: bool = False) -> bytes:
        """Give an element; `fragments` are items of encapsulated pixel data, closed by a delimiter.

        Values of odd length are padded. Raises `Refusal` when a value is too long for its VR.
        """
        if len(value) & 1:
            value += b" " if vr in _TEXT_VRS else b"\0"
        length = _UNDEFINED if fragments else len(value)
        end = struct.pack(self._order + "HHI", 0xFFFE, 0xE0DD, 0) if fragments else b""
        return self._head(tag, vr, length) + value + end

    def sequence(self, tag: int, items: list[bytes]) -> bytes:
        """Give a sequence of encoded items, all lengths defined.

        But for that of a private sequence with implicit VR, which nobody could tell from a value else.
        """
        item = struct.Struct(self._order + "HHI")
        content = b"".join(item.pack(0xFFFE, 0xE000, len(one)) + one for one in items)
        if self.implicit and tag >> 16 & 1:
            return self._head(tag, "SQ", _UNDEFINED) + content + item.pack(0xFFFE, 0xE0DD, 0)
        return self._head(tag, "SQ", len(content)) + content

    def _head(self, tag: int, vr: str, length: int) -> bytes:
        group, number = tag >> 16, tag & 0xFFFF
        if self.implicit:
            return self._implicit(group, number, length)
        if vr in SHORT_VRS:
            if length > _SHORT_LIMIT:
                raise Refusal("bad-value", "A value is longer than its value representation allows.")
            return self._short(group, number, vr.encode(), length)
        return self._long(group, number, vr.encode(), 0, length)


def part10(sop_class: str, sop_instance: str, transfer_syntax: str, dataset: bytes) -> bytes:
    """Give a file: an empty preamble, file meta information made anew, the data set."""
    encoder = Encoder(Encoding(implicit=False, little=True))
    meta = b"".join(
        (
            encoder.element(0x00020001, "OB", b"\0\1"),
            encoder.element(0x00020002, "UI", sop_class.encode()),
            encoder.element(0x00020003, "UI", sop_instance.encode()),
            encoder.element(0x00020010, "UI", transfer_syntax.encode()),
            encoder.element(0x00020012, "UI", IMPLEMENTATION_CLASS_UID.encode()),
            encoder.element(0x00020013, "SH", IMPLEMENTATION_VERSION.encode()),
        )
    )
    length = encoder.element(0x00020000, "UL", struct.pack("<I", len(meta)))
    return b"".join((bytes(128), b"DICM", length, meta, dataset))
