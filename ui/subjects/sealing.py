"""Sealing and opening with AES-SIV (RFC 5297), for texts and for the keys that seal them. Pure.

Deterministic on purpose: a command that is sent again seals to the same bytes, and there is no nonce that
several machines could use twice. Who reads the log learns how long a text is, and when a comment was edited
back to what it was; what is bound into each text keeps anything else apart.
"""

from __future__ import annotations

import base64
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from schemas.sealed import PREFIX

KEY_BYTES = 64
"""A key, bytes: AES-256 for the synthetic IV, and AES-256 for the encryption."""

_TEXT = b"chips/1/comment"
_KEY = b"chips/1/subject-key"


class Unreadable(ValueError):  # noqa: N818 - named for what it is, as `InvalidEvent`
    """Sealed bytes that this key does not open here: damaged, moved, or sealed with another key."""


class Place(NamedTuple):
    """Where a text belongs; it opens nowhere else. `subject` is the account id of who wrote it."""

    project: str
    feed: str
    comment: str
    subject: str


def new_key() -> bytes:
    """Make a key. The one function here that takes chance."""
    return AESSIV.generate_key(KEY_BYTES * 8)


def seal(key: bytes, place: Place, text: str) -> str:
    """Seal a text that is not empty; the same text at the same place under the same key seals alike."""
    sealed = AESSIV(key).encrypt(text.encode(), [_TEXT, *_bound(place)])
    return PREFIX + base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def unseal(key: bytes, place: Place, sealed: str) -> str:
    """Open a sealed text.

    Raises
    ------
    Unreadable
        When it was not sealed with this key for this place.
    """
    encoded = sealed.removeprefix(PREFIX)
    try:
        raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        return AESSIV(key).decrypt(raw, [_TEXT, *_bound(place)]).decode()
    except (InvalidTag, ValueError) as error:
        raise Unreadable("a text does not open with its author's key") from error


def wrap(wrapping: bytes, subject: str, key: bytes) -> bytes:
    """Wrap a subject's key."""
    return AESSIV(wrapping).encrypt(key, [_KEY, subject.encode()])


def unwrap(wrapping: bytes, subject: str, wrapped: bytes) -> bytes:
    """Unwrap a subject's key.

    Raises
    ------
    Unreadable
        When it was not wrapped with this key for this subject.
    """
    try:
        return AESSIV(wrapping).decrypt(wrapped, [_KEY, subject.encode()])
    except (InvalidTag, ValueError) as error:
        raise Unreadable("a subject's key does not unwrap") from error


def _bound(place: Place) -> list[bytes]:
    # Each part is authenticated by itself (S2V takes a vector), so that no two places read alike.
    return [part.encode() for part in place]
