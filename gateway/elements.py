"""The structure of a DICOM data set, walked without recursion and without believing what it declares.

Both the door (`gateway.header`) and `agents.anonymization` look at a file this way before any other parser
sees it: depth, number of elements and every declared length are bounded first (DICOM PS3.5, section 7).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from pydicom.datadict import dictionary_VR

from gateway.part10 import SHORT_VRS, VR_NAMES, Bounds, Buffer, Encoding, Malformed

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_DATA = 0x7FE00010
_PADDING = 1 << 20
"""Most bytes of padding that are looked at."""


class Element(NamedTuple):
    """An element's place: `offset` and `length` of its value in bytes, `depth` 0 at the top."""

    tag: int
    vr: str
    """As written; with implicit VR as the dictionary has it, UN when it does not know the tag."""
    offset: int
    length: int
    """`UNDEFINED` for sequences and pixel fragments that end with a delimiter."""
    depth: int


class _Frame:
    """One open data set, sequence or run of pixel fragments."""

    __slots__ = ("end", "implicit", "kind", "last", "little", "undefined")

    def __init__(self, kind: str, end: int, *, undefined: bool, implicit: bool, little: bool) -> None:
        self.kind = kind
        self.end = end
        self.undefined = undefined
        self.implicit = implicit
        self.little = little
        self.last = -1


class Walker:
    """Walk one data set, elements in the order of the file, children after their sequence.

    Parameters
    ----------
    data
        The file or inflated data set.
    start
        Offset of the data set's first byte.
    encoding
        How it is written.
    bounds
        What it may ask.
    ordered
        Refuse elements that are repeated or out of order, which readers understand differently.

    Attributes
    ----------
    position
        Where the walk stands; after it, where the data set ended. Padding behind it is not part of it.
    fragments_end
        Where the last pixel fragments ended, before their delimiter.
    """

    def __init__(
        self, data: Buffer, start: int, encoding: Encoding, bounds: Bounds, *, ordered: bool = True
    ) -> None:
        self._data = data
        self._ordered = ordered
        self._size = len(data)
        self._left = bounds.allowed(self._size - start)
        self._bounds = bounds
        root = _Frame(
            "dataset", self._size, undefined=False, implicit=encoding.implicit, little=encoding.little
        )
        self._stack = [root]
        self._depth = 0
        self.position = start
        self.fragments_end = start

    def __iter__(self) -> Iterator[Element]:
        """Yield elements.

        Raises
        ------
        Malformed
            At the first thing that can't be so.
        """
        while self._stack:
            frame = self._stack[-1]
            if not frame.undefined and self.position >= frame.end:
                if self.position > frame.end:
                    raise Malformed("truncated", "An element reaches beyond the end of what holds it.")
                self._pop()
                continue
            if len(self._stack) == 1 and self._at_padding():
                return
            self._left -= 1
            if self._left < 0:
                raise Malformed("too-many-elements", "More elements than an object of this size can need.")
            if frame.kind == "dataset":
                element = self._element(frame)
                if element is not None:
                    yield element
            else:
                self._item(frame)

    def _pop(self) -> None:
        if self._stack.pop().kind == "sequence":
            self._depth -= 1

    def _at_padding(self) -> bool:
        """Tell whether nothing but zeros is left."""
        if self._data[self.position] or self._data[-1]:
            return False
        return self._size - self.position <= _PADDING and not any(self._data[self.position :])

    def _need(self, count: int, frame: _Frame) -> int:
        at = self.position
        if at + count > frame.end:
            raise Malformed("truncated", "The file ends inside an element.")
        return at

    def _item(self, frame: _Frame) -> None:
        at = self._need(8, frame)
        group, element, length = struct.unpack_from("<HHI" if frame.little else ">HHI", self._data, at)
        tag = group << 16 | element
        self.position = at + 8
        if tag == SEQUENCE_END and frame.undefined:
            if frame.kind == "fragments":
                self.fragments_end = at
            self._pop()
            return
        if tag != ITEM:
            raise Malformed("bad-structure", "A sequence holds something that is no item.")
        if frame.kind == "fragments" or length != UNDEFINED:
            if length == UNDEFINED or self.position + length > frame.end:
                raise Malformed("truncated", "An item declares more bytes than there are.")
            if frame.kind == "fragments":
                self.position += length
                return
        end = frame.end if length == UNDEFINED else self.position + length
        self._stack.append(
            _Frame(
                "dataset",
                end,
                undefined=length == UNDEFINED,
                implicit=frame.implicit,
                little=frame.little,
            )
        )

    def _element(self, frame: _Frame) -> Element | None:
        at = self._need(8, frame)
        data, order = self._data, "<" if frame.little else ">"
        group, number = struct.unpack_from(order + "HH", data, at)
        tag = group << 16 | number
        if tag == ITEM_END and frame.undefined:
            self.position = at + 8
            self._pop()
            return None
        if group == 0xFFFE:  # noqa: PLR2004 - the group of items and delimiters
            raise Malformed("bad-structure", "An item or delimiter stands where an element should.")
        if tag <= frame.last and self._ordered:
            raise Malformed("bad-order", "Elements are repeated or out of order.")
        frame.last = tag
        if frame.implicit:
            vr = _dictionary_vr(tag)
            length = struct.unpack_from(order + "I", data, at + 4)[0]
            self.position = at + 8
        else:
            name = VR_NAMES.get(bytes(data[at + 4 : at + 6]))
            if name is None:
                raise Malformed("bad-vr", "An element has a value representation that does not exist.")
            vr = name
            if vr in SHORT_VRS:
                length = struct.unpack_from(order + "H", data, at + 6)[0]
                self.position = at + 8
            else:
                self._need(12, frame)
                length = struct.unpack_from(order + "I", data, at + 8)[0]
                self.position = at + 12
        element = Element(tag, vr, self.position, length, self._depth)
        self._enter(element, frame)
        return element

    def _enter(self, element: Element, frame: _Frame) -> None:
        """Go into the element when it has children, else behind it."""
        tag, vr, offset, length, _ = element
        unknown = vr == "UN"
        undefined = length == UNDEFINED
        if not undefined and offset + length > frame.end:
            raise Malformed("truncated", "An element declares more bytes than there are.")
        nested = vr == "SQ" or (unknown and (undefined or _dictionary_vr(tag) == "SQ"))
        if undefined and not nested:
            if tag != PIXEL_DATA or frame.implicit:
                raise Malformed("bad-structure", "An element that is no sequence has no declared length.")
            self._stack.append(
                _Frame("fragments", frame.end, undefined=True, implicit=False, little=frame.little)
            )
        elif nested:
            if self._depth >= self._bounds.depth:
                raise Malformed(
                    "too-deep", f"Sequences are nested more than {self._bounds.depth} levels deep."
                )
            self._depth += 1
            # PS3.5 6.2.2: the content of UN is implicit VR little endian.
            self._stack.append(
                _Frame(
                    "sequence",
                    frame.end if undefined else offset + length,
                    undefined=undefined,
                    implicit=frame.implicit or unknown,
                    little=frame.little or unknown,
                )
            )
        else:
            self.position = offset + length


def _dictionary_vr(tag: int) -> str:
    if tag >> 16 & 1:
        return "UN"
    try:
        return str(dictionary_VR(tag))
    except KeyError:
        return "UN"
