"""A word as it looks backwards, or with the two bytes of each 16-bit word in the other order. Pure."""

from __future__ import annotations

from collections.abc import Iterator

ANYWHERE = 7
"""Characters of what is looked for among others; what is shorter is part of medical words by chance."""
_SHORTEST = 5
"""Characters of what is looked for as a word of its own."""
_DIFFERENT = 3
"""Characters that differ: zeros look the same from both ends."""


def disguises(key: str) -> Iterator[str]:
    """Give what a key of letters and digits looks like, as far as it does whatever stands around it.

    Swapped, a character at either end may stand apart: with what is before or behind the key.
    """
    if not key.isascii():
        return
    for found in (key[::-1], _swapped(key), _swapped(key[1:])):
        if len(found) >= _SHORTEST and len(set(found)) >= _DIFFERENT:
            yield found


def _swapped(text: str) -> str:
    return "".join(text[at + 1] + text[at] for at in range(0, len(text) - 1, 2))
