"""What compressed pictures say of themselves and carry beside the picture; nothing is decoded. Pure.

JPEG and JPEG-LS (ITU-T T.81, B; T.87, C) and JPEG 2000 (T.800, A) share the form of their marker segments.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from agents.anonymization.surplus.jpeg_2000 import ENCODER

_MARK = 0xFF
"""First byte of every marker."""
_JPEG, _JPEG_2000 = b"\xff\xd8", b"\xff\x4f"
"""Start of image, start of codestream."""
_ENDS = frozenset((0xDA, 0x90, 0xD9))
"""Start of scan, start of tile part, end: compressed data follows."""
_TEXTS = frozenset((*range(0xE0, 0xF0), 0xFE, 0x64))
"""JPEG application data and comment, JPEG 2000 comment."""
_SEGMENTS = 256

_SEQUENTIAL, _LOSSLESS, _JPEG_LS = (0xC0, 0xC1), 0xC3, 0xF7
_SIZE, _CODING, _START_OF_SCAN = 0x51, 0x52, 0xDA
_HARMLESS = re.compile(
    rb"JFIF\x00.{7}\x00\x00"  # no thumbnail
    rb"|Adobe.{7}"
    rb"|" + ENCODER.pattern + rb"|(\x00\x01)?\x00*",  # emptied
    re.DOTALL,
)
"""Segments that say how a picture is to be shown, and which program wrote it."""
_MARKER = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
_TILES, _LAYERS = 4096, 256
"""Most tiles and layers of a codestream that is decoded."""


class Head(NamedTuple):
    """What a compressed picture says of itself: `precision` in bits; `lossy`: values were lost for sure."""

    kind: str
    """jpeg, jpeg-lossless, jpeg-ls, jpeg2000."""
    rows: int
    columns: int
    components: int
    precision: int
    signed: bool
    lossy: bool
    jfif: bool
    """Colours are luminance and chrominance whatever else is said (JFIF 1.02)."""


class Undecodable(Exception):  # noqa: N818 - a decision about bytes, as `Refusal` is about an object
    """A compressed picture is not one that is read here."""


def head_of(image: bytes) -> Head:
    """Read what a compressed picture says of itself.

    Raises
    ------
    Undecodable
        When it is of a kind that is not read here, or says nothing before its data begin.
    """
    segments = dict(reversed([*_segments(memoryview(image))]))
    try:
        if image.startswith(_JPEG_2000):
            return _jpeg_2000(segments)
        return _jpeg(segments)
    except (KeyError, IndexError, struct.error) as error:
        raise Undecodable from error


def is_bare(image: bytes) -> bool:
    """Tell whether a compressed picture carries nothing that its own decoder would not use."""
    if image.startswith(_JPEG_2000):
        return _is_bare_2000(image)
    return image.startswith(_JPEG) and _is_bare_jpeg(image)


def _is_bare_jpeg(image: bytes) -> bool:
    position = 2
    for _ in range(_SEGMENTS):
        head = image[position : position + 4]
        if head[:2] == b"\xff\xd9":
            return not image[position + 2 :].strip(b"\0")
        if len(head) < 4 or head[0] != _MARK:  # noqa: PLR2004 - bytes of a segment's head
            return False
        length = struct.unpack(">H", head[2:])[0]
        if head[1] in _TEXTS and not _HARMLESS.fullmatch(image[position + 4 : position + 2 + length]):
            return False
        position += 2 + length
        if head[1] == _START_OF_SCAN:
            marker = _MARKER.search(image, position)
            if marker is None:
                return False
            position = marker.start()
    return False


def _segments(image: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Give marker and content of each segment in front of the compressed data."""
    if bytes(image[:2]) not in (_JPEG, _JPEG_2000):
        return
    position = 2
    for _ in range(_SEGMENTS):
        if position + 4 > len(image) or image[position] != _MARK or image[position + 1] in _ENDS:
            return
        length = struct.unpack_from(">H", image, position + 2)[0]
        yield image[position + 1], image[position + 4 : position + 2 + length]
        position += 2 + length


def _jpeg(segments: dict[int, memoryview]) -> Head:
    kinds = {**dict.fromkeys(_SEQUENTIAL, "jpeg"), _LOSSLESS: "jpeg-lossless", _JPEG_LS: "jpeg-ls"}
    frames = [marker for marker in (*range(0xC0, 0xD0), _JPEG_LS) if marker in segments]
    frames = [marker for marker in frames if marker not in (0xC4, 0xC8, 0xCC)]  # tables
    if len(frames) != 1 or frames[0] not in kinds:
        raise Undecodable
    precision, rows, columns, components = struct.unpack_from(">BHHB", segments[frames[0]])
    return Head(
        kind=kinds[frames[0]],
        rows=rows,
        columns=columns,
        components=components,
        precision=precision,
        signed=False,
        lossy=frames[0] in _SEQUENTIAL,
        jfif=bytes(segments.get(0xE0, b"")[:5]) == b"JFIF\0",
    )


def _jpeg_2000(segments: dict[int, memoryview]) -> Head:
    size, coding = segments[_SIZE], segments[_CODING]
    right, bottom, left, top, width, height = struct.unpack_from(">6I", size, 2)
    components = struct.unpack_from(">H", size, 34)[0]
    depths = {bytes(size[36 + 3 * number : 39 + 3 * number]) for number in range(components)}
    layers = struct.unpack_from(">H", coding, 2)[0]
    if (
        len(depths) != 1
        or depths.pop()[1:] != b"\1\1"
        or not width
        or not height
        or -(-right // width) * -(-bottom // height) > _TILES
        or layers > _LAYERS
        or right <= left
        or bottom <= top
    ):
        raise Undecodable
    return Head(
        kind="jpeg2000",
        rows=bottom - top,
        columns=right - left,
        components=components,
        precision=(size[36] & 0x7F) + 1,
        signed=bool(size[36] & 0x80),
        lossy=coding[9] == 0,
        jfif=False,
    )


def _is_bare_2000(image: bytes) -> bool:
    position = 2
    for marker, content in _segments(memoryview(image)):
        if marker in _TEXTS and not _HARMLESS.fullmatch(content):
            return False
        position += 4 + len(content)
    for _ in range(_TILES):
        if image[position : position + 2] == b"\xff\xd9":
            return not image[position + 2 :].strip(b"\0")
        if position + 14 > len(image) or image[position : position + 2] != b"\xff\x90":
            return False
        part = struct.unpack_from(">I", image, position + 6)[0]
        # no segments of its own between the tile part's head and its data
        if part < 14 or image[position + 12 : position + 14] != b"\xff\x93":  # noqa: PLR2004 - bytes of both
            return False
        position += part
    return False
