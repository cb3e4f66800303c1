"""Nesting, lies about lengths, sizes and millions of nothings."""

from __future__ import annotations

import struct
from collections.abc import Callable

from tests.canaries.spoiling import (
    ANATOMY,
    FIELD,
    ITEM,
    ITEM_END,
    LISTED,
    NAME,
    OPEN,
    PIXELS,
    PRIVATE,
    SEQUENCE_END,
    SHARED,
    UNKNOWN,
    ahead,
    closed,
    described,
    fragments,
    harmless,
    long,
    nested,
)
from tests.canaries.traps_bytes import before, short

NESTING: dict[str, Callable[[], bytes]] = {
    f"{levels:,} {name}": (lambda levels=levels, make=make: make(levels))
    for levels in (33, 300, 1_100, 100_000)
    for name, make in {
        "open sequences": lambda levels: ahead(nested(levels, ANATOMY)),
        "sequences with lengths": lambda levels: ahead(closed(levels, ANATOMY)),
        "delimited sequences": lambda levels: ahead(nested(levels, ANATOMY, closing=ITEM_END + SEQUENCE_END)),
        "private sequences": lambda levels: ahead(short(0x00090010, "LO", b"X") + closed(levels, PRIVATE)),
        "private unknown ones": lambda levels: ahead(
            short(0x00090010, "LO", b"X") + nested(levels, PRIVATE, UNKNOWN)
        ),
        "unknown ones": lambda levels: ahead(nested(levels, ANATOMY, UNKNOWN)),
        "unknown ones with lengths": lambda levels: ahead(closed(levels, ANATOMY, UNKNOWN)),
        "functional groups": lambda levels: ahead(nested(levels, SHARED), PIXELS),
    }.items()
}
LIES: dict[str, Callable[[], bytes]] = {
    "a text of 4 GB": lambda: ahead(long(0x00081115 - 1, "UN", b"x" * 8, 0xFFFFFFF0)),
    "a length of 0xFFFFFFFE": lambda: ahead(long(0x00081114, "OB", b"x" * 8, 0xFFFFFFFE)),
    "an item of 2 GB": lambda: ahead(ANATOMY + LISTED + OPEN + ITEM + b"\xff\xff\xff\x7f"),
    "an item longer than its sequence": lambda: ahead(
        ANATOMY + LISTED + b"\x10\0\0\0" + ITEM + b"\x40\0\0\0" + bytes(80)
    ),
    "a sequence longer than the file": lambda: ahead(
        ANATOMY + LISTED + b"\xff\xff\xff\x0f" + ITEM + bytes(4)
    ),
    "a sequence that ends inside of an item": lambda: ahead(
        ANATOMY + LISTED + b"\x0c\0\0\0" + ITEM + bytes(20)
    ),
    "pixels of 2 GB": lambda: (
        harmless()[: harmless().rindex(b"\xe0\x7f\x10\0")] + long(PIXELS, "OW", bytes(32), 0x7FFFFFFF)
    ),
    "an odd length": lambda: ahead(struct.pack("<HH2sH", 8, 0x2111, b"LO", 3) + b"abc"),
    "an undefined length of text": lambda: ahead(long(0x00082112 - 1, "UT", b"", 0xFFFFFFFF)),
    "an undefined length of bytes": lambda: ahead(
        long(0x00082111, "OB", ITEM + bytes(4) + SEQUENCE_END, 0xFFFFFFFF)
    ),
    "undefined pixels in implicit VR": lambda: (
        harmless("ct", "implicit")[:-8200] + b"\xe0\x7f\x10\0" + OPEN + ITEM + bytes(4)
    ),
    "a delimiter at the top": lambda: ahead(ITEM_END),
    "an item at the top": lambda: ahead(ITEM + OPEN),
    "a meta group length of 4 GB": lambda: harmless()[:140] + OPEN + harmless()[144:],
    "a meta group length of zero": lambda: harmless()[:140] + bytes(4) + harmless()[144:],
    "a meta element of 4 GB": lambda: (
        harmless()[:144] + long(0x00020001, "OB", b"", 0xFFFFFFFC) + harmless()[158:]
    ),
    "fragments without an end": lambda: fragments("rle", lambda image: image)[:-8],
    "a fragment of 2 GB": lambda: fragments("rle", lambda image: image + ITEM + b"\xff\xff\xff\x7f"),
}


def names_and_words() -> bytes:
    """Give an object with many names, and a trusted text of many words."""
    names = b"\\".join(b"name%d" % number for number in range(6_000))
    words = b" ".join(b"word%d" % number for number in range(6_000))
    content = before(harmless(), 0x00081050, short(0x00081048, "PN", names))
    return before(content, NAME, short(0x00082132, "LO", words))


SIZES: dict[str, Callable[[], bytes]] = {
    "frames": lambda: described(NumberOfFrames="2147483647"),
    "frames beyond an integer": lambda: described(NumberOfFrames="9" * 12),
    "negative frames": lambda: described(NumberOfFrames="-1"),
    "no frames": lambda: described(NumberOfFrames="0"),
    "rows": lambda: described(Rows=65535, Columns=65535),
    "no rows": lambda: described(Rows=0),
    "no bits": lambda: described(BitsAllocated=0, BitsStored=0, HighBit=0),
    "many bits": lambda: described(BitsAllocated=65535),
    "many samples": lambda: described(SamplesPerPixel=65535),
    "rows as a long": lambda: harmless().replace(
        short(0x00280010, "US", b"\x40\0"), short(0x00280010, "UL", OPEN)
    ),
    "a palette": lambda: described(
        PhotometricInterpretation="PALETTE COLOR",
        RedPaletteColorLookupTableDescriptor=[65535, 0, 16],
        RedPaletteColorLookupTableData=b"\0\0",
    ),
    "2,000,000 empty items": lambda: ahead(
        ANATOMY + LISTED + OPEN + (ITEM + bytes(4)) * 2_000_000 + SEQUENCE_END
    ),
    "2,000,000 empty items with a length": lambda: ahead(
        ANATOMY + LISTED + struct.pack("<I", 16_000_000) + (ITEM + bytes(4)) * 2_000_000
    ),
    "65,000 empty private elements": lambda: ahead(
        b"".join(struct.pack("<HH2sH", 9, number, b"LO", 0) for number in range(0x10, 0xFFFF))
    ),
    "20,000,000 bytes of text": lambda: ahead(long(0x00081120 - 3, "UT", b"word " * 4_000_000)),
    "a name of 60,000 bytes": lambda: ahead(short(0x00081048, "PN", b"abcd^efgh=" * 6_000), 0x00081050),
    "6,000 names in a trusted text of 60,000 bytes": names_and_words,
    "a trusted text of hyphens": lambda: ahead(short(0x00082132, "LO", b"a-" * 30_000)),
    "60,000 bytes of digits": lambda: ahead(short(0x00181110, "DS", b"1" * 60_000), FIELD),
    "60,000 spaces and a letter": lambda: ahead(short(0x00181110, "DS", b" " * 59_999 + b"x"), FIELD),
    "30,000 values": lambda: ahead(short(0x00181110, "DS", b"1\\" * 30_000), FIELD),
    "a million UIDs": lambda: ahead(long(0x00083010, "UN", b"".join(b"%d\\" % n for n in range(500_000)))),
    "30,000 UIDs": lambda: ahead(short(0x00083010, "UI", b"".join(b"%d\\" % n for n in range(10_000)))),
}
