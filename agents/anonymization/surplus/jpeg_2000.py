"""Segments of a JPEG 2000 codestream that are no part of the image (ITU-T T.800, A; T.814). Pure."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator

from agents.anonymization.surplus.spans import Span, broken

START = b"\xff\x4f\xff\x51"
_TILE, _TILE_LENGTH, _DATA, _END = b"\xff\x90", 12, b"\xff\x93", b"\xff\xd9"
_COMMENT = 0x64
_OF_THE_IMAGE = frozenset((*range(0x50, 0x54), 0x55, *range(0x57, 0x5A), *range(0x5C, 0x62), 0x63))
"""Size, capabilities, coding, lengths, quantization, regions, progression, packed headers, registration."""
_MARKER = re.compile(rb"\xff[\x90-\xff]")
"""Ends coded data, in which 0xFF is followed by less."""
ENCODER = re.compile(
    rb"\x00\x01(?:Created by (?:GDCM/)?OpenJPEG version |Kakadu-v?|Creator: JasPer Version )"
    rb"[0-9]{1,3}(?:\.[0-9]{1,3}){0,3}\x00?"
)
"""Comments of encoders, which stand in nearly every image and tell their version alone."""


def beside(image: bytes) -> Iterator[Span]:
    """Give where comments stand, and what follows the codestream's end.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When it is not built as a codestream.
    """
    position = yield from _header(image, 2, _TILE)
    while image[position : position + 2] == _TILE:
        length = int.from_bytes(image[position + 6 : position + 10])
        data = yield from _header(image, position + _TILE_LENGTH, _DATA)
        if length:
            position += length
        else:
            following = _MARKER.search(image, data + 2)
            position = following.start() if following else len(image)
        if not data < position <= len(image):
            raise broken()
    if image[position : position + 2] == _END:
        position += 2
    elif position < len(image):
        raise broken()
    yield position, len(image)


def _header(image: bytes, position: int, until: bytes) -> Generator[Span, None, int]:
    """Give comments of a header; return where the marker stands that ends it."""
    while (marker := image[position : position + 2]) != until:
        length = int.from_bytes(image[position + 2 : position + 4])
        end = position + 2 + length
        if marker[:1] != b"\xff" or length < 2 or end > len(image):  # noqa: PLR2004 - of the length itself
            raise broken()
        if marker[1] == _COMMENT:
            if not ENCODER.fullmatch(image, position + 4, end):
                yield position + 6, end
        elif marker[1] not in _OF_THE_IMAGE:
            raise broken()
        position = end
    return position
