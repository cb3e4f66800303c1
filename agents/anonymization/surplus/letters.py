"""What looks like words or numbers in bytes that are no text. Pure."""

from __future__ import annotations

import re

# A name of fewer letters occurs by chance.
_LETTERS = re.compile(rb"[A-Za-z](?:[\^ ,.=-]?[A-Za-z]){5,63}|[0-9]{6,16}")
MOST = 1 << 20
"""Bytes of different ones: a gigabyte of an image has as many by chance."""
_APART = b"\n" * 8
"""No name goes from one to the next across it."""


def letters(content: bytes | memoryview, most: int = MOST) -> bytes | None:
    """Give them as one text, each once and apart; None: more than `most`, the bytes that an image has."""
    found: dict[bytes, None] = {}
    size = 0
    for match in _LETTERS.finditer(content):
        if match[0] not in found:
            found[match[0]] = None
            size += len(match[0])
            if size > most:
                return None
    return _APART.join(found)
