"""How a harmless object is spoiled."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable, Collection, Iterator
from functools import cache

import pydicom
from pydicom.dataset import Dataset

from tests.canaries.classes import IMAGES, item
from tests.canaries.classes_more import OBJECTS
from tests.canaries.finding import Finder
from tests.canaries.person import KEEPERS, Person, make_person
from tests.canaries.planting import words_of
from tests.canaries.traps_bytes import before
from tests.canaries.words import Words
from tests.canaries.writing import compressed, written

OPEN = b"\xff\xff\xff\xff"
ITEM, ITEM_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0\0\0\0\0"
SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"
SHARED, ANATOMY = b"\x00\x52\x29\x92", b"\x08\0\x18\x22"
PRIVATE = b"\x09\0\x40\x10"
LISTED, UNKNOWN, IMPLICIT = b"SQ\0\0", b"UN\0\0", b""
"""What stands between tag and length of a sequence."""
DEFLATE_END = b"\x03\0"
"""A last block, of nothing."""
MODEL, NAME, FIELD, PIXELS = 0x00081090, 0x00100010, 0x00185100, 0x7FE00010


PERSON = make_person(Words(11))
"""Whom harmless objects, and so the spoiled ones, are about."""


def finder_of(person: Person, options: Collection[str] = ()) -> Finder:
    """Make the search for what a policy with options keeps of no person."""
    kept = {name for name, option in KEEPERS.items() if option in options}
    words = {label: word for label, word in words_of(person).items() if label.split()[0] not in kept}
    return Finder(words, {"born": person.born})


def small(kind: str = "ct") -> Dataset:
    """Make a harmless object."""
    words = Words(11)
    return {**IMAGES, **OBJECTS}[kind](words, make_person(words))


@cache
def harmless(kind: str = "ct", syntax: str = "explicit") -> bytes:
    """Write it."""
    return written(small(kind), syntax)


def ahead(what: bytes, tag: int = NAME, kind: str = "ct") -> bytes:
    """Put elements in front of one of a harmless object."""
    return before(harmless(kind), tag, what)


def long(tag: int, vr: str, value: bytes, length: int | None = None) -> bytes:
    """Give an element with a length of 32 bits, which may be another than its value has."""
    size = len(value) if length is None else length
    return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr.encode(), 0, size) + value


def nested(levels: int, tag: bytes, vr: bytes = LISTED, closing: bytes = b"") -> bytes:
    """Nest one sequence in itself, without lengths. What an unknown one holds has implicit VR."""
    inner = IMPLICIT if vr == UNKNOWN else vr
    return (
        (tag + vr + OPEN + ITEM + OPEN) + (tag + inner + OPEN + ITEM + OPEN) * (levels - 1) + closing * levels
    )


def closed(levels: int, tag: bytes, vr: bytes = LISTED) -> bytes:
    """Nest with lengths, from the inside to the outside: they grow with the number of levels."""
    heads, size = [], 0
    for level in range(levels):
        last = vr if level == levels - 1 or vr != UNKNOWN else IMPLICIT
        heads.append(tag + last + struct.pack("<I", size + 8) + ITEM + struct.pack("<I", size))
        size += len(heads[-1])
    return b"".join(reversed(heads))


def deflated(content: bytes, megabytes: int = 0) -> bytes:
    """Give an object in the deflated syntax that goes on with content, and zeros, in place of its pixels."""
    source = harmless()
    start = 144 + int.from_bytes(source[140:144], "little")
    at = source.index(struct.pack("<HH", PIXELS >> 16, PIXELS & 0xFFFF), start)
    head = harmless("ct", "deflated")
    head = head[: 144 + int.from_bytes(head[140:144], "little")]
    machine = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    begun = machine.compress(source[start:at] + content) + machine.flush(zlib.Z_FULL_FLUSH)
    return b"".join((head, begun, deflated_zeros(megabytes), DEFLATE_END))


def deflated_zeros(megabytes: int) -> bytes:
    """Give blocks of a deflated stream that inflate to so many megabytes of zeros."""
    machine = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return (machine.compress(bytes(1 << 20)) + machine.flush(zlib.Z_FULL_FLUSH)) * megabytes


def described(kind: str = "ct", **values: object) -> bytes:
    """Write an object that describes itself in another way."""
    data = small(kind)
    with pydicom.config.disable_value_validation():
        for keyword, value in values.items():
            setattr(data, keyword, value)
        return written(data)


def fragments(syntax: str, change: Callable[[bytes], bytes], **values: object) -> bytes:
    """Write a grey image of eight bits whose only compressed frame was changed."""
    data = small()
    data.update(item(BitsAllocated=8, BitsStored=8, HighBit=7, PixelData=bytes(range(256)) * 16))
    content = compressed(data, syntax).PixelData
    at = 8 + int.from_bytes(content[4:8], "little")
    image = change(content[at + 8 :])
    image += b"\0" * (len(image) % 2)
    data.PixelData = content[:at] + ITEM + struct.pack("<I", len(image)) + image
    for keyword, value in values.items():
        setattr(data, keyword, value)
    return written(data, syntax)


def truncations(content: bytes, step: int = 64) -> Iterator[bytes]:
    """Give every beginning of a file."""
    yield from (content[:size] for size in range(0, len(content), step))


def flips(content: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Give files with one to eight bytes changed, most of them in the header."""
    chance = random.Random(seed)
    for _ in range(count):
        changed = bytearray(content)
        for _ in range(chance.randrange(1, 9)):
            reach = len(changed) if chance.random() < 0.2 else min(len(changed), 2048)
            changed[chance.randrange(reach)] = chance.choice((0, 255, 127, 92, 32, chance.randrange(256)))
        yield bytes(changed)
