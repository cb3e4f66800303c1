"""Segments of a JPEG or JPEG-LS image that are no part of it (ITU-T T.81, B.1; T.87, C.2). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agents.anonymization.surplus.spans import Span, broken

START = b"\xff\xd8"
_MARKER = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
"""Ends coded data: in it only stuffed bytes and restarts follow 0xFF, and in JPEG-LS a bit of zero."""
_SCAN, _END = 0xDA, 0xD9
_ALONE = frozenset((0x01, *range(0xD0, 0xD8)))
"""Markers without a segment: temporary, restarts."""
_OF_THE_IMAGE = frozenset((*range(0xC0, 0xD0), *range(0xDA, 0xE0), 0xF7, 0xF8))
"""Frames, tables, scans, number of lines, restart interval; of JPEG-LS frame and parameters."""
_SAYING = frozenset((*range(0xE0, 0xF0), 0xFE))
"""Application data and comments."""
_DECODING = re.compile(
    rb"JFIF\0[\x00-\x09]{2}[\x00-\x02].{4}\0\0|Adobe.{6}[\x00-\x02]|mrfx[\x00-\x05]", re.DOTALL
)
"""Application data that decoders act on: density without a thumbnail, and transforms of colours."""


def beside(image: bytes) -> Iterator[Span]:
    """Give where comments and application data stand, and what follows the image's end.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When it is not built as an image.
    """
    position = len(START)
    while True:
        if image[position : position + 1] != b"\xff":
            raise broken()
        while image[position + 1 : position + 2] == b"\xff":
            position += 1
        marker = int.from_bytes(image[position + 1 : position + 2])
        position += 2
        if marker == _END:
            yield position, len(image)
            return
        if marker in _ALONE:
            continue
        length = int.from_bytes(image[position : position + 2])
        end = position + length
        if marker not in _OF_THE_IMAGE | _SAYING or length < 2 or end > len(image):  # noqa: PLR2004 - of the length itself
            raise broken()
        if marker in _SAYING and not _DECODING.fullmatch(image, position + 2, end):
            yield position + 2, end
        if marker == _SCAN:
            following = _MARKER.search(image, end)
            if following is None:
                raise broken()
            end = following.start()
        position = end
