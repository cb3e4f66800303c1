"""Comments and application data inside compressed pixels, found without decoding them. Pure.

JPEG and JPEG-LS (ITU-T T.81, B.2; T.87, C.2) and JPEG 2000 (T.800, A.9) share their marker segments.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_ITEM = b"\xfe\xff\x00\xe0"
_HEADS = b"\xff\xd8", b"\xff\x4f"
"""Start of image, start of codestream."""
_ENDS = frozenset((0xDA, 0x90, 0xD9))
"""Start of scan, start of tile part, end: compressed data follows."""
_TEXTS = frozenset((*range(0xE0, 0xF0), 0xFE, 0x64))
"""JPEG application data and comment, JPEG 2000 comment."""
_SEGMENTS = 256


def comments(pixels: memoryview) -> Iterator[bytes]:
    """Give the content of each comment or application segment in front of each fragment's image.

    Parameters
    ----------
    pixels
        Items of encapsulated pixel data, little endian.
    """
    position = 0
    while position + 8 <= len(pixels) and pixels[position : position + 4] == _ITEM:
        length = struct.unpack_from("<I", pixels, position + 4)[0]
        yield from _segments(pixels[position + 8 : position + 8 + length])
        position += 8 + length


def _segments(image: memoryview) -> Iterator[bytes]:
    if bytes(image[:2]) not in _HEADS:
        return
    position = 2
    for _ in range(_SEGMENTS):
        if position + 4 > len(image) or image[position] != 0xFF or image[position + 1] in _ENDS:  # noqa: PLR2004 - every marker begins so
            return
        length = struct.unpack_from(">H", image, position + 2)[0]
        if image[position + 1] in _TEXTS:
            yield bytes(image[position + 4 : position + 2 + length])
        position += 2 + length
