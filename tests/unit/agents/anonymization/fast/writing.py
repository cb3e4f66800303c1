"""Objects written byte by byte, so that anything can be wrong with them."""

from __future__ import annotations

import struct
from typing import NamedTuple

from gateway.part10 import LONG_VRS

UNDEFINED = 0xFFFFFFFF
CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"


class Element(NamedTuple):
    """An element: `value` is bytes, or a list of items that are lists of elements.

    `undefined`: a sequence ends, as its items do, with a delimiter; `said`: another length than it has.
    """

    tag: int
    vr: str
    value: bytes | list[list[Element]]
    undefined: bool = False
    said: int | None = None
    reserved: int = 0


def data_set(elements, *, implicit=False):
    return b"".join(written(one, implicit=implicit) for one in elements)


def written(element, *, implicit=False):
    tag, vr, value, undefined, said, reserved = element
    content = value
    if isinstance(value, list):
        inner = implicit or vr == "UN"
        content = b"".join(_item(data_set(item, implicit=inner), undefined=undefined) for item in value)
        content += struct.pack("<HHI", 0xFFFE, 0xE0DD, 0) if undefined else b""
    length = UNDEFINED if undefined else len(content) if said is None else said
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if implicit:
        return head + struct.pack("<I", length) + content
    if vr in LONG_VRS:
        return head + vr.encode() + struct.pack("<HI", reserved, length) + content
    return head + vr.encode() + struct.pack("<H", length & 0xFFFF) + content


def _item(content, *, undefined):
    if undefined:
        return (
            struct.pack("<HHI", 0xFFFE, 0xE000, UNDEFINED) + content + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
        )
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content


def padded(text, pad=b" "):
    value = text.encode("latin-1") if isinstance(text, str) else text
    return value + pad * (len(value) % 2)


def part10(body, syntax=EXPLICIT, sop_class=CT):
    meta = data_set(
        [
            Element(0x00020001, "OB", b"\0\1"),
            Element(0x00020002, "UI", padded(sop_class, b"\0")),
            Element(0x00020003, "UI", padded("1.2.3.4.1", b"\0")),
            Element(0x00020010, "UI", padded(syntax, b"\0")),
        ]
    )
    return (
        bytes(128)
        + b"DICM"
        + data_set([Element(0x00020000, "UL", struct.pack("<I", len(meta)))])
        + meta
        + body
    )


def ct(*more, without=()):
    """The elements of a small CT; those of `more` in place of, or beside, its own."""
    own = [
        Element(0x00080005, "CS", padded("ISO_IR 100")),
        Element(0x00080008, "CS", padded("ORIGINAL\\PRIMARY\\AXIAL")),
        Element(0x00080016, "UI", padded(CT, b"\0")),
        Element(0x00080018, "UI", padded("1.2.3.4.1", b"\0")),
        Element(0x00080020, "DA", b"20240229"),
        Element(0x00080050, "SH", padded("ACC-4711")),
        Element(0x00080060, "CS", b"CT"),
        Element(0x00080070, "LO", padded("Maker")),
        Element(0x0008103E, "LO", padded("Axial Mustermann")),
        Element(0x00100010, "PN", padded("Mustermann^Erika")),
        Element(0x00100020, "LO", padded("PID-12345")),
        Element(0x00100021, "LO", padded("HOSPITAL")),
        Element(0x00100030, "DA", b"19640812"),
        Element(0x00100040, "CS", padded("F")),
        Element(0x00101010, "AS", b"059Y"),
        Element(0x00180050, "DS", padded("1.25")),
        Element(0x0020000D, "UI", padded("1.2.3.4.2", b"\0")),
        Element(0x0020000E, "UI", padded("1.2.3.4.3", b"\0")),
        Element(0x00200013, "IS", padded("7")),
        Element(0x00200032, "DS", padded("0\\0\\1.5")),
        Element(0x00200052, "UI", padded("1.2.3.4.5", b"\0")),
        Element(0x00280002, "US", b"\1\0"),
        Element(0x00280004, "CS", padded("MONOCHROME2")),
        Element(0x00280010, "US", b"\4\0"),
        Element(0x00280011, "US", b"\4\0"),
        Element(0x00280100, "US", b"\x10\0"),
        Element(0x00281052, "DS", padded("-1024")),
        Element(0x7FE00010, "OW", bytes(range(32))),
    ]
    given = {one.tag: one for one in more}
    kept = [one for one in own if one.tag not in given and one.tag not in without]
    return sorted([*kept, *given.values()], key=lambda one: one.tag)


def ct_file(*more, implicit=False, without=()):
    return part10(data_set(ct(*more, without=without), implicit=implicit), IMPLICIT if implicit else EXPLICIT)
