"""The format of a key file, and how keys are wrapped in it. Pure.

Each project's key is wrapped by a master key with AES key wrap (RFC 3394). The master key is random and lies
in a file of its own, or is made of a passphrase with scrypt (RFC 7914), whose parameters the key file has.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import unicodedata
from typing import Annotated, Final

import msgspec
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from schemas.identity import ProjectId
from streams.errors import Damaged, NewerFormat

MASTER_BYTES = 32
FORMAT: Final = 1
"""The format of key files that this CHIPS reads and writes."""

SALT_BYTES = 16
_BLOCK = 8
"""scrypt's r; with it N = 2**17 takes 128 MiB and half a second."""


class Scrypt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a master key is made of a passphrase.

    Attributes
    ----------
    salt
        Hex.
    log2_n
        Cost: memory in units of 1 KiB, as a power of two.
    """

    salt: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
    log2_n: Annotated[int, msgspec.Meta(ge=14, le=20)] = 17

    def master(self, passphrase: str) -> bytes:
        """Give the master key; takes half a second. The same text gives it however it was typed (NFC)."""
        text = unicodedata.normalize("NFC", passphrase).encode()
        n = 1 << self.log2_n
        return hashlib.scrypt(
            text,
            salt=bytes.fromhex(self.salt),
            n=n,
            r=_BLOCK,
            p=1,
            maxmem=2 * 128 * n * _BLOCK,
            dklen=MASTER_BYTES,
        )


class Keys(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The content of a key file."""

    format: Annotated[int, msgspec.Meta(ge=1)]
    master: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}$")]
    """Fingerprint of the master key that wraps."""
    projects: dict[ProjectId, str]
    """Wrapped keys, base64."""
    scrypt: Scrypt | None = None
    """How the master key is made of a passphrase; None: it lies in a file."""


class _Stamp(msgspec.Struct, frozen=True):
    """What a key file has in every format."""

    format: int


def decoded(content: bytes, name: str) -> Keys:
    """Read a key file's content; `name` is for the message.

    Raises
    ------
    streams.errors.NewerFormat
        When a newer CHIPS wrote it.
    streams.errors.Damaged
        When it is no key file, or no whole one.
    """
    try:
        found = msgspec.json.decode(content, type=_Stamp).format
        if found > FORMAT:
            raise NewerFormat(
                f"{name} has format {found}, this CHIPS knows {FORMAT}: run the CHIPS that wrote it, or a "
                "newer one."
            )
        return msgspec.json.decode(content, type=Keys)
    except msgspec.DecodeError as error:
        raise Damaged(
            f"{name} is no key file, or a damaged one: name the right one, or restore it from a backup. "
            "Never make it anew: other keys give other pseudonyms."
        ) from error


def encoded(keys: Keys) -> bytes:
    """Give a key file's content."""
    return msgspec.json.format(msgspec.json.encode(keys), indent=2) + b"\n"


def wrapped(secret: bytes, master: bytes) -> str:
    """Wrap a project's key."""
    return base64.b64encode(aes_key_wrap(master, secret)).decode()


def unwrapped(text: str, master: bytes, name: str) -> bytes:
    """Give a project's key; raises `streams.errors.Damaged` when it was not wrapped by this master key."""
    try:
        return aes_key_unwrap(master, base64.b64decode(text, validate=True))
    except (InvalidUnwrap, binascii.Error, ValueError) as error:
        raise Damaged(f"A key in {name} can't be unwrapped: restore the file from a backup.") from error


def fingerprint(master: bytes) -> str:
    """Give what tells one master key from another."""
    return hashlib.sha256(b"chips/1/master" + master).hexdigest()[:16]
