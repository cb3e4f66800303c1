"""The top-level elements of an anonymized object: read, changed, and put together again. Pure.

Bytes of what does not change are carried over as they are: cleaning pixels touches no other attribute.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from pydicom.values import convert_SQ

from agents.anonymization.encode import Encoder, part10
from agents.anonymization.outcome import Refusal
from gateway.elements import PIXEL_DATA, UNDEFINED, Element, Walker
from gateway.part10 import SHORT_VRS, Bounds, Encoding, encoding_of, read_meta

ICON_SEQUENCE, FRAME_TYPE = 0x00880200, 0x00089007
_OTHER_PIXELS = 0x7FE00008, 0x7FE00009
"""Float Pixel Data, Double Float Pixel Data."""
_NESTED_PICTURES = PIXEL_DATA, ICON_SEQUENCE, *_OTHER_PIXELS
_PATCHED = (FRAME_TYPE,)
_DELIMITER = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
"""Ends encapsulated pixels, which are little endian."""

Item = tuple[int, str, bytes]
"""An element of an item: tag, VR, value."""


class Place(NamedTuple):
    """Where an element lies: from `start` to `end`, its value from `value` on."""

    start: int
    value: int
    end: int
    vr: str


class Header:
    """A DICOM Part 10 object as its top-level elements.

    Parameters
    ----------
    content
        The file; one that this package wrote.

    Raises
    ------
    gateway.part10.Malformed
        When it is no such file.
    agents.anonymization.outcome.Refusal
        When there are pictures in it beside its Pixel Data, or more than one kind of it.

    Attributes
    ----------
    syntax, encoding
        The transfer syntax, and how it writes a data set.
    pixels
        The value of Pixel Data, fragments without their delimiter; None: there is none.
    encapsulated
        Whether they are fragments.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        meta = read_meta(content)
        self.syntax = meta.text(0x00020010)
        self.encoding: Encoding = encoding_of(self.syntax)
        if self.encoding.deflated:
            raise Refusal("unsupported-pixels", "Deflated objects have no place here.")
        self._places: dict[int, Place] = {}
        self._encoder = Encoder(self.encoding)
        self._changed: dict[int, bytes | None] = {}
        self._nested: dict[int, list[Element]] = {}
        self._patches: list[tuple[int, bytes]] = []
        self.pixels: memoryview | None = None
        self.encapsulated = False
        self._walk(meta.dataset)

    def _walk(self, start: int) -> None:
        walker = Walker(self._content, start, self.encoding, Bounds())
        last: Element | None = None
        begin = start
        for element in walker:
            if element.depth == 0:
                at = element.offset - (8 if self.encoding.implicit or element.vr in SHORT_VRS else 12)
                if last is not None:
                    self._places[last.tag] = Place(begin, last.offset, at, last.vr)
                last, begin = element, at
            elif element.tag in _PATCHED:
                self._nested.setdefault(element.tag, []).append(element)
            elif element.tag in _NESTED_PICTURES and last is not None and last.tag != ICON_SEQUENCE:
                raise Refusal("excess-pixels", "There is a picture inside a sequence of the object.")
            if element.tag in _OTHER_PIXELS:
                raise Refusal("unsupported-pixels", "Pixels of floating point can't be cleaned.")
        if last is None:
            return
        self._places[last.tag] = Place(begin, last.offset, walker.position, last.vr)
        place = self._places.get(PIXEL_DATA)
        if place is not None:
            self.encapsulated = self._ends_open(place)
            end = walker.fragments_end if self.encapsulated else place.end
            self.pixels = memoryview(self._content)[place.value : end]

    def _ends_open(self, place: Place) -> bool:
        order = "<I" if self.encoding.little else ">I"
        return bool(struct.unpack_from(order, self._content, place.value - 4)[0] == UNDEFINED)

    def __contains__(self, tag: int) -> bool:
        return tag in self._places

    def value(self, tag: int) -> bytes:
        """Give the value of an element; empty when it is not there."""
        place = self._places.get(tag)
        return self._content[place.value : place.end] if place else b""

    def text(self, tag: int) -> str:
        """Give a value as text without padding."""
        return self.value(tag).decode("latin-1").strip("\0 ")

    def vr(self, tag: int) -> str:
        """Give an element's VR as it is written; empty when it is not there."""
        place = self._places.get(tag)
        return place.vr if place else ""

    def number(self, tag: int) -> int | None:
        """Give the first value of a US, SS or UL as an unsigned number; None: it is not there."""
        return self._number(self.value(tag))

    def _number(self, value: bytes) -> int | None:
        width = 4 if len(value) == 4 else 2  # noqa: PLR2004 - bytes of a UL
        return int.from_bytes(value[:width], "little" if self.encoding.little else "big") if value else None

    def element(self, tag: int) -> bytes:
        """Give an element with its head, as it stands in the file; empty when it is not there."""
        place = self._places.get(tag)
        if place is None:
            return b""
        found = self._content[place.start : place.end]
        for offset, value in self._patches:
            if place.start <= offset < place.end:
                at = offset - place.start
                found = found[:at] + value + found[at + len(value) :]
        return found

    def items(self, tag: int) -> list[dict[int, int | None]]:
        """Give, for each item of a sequence, its elements' first numbers by tag."""
        if tag not in self._places:
            return []
        sequence = convert_SQ(self.value(tag), self.encoding.implicit, self.encoding.little)
        # iterating a data set itself would convert its values
        return [
            {int(key): self._number(_raw(item, key)) for key in item.keys()}  # noqa: SIM118
            for item in sequence
        ]

    def put(self, tag: int, vr: str, value: bytes) -> None:
        """Write an element anew."""
        self._changed[tag] = self._encoder.element(tag, vr, value)

    def put_number(self, tag: int, value: int) -> None:
        """Write a US anew."""
        self.put(tag, "US", value.to_bytes(2, "little" if self.encoding.little else "big"))

    def put_sequence(self, tag: int, items: list[list[Item]]) -> None:
        """Write a sequence anew."""
        self._changed[tag] = self._encoder.sequence(tag, [self._item(item) for item in items])

    def append_item(self, tag: int, item: list[Item], inner: tuple[int, list[Item]]) -> None:
        """Write an item, the last of whose elements is a sequence of one item, behind those of a sequence."""
        added = self._item(item) + self._encoder.sequence(inner[0], [self._item(inner[1])])
        head = struct.pack(("<" if self.encoding.little else ">") + "HHI", 0xFFFE, 0xE000, len(added))
        there = self.value(tag)
        if there and self._ends_open(self._places[tag]):
            there = there[: -len(_DELIMITER)]
        self.put(tag, "SQ", there + head + added)

    def _item(self, elements: list[Item]) -> bytes:
        return b"".join(self._encoder.element(*element) for element in elements)

    def patch_nested(self, tag: int, change: Callable[[bytes], bytes]) -> None:
        """Change values inside sequences; what becomes shorter is padded, so that nothing moves."""
        for element in self._nested.get(tag, []):
            value = change(self._content[element.offset : element.offset + element.length])
            if len(value) > element.length:
                raise Refusal("unsupported-pixels", "A frame's type has no room for what becomes of it.")
            self._patches.append((element.offset, value.ljust(element.length)))

    def drop(self, tag: int) -> None:
        """Leave an element out."""
        self._changed[tag] = None

    def native(self, value: bytes, *, wide: bool) -> list[bytes]:
        """Give Pixel Data of uncompressed pixels, with its head; `wide` ones have more than 8 bits."""
        vr = "OB" if self.encapsulated and not wide else "OW" if self.encapsulated else self.vr(PIXEL_DATA)
        head = self._encoder.element(PIXEL_DATA, vr, b"")[:-4]
        return [head, struct.pack("<I" if self.encoding.little else ">I", len(value)), value]

    def fragments(self, items: bytes) -> list[bytes]:
        """Give Pixel Data of compressed frames, with its head."""
        return [self._encoder.element(PIXEL_DATA, "OB", b"", fragments=True)[:-8], items, _DELIMITER]

    def written(
        self, sop_class: str, sop_instance: str, syntax: str, pixels: Sequence[bytes] | None
    ) -> bytes:
        """Give the file with all changes.

        Parameters
        ----------
        sop_class, sop_instance, syntax
            For the file meta information; the syntax writes elements as the one that was read does.
        pixels
            The Pixel Data element in parts; None: as it was.
        """
        if encoding_of(syntax) != self.encoding:
            raise ValueError(syntax)
        parts: list[bytes] = []
        for tag in sorted(self._places.keys() | self._changed.keys() | {PIXEL_DATA}):
            if tag == PIXEL_DATA and pixels is not None:
                parts += pixels
            elif tag in self._changed:
                parts.append(self._changed[tag] or b"")
            else:
                parts.append(self.element(tag))
        return part10(sop_class, sop_instance, syntax, b"".join(parts))


def _raw(item: Dataset, key: BaseTag) -> bytes:
    element = item.get_item(key, keep_deferred=True)
    return (element.value or b"") if element is not None and element.is_raw else b""
