"""The codestream in a JP2 file (ITU-T T.800, I), which some encoders put into Pixel Data as a whole.

DICOM knows the codestream alone (PS3.5, A.4.4); the boxes around it hold profiles, XML and anything else.
Without them the picture has the same samples. Where they say that samples are not what they seem, readers
differ, and nothing is taken off. Pure.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from agents.anonymization.surplus.spans import broken

START = b"\0\0\0\x0cjP  \r\n\x87\n"
_CODESTREAM, _HEADER, _COLOURS = b"jp2c", b"jp2h", b"colr"
_PLAIN = frozenset((b"ihdr", b"bpcc", b"res ", _COLOURS))
"""Boxes of the header that leave samples as they are; a palette and the order of channels don't."""
_HEAD, _LONG = 8, 16
_BOXES = 256
_ENUMERATED, _PROFILES = b"\1", (b"\2", b"\3")
"""Ways to say what colours are: by a number, by an ICC profile."""
_SPACES = frozenset((16, 17))
"""sRGB and grey: what the photometric interpretation says as well."""
_OF_PROFILES = frozenset((b"RGB ", b"GRAY"))


def codestream(image: bytes) -> bytes:
    """Give the codestream of a JP2 file.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When there is not one, or the file says that its samples are to be changed before they are shown.
    """
    found = []
    for kind, content in _boxes(image):
        if kind == _CODESTREAM:
            found.append(content)
        elif kind == _HEADER and not all(_is_plain(*box) for box in _boxes(content)):
            raise broken()
    if len(found) != 1:
        raise broken()
    return found[0]


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 0
    for _ in range(_BOXES):
        if len(content) - position < _HEAD:
            if any(content[position:]):
                raise broken()
            return
        length, kind = struct.unpack_from(">I4s", content, position)
        begin = position + _HEAD
        if length == 1 and len(content) - position >= _LONG:
            (length,) = struct.unpack_from(">Q", content, begin)
            begin = position + _LONG
        end = position + length if length else len(content)
        if not begin <= end <= len(content):
            raise broken()
        yield kind, content[begin:end]
        position = end
    raise broken()


def _is_plain(kind: bytes, content: bytes) -> bool:
    if kind != _COLOURS:
        return kind in _PLAIN
    if content[:1] == _ENUMERATED:
        return int.from_bytes(content[3:7]) in _SPACES
    return content[:1] in _PROFILES and content[19:23] in _OF_PROFILES
