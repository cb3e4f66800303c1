"""What looks like words or numbers in bytes that are no text. Pure."""

from __future__ import annotations

import re

# A name of fewer letters occurs by chance.
_LETTERS = re.compile(rb"[A-Za-z](?:[\^ ,.=-]?[A-Za-z]){5,63}|[0-9]{6,16}")
_MOST = 1 << 17
"""Different ones: a gigabyte of an image has as many by chance."""


def letters(content: bytes | memoryview) -> set[bytes] | None:
    """Give them, each once; None: more than an image or a curve has."""
    found: set[bytes] = set()
    for match in _LETTERS.finditer(content):
        found.add(match[0])
        if len(found) > _MOST:
            return None
    return found
