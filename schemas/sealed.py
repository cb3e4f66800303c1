"""Sealed texts: what a person wrote as themselves, as it travels and rests. Pure.

The page's server holds the keys (`ui.subjects`): it seals what comes in and opens what goes out. Everybody
else passes on what they can't read.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec

PREFIX: Final = "sealed:1:"
"""What a sealed text begins with: the sort and the version of its making."""

MAX_CLEAR: Final = 8000
"""Characters of a text before it is sealed; whoever seals sees to it."""

TAG_BYTES: Final = 16
"""What sealing adds, bytes: the synthetic IV of RFC 5297."""

MAX_SEALED: Final = len(PREFIX) + -(-(4 * MAX_CLEAR + TAG_BYTES) * 4 // 3)
"""Characters of a sealed text: base64 of at most four bytes a character. An event has room for it."""

_LEAST: Final = -(-(1 + TAG_BYTES) * 4 // 3)

SealedText = Annotated[
    str, msgspec.Meta(pattern=rf"^{PREFIX}[A-Za-z0-9_-]{{{_LEAST},}}$(?!\n)", max_length=MAX_SEALED)
]
"""A sealed text: the prefix and base64url without padding."""

_SEALED: Final = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{{_LEAST},{MAX_SEALED - len(PREFIX)}}}")


def is_sealed(text: str) -> bool:
    """Tell whether a text is a `SealedText`; only who has its key can tell whether it opens."""
    return _SEALED.fullmatch(text) is not None
