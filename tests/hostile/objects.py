"""Bad objects (groups 11 to 23 and 27): what the door can't place is refused, the rest is kept as it is.

Whether pixels can be decoded is not the door's question: that is for anonymization to judge.
"""

from __future__ import annotations

import struct
import zlib

from tests import wire
from tests.hostile.case import ACCEPTED, ON, STORED, Case, named, opened, values, with_object, written

UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0"
REFUSED = "C000"
_RELATED = 0x00081140


def cases() -> list[Case]:
    """All of them."""
    return [
        *_uids(),
        *_syntaxes(),
        *_deflated(),
        *_nested(),
        *_counted(),
        *_lengths(),
        *_images(),
        *_meta(),
        *_texts(),
        *_orders(),
        *_again(),
    ]


def _changed(group: int, name: str, status: str, **changes: bytes | None) -> Case:
    """A CT with other values, by tag written as `t0020000D`; None leaves one out."""

    def data() -> bytes:
        found = values(group, name)
        for tag, new in changes.items():
            found.pop(int(tag[1:], 16))
            if new is not None:
                found[int(tag[1:], 16)] = new
        return written(found)

    return with_object(group, name, data, status)


def _more(group: int, name: str, status: str, tag: int, raw: bytes, *, syntax: bytes = wire.EXPLICIT) -> Case:
    """A CT with one more element, whose bytes are given."""
    return with_object(group, name, lambda: written(values(group, name), [(tag, raw)]), status, syntax=syntax)


def _uids() -> list[Case]:
    odd = {
        "a path": b"../../../../tmp/evil",
        "an absolute path": b"/tmp/evil",
        "with NUL inside": b"1.2\x003.4",
        "of 65 characters": b"1." + b"2" * 63,
        "empty": b"",
        "of a shell": b";rm -rf evil",
        "of dots": b"....",
        "that begins with a dot": b".1.2",
    }
    found = []
    for name, uid in odd.items():
        found.append(
            Case(
                11,
                f"a SOP Instance UID of the command: {name}",
                lambda uid=uid: opened(wire.store(b"abcd", uid, on=ON[wire.EXPLICIT])),
                (ACCEPTED, "status 0117"),
            )
        )
        for tag, which in ((0x0020000D, "Study"), (0x0020000E, "Series"), (0x00080018, "SOP")):
            found.append(
                _changed(11, f"a {which} Instance UID: {name}", REFUSED, **{f"t{tag:08X}": wire.uid(uid)})
            )
    return [
        *found,
        _changed(11, "no Study Instance UID", REFUSED, t0020000D=None),
        _changed(11, "another SOP Instance UID than the command's", "A900", t00080018=b"1.2.3.4.5\0"),
        _changed(
            11, "another SOP Class UID than the command's", "A900", t00080016=b"1.2.840.10008.5.1.4.1.1.4\0"
        ),
        _changed(11, "a Patient ID that is a path", "0000", t00100020=b"../../evil"),
        _changed(11, "a Patient ID of 2 kB", REFUSED, t00100020=b"x" * 2048),
    ]


def _syntaxes() -> list[Case]:
    def plain(name: str) -> bytes:
        return written(values(12, name))

    implicit = "implicit VR where explicit was agreed on"
    explicit = "explicit VR where implicit was agreed on"
    big = "little endian where big endian was agreed on"
    deflated = "not deflated where it was agreed on"
    return [
        with_object(
            12,
            implicit,
            lambda: b"".join(
                wire.implicit(tag >> 16, tag & 0xFFFF, value) for tag, value in values(12, implicit).items()
            ),
            REFUSED,
        ),
        with_object(12, explicit, lambda: plain(explicit), REFUSED, syntax=wire.IMPLICIT),
        with_object(12, big, lambda: plain(big), REFUSED, syntax=wire.BIG),
        with_object(12, deflated, lambda: plain(deflated), REFUSED, syntax=wire.DEFLATED),
    ]


def _deflate(data: bytes) -> bytes:
    machine = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return machine.compress(data) + machine.flush()


def _deflated() -> list[Case]:
    def bomb(size: int, name: str, *, behind: bool) -> bytes:
        fill = wire.element(0x7FE0, 0x0010, b"OB", bytes(size)) if behind else b""
        front = b"" if behind else wire.element(0x0008, 0x0001, b"OB", bytes(size))
        return _deflate(front + written(values(13, name)) + fill)

    before, behind = "256 MB of zeros in front of what identifies", "256 MB of zeros as pixels"
    fair = "60 MB of noise and zeros in front of what identifies"
    cut, noise = "cut", "noise"

    def mixed() -> bytes:
        block = bytes(range(256)) * 16 + bytes(60_000)
        front = wire.element(0x0008, 0x0001, b"OB", block * 930)
        return _deflate(front + written(values(13, fair)))

    def stored_blocks() -> bytes:
        machine = zlib.compressobj(0, wbits=-zlib.MAX_WBITS)
        name = "60 MB that are not compressed in front of what identifies"
        front = wire.element(0x0008, 0x0001, b"OB", bytes(60_000_000))
        return machine.compress(front + written(values(13, name))) + machine.flush()

    return [
        with_object(13, before, lambda: bomb(1 << 28, before, behind=False), REFUSED, syntax=wire.DEFLATED),
        with_object(13, behind, lambda: bomb(1 << 28, behind, behind=True), REFUSED, syntax=wire.DEFLATED),
        with_object(13, fair, mixed, REFUSED, syntax=wire.DEFLATED),
        with_object(
            13,
            "60 MB that are not compressed in front of what identifies",
            stored_blocks,
            REFUSED,
            syntax=wire.DEFLATED,
        ),
        with_object(13, cut, lambda: _deflate(written(values(13, cut)))[:-20], REFUSED, syntax=wire.DEFLATED),
        with_object(13, noise, lambda: b"\xde\xad\xbe\xef" * 500, REFUSED, syntax=wire.DEFLATED),
        with_object(13, "one byte", lambda: b"\x03\0", REFUSED, syntax=wire.DEFLATED),
    ]


def _nested() -> list[Case]:
    def levels(count: int, group: int = 0x0008, number: int = 0x1140) -> bytes:
        begin = wire.element(group, number, b"SQ", b"", UNDEFINED) + _ITEM + struct.pack("<I", UNDEFINED)
        return begin * count + (_ITEM_END + _END) * count

    return [
        _more(14, "20 levels", "0000", _RELATED, levels(20)),
        _more(14, "300 levels", REFUSED, _RELATED, levels(300)),
        _more(14, "1,100 levels", REFUSED, _RELATED, levels(1100)),
        _more(14, "100,000 levels", REFUSED, _RELATED, levels(100_000)),
        _more(
            14, "100,000 levels behind what identifies", "0000", 0x00209221, levels(100_000, 0x0020, 0x9221)
        ),
    ]


def _counted() -> list[Case]:
    items = wire.element(0x0008, 0x1140, b"SQ", b"", UNDEFINED) + (_ITEM + bytes(4)) * 2_000_000 + _END

    def private(group: int) -> bytes:
        return b"".join(wire.element(group, 0x1000 + one, b"UN", b"") for one in range(0xF00)) * 260

    return [
        _more(15, "2,000,000 empty items", REFUSED, _RELATED, items),
        _more(15, "1,000,000 empty elements", REFUSED, 0x00091000, private(0x0009)),
        _more(15, "a million empty elements behind what identifies", "0000", 0x00291000, private(0x0029)),
    ]


def _lengths() -> list[Case]:
    text = wire.element(0x0008, 0x0070, b"LO", b"ACME")

    def lying(number: int, vr: bytes, length: int) -> bytes:
        return wire.element(0x0008, number, vr, b"", length)

    return [
        _more(16, "a length of 0xFFFFFFFE", REFUSED, 0x00080070, lying(0x0070, b"UT", 0xFFFFFFFE)),
        _more(16, "undefined length of a text", REFUSED, 0x00080070, lying(0x0070, b"UT", UNDEFINED)),
        _more(
            16,
            "undefined length of a sequence without an end",
            REFUSED,
            _RELATED,
            lying(0x1140, b"SQ", UNDEFINED),
        ),
        _more(16, "an odd length", "0000", 0x00080070, text[:-1].replace(b"\4\0", b"\3\0")),
        _more(16, "a length past the end", REFUSED, 0x00080070, lying(0x0070, b"LO", 0xFFFE)),
        _more(16, "a representation that does not exist", REFUSED, 0x00080070, lying(0x0070, b"??", 0)),
        _more(16, "an item outside of a sequence", REFUSED, 0x00080070, _ITEM + bytes(4)),
        _more(16, "an end outside of an item", REFUSED, 0x00080070, _ITEM_END),
        _more(
            16,
            "an item longer than its sequence",
            REFUSED,
            _RELATED,
            wire.element(0x0008, 0x1140, b"SQ", _ITEM + b"\xff\0\0\0"),
        ),
        with_object(16, "seven bytes", lambda: b"\x08\0\5\0CS\0", REFUSED),
    ]


def _images() -> list[Case]:
    def image(name: str, elements: bytes, syntax: bytes = wire.EXPLICIT, group: int = 17) -> Case:
        return _more(group, name, "0000", 0x00280002, elements, syntax=syntax)

    pixels = wire.element(0x7FE0, 0x0010, b"OW", bytes(8))
    rows = wire.element(0x0028, 0x0010, b"UL", b"\xff\xff\xff\x7f") + wire.element(
        0x0028, 0x0011, b"UL", b"\xff\xff\xff\x7f"
    )
    bits = wire.element(0x0028, 0x0100, b"US", b"\0\0")
    frames = wire.element(0x0028, 0x0008, b"IS", b"2147483647")
    palette = wire.element(0x0028, 0x1101, b"US", b"\xff\xff\xff\xff\x10\0") + wire.element(
        0x0028, 0x1201, b"OW", b"ab"
    )

    def encapsulated(*fragments: bytes) -> bytes:
        inside = b"".join(_ITEM + struct.pack("<I", len(one)) + one for one in fragments)
        return wire.element(0x7FE0, 0x0010, b"OB", inside + _END, UNDEFINED)

    huge = b"\xff\xd8\xff\xc0\0\x0b\x08\xff\xff\xff\xff\1\1\x11\0\xff\xd9"
    unended = encapsulated(b"", huge)[:-8]
    inner = wire.implicit(0x0009, 0x1001, b"ab")
    unknown = _ITEM + struct.pack("<I", len(inner)) + inner + _END
    deep = wire.implicit(0x0009, 0x1002, b"", UNDEFINED) + _ITEM + struct.pack("<I", UNDEFINED)
    private = wire.element(0x0009, 0x0010, b"LO", b"ACME")
    return [
        image("Rows and Columns of 2^31-1 as UL", rows + pixels),
        image("Bits Allocated 0", bits + pixels),
        image("2^31-1 frames", frames + pixels),
        image("a palette that overflows", palette + pixels),
        image("an offset table past the end", encapsulated(b"\xff\xff\xff\x7f", huge), wire.JPEG, 18),
        image("a JPEG of 65535x65535", encapsulated(b"", huge), wire.JPEG, 18),
        image("fragments without an end", unended, wire.JPEG, 18),
        image("no fragments", encapsulated(), wire.JPEG, 18),
        image("fragments where none were agreed on", encapsulated(b"", huge), group=18),
        _more(
            19,
            "a private sequence as UN of undefined length",
            "0000",
            0x00090010,
            private + wire.element(0x0009, 0x1002, b"UN", unknown, UNDEFINED),
        ),
        _more(
            19,
            "UN of undefined length without an end",
            REFUSED,
            0x00090010,
            private + wire.element(0x0009, 0x1002, b"UN", unknown[:-8], UNDEFINED),
        ),
        _more(
            19,
            "UN that nests 1,100 levels",
            REFUSED,
            0x00090010,
            private + wire.element(0x0009, 0x1002, b"UN", deep * 1100, UNDEFINED),
        ),
    ]


def _meta() -> list[Case]:
    def meta(number: int, vr: bytes, value: bytes) -> bytes:
        return wire.element(0x0002, number, vr, value)

    def front(name: str, raw: bytes, group: int = 20, status: str = REFUSED) -> Case:
        return with_object(group, name, lambda: raw + written(values(group, name)), status)

    def preamble(start: bytes) -> bytes:
        return start.ljust(128, b"\0") + b"DICM" + meta(0x0010, b"UI", wire.EXPLICIT + b"\0")

    return [
        front("a Transfer Syntax UID of another encoding first", meta(0x0010, b"UI", wire.IMPLICIT + b"\0")),
        front("a Transfer Syntax UID that is a path first", meta(0x0010, b"UI", b"../../ev")),
        front("a group length that lies first", meta(0x0000, b"UL", b"\xff\xff\xff\x7f")),
        front("private meta information first", meta(0x0102, b"OB", bytes(16))),
        front("meta information with a bad representation", b"\2\0\2\0ZZ\4\0abcd"),
        front("a whole file instead of a data set", preamble(b"")),
        front("a Windows program in the preamble", preamble(b"MZ\x90\0"), 23),
        front("a Linux program in the preamble", preamble(b"\x7fELF\2\1\1"), 23),
        front("a page of HTML in the preamble", preamble(b"<html><script>alert(1)</script>"), 23),
    ]


def _texts() -> list[Case]:
    def text(name: str, sets: bytes, patient: bytes) -> Case:
        return _changed(21, name, "0000", t00080005=sets, t00100020=patient)

    return [
        text("an unknown character set", b"ISO_IR 999", b"ab\xff\xfe"),
        text("UTF-8 that is none", b"ISO_IR 192", b"\xff\xfe\xfd\xc3"),
        text("an escape sequence without an end", b"\\ISO 2022 IR 87 ", b"\x1b$B\x1b$"),
        text("an escape to a set that was not named", b"ISO 2022 IR 6 ", b"\x1b$)C\xb1\xe8\xe8"),
        text("500 backslashes as a character set", b"\\" * 500, b"ab"),
        text("a character set that is a path", b"../../../evil ", b"ab"),
        text("a Patient ID of NULs", b"ISO_IR 100", bytes(64)),
    ]


def _orders() -> list[Case]:
    def twice(tag: int) -> bytes:
        found = values(22, "")
        return wire.element(tag >> 16, tag & 0xFFFF, b"UI", found[tag])

    backwards = "elements from the last to the first"

    def reverse() -> bytes:
        parts = [written({tag: value}) for tag, value in values(22, backwards).items()]
        return b"".join(reversed(parts))

    return [
        _more(22, "the Study Instance UID twice", REFUSED, 0x0020000D, twice(0x0020000D)),
        _more(
            22,
            "another Series Instance UID first",
            REFUSED,
            0x00080001,
            wire.element(0x20, 0xE, b"UI", b"1.9.9\0"),
        ),
        with_object(22, backwards, reverse, "0000"),
    ]


def _again() -> list[Case]:
    name = "twice with other content"

    def sends() -> bytes:
        uid = named(27, name)
        found = values(27, name)
        other = found | {0x00100020: b"SYNTH-4712"}
        on = ON[wire.EXPLICIT]
        return opened(*(wire.store(written(one), uid, on=on) for one in (found, other, found)))

    return [Case(27, name, sends, (ACCEPTED, STORED, STORED, STORED), keeps=2)]
