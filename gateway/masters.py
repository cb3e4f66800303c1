"""Where the master key of a key file comes from: a file of its own, or a passphrase. Adapters.

A new master key comes in three steps, so that a crash at any point leaves one that fits: `make` puts it
where it lasts beside the old one, the key file is saved, `settle` lets it take the old one's place.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import NamedTuple, Protocol

from gateway.wrapping import MASTER_BYTES, SALT_BYTES, Keys, Scrypt, fingerprint
from streams.durable import lasting_folder, sync, sync_folder
from streams.errors import Damaged, Misconfigured, Rejected


class Made(NamedTuple):
    """A new master key; `scrypt` when it comes from a passphrase."""

    secret: bytes
    scrypt: Scrypt | None = None


class Master(Protocol):
    """Gives and makes the master key of one key file."""

    def of(self, keys: Keys, name: str) -> bytes:
        """Give the master key that wraps `keys`, the content of the file `name`."""
        ...

    def first(self, name: str) -> Made:
        """Give the master key of a key file that is made now."""
        ...

    def make(self) -> Made:
        """Make another master key, lasting on return; it counts from `settle` on."""
        ...

    def settle(self) -> None:
        """Put what was made in the old one's place."""
        ...


class MasterFile:
    """A random master key in a file.

    Parameters
    ----------
    file
        64 hex digits.
    own
        Whether the key file alone uses it; an operator may bring one for several.
    """

    def __init__(self, file: Path, *, own: bool = True) -> None:
        self.file = file
        self._next = file.with_name(file.name + ".next")
        self._own = own

    def of(self, keys: Keys, name: str) -> bytes:
        """Give the master key, finishing what a crash interrupted; raises `Damaged`, `Misconfigured`."""
        if keys.scrypt is not None:
            raise Rejected(f"{name} is wrapped by a passphrase: give it.")
        for file in (self.file, self._next):
            if file.exists():
                master = _read_master(file)
                if fingerprint(master) == keys.master:
                    if file == self._next:
                        self.settle()
                    return master
        if not self.file.exists():
            raise Damaged(f"{self.file}, the master key of {name}, is missing: restore it from a backup.")
        raise Damaged(f"{self.file} is not the master key that wrapped {name}: restore it from a backup.")

    def first(self, name: str) -> Made:
        """Make one, or take the one that was brought."""
        if not self.file.exists():
            return self.make()
        if self._own:
            raise Damaged(
                f"{name} is missing beside its master key: restore it from a backup. "
                f"Only where nothing was made with it, remove {self.file} and start anew."
            )
        return Made(_read_master(self.file))

    def make(self) -> Made:
        """Write one beside the old one."""
        made = secrets.token_bytes(MASTER_BYTES)
        write(self._next, made.hex().encode() + b"\n")
        return Made(made)

    def settle(self) -> None:
        """Rename it; nothing to do for one that was brought."""
        if self._next.exists():
            self._next.replace(self.file)
            sync_folder(self.file.parent)


class Passphrase:
    """A master key made of a passphrase.

    Parameters
    ----------
    text
        The passphrase.
    new
        What it is changed to by a rotation; None: the passphrase stays, its salt is new.
    """

    def __init__(self, text: str, new: str | None = None) -> None:
        self._text = text
        self._new = new

    def of(self, keys: Keys, name: str) -> bytes:
        """Give the master key; raises `Rejected` when the passphrase is another one."""
        if keys.scrypt is None:
            raise Rejected(f"{name} is wrapped by a master key in a file, not by a passphrase.")
        master = keys.scrypt.master(self._text)
        if fingerprint(master) != keys.master:
            raise Rejected(f"This is not the passphrase of {name}: try again.")
        return master

    def first(self, name: str) -> Made:  # noqa: ARG002 - a master in a file needs it
        """Make the first one."""
        return self._of(self._text)

    def make(self) -> Made:
        """Make one of the new passphrase, with a salt of its own."""
        return self._of(self._text if self._new is None else self._new)

    def settle(self) -> None:
        """Nothing to do: the key file itself has the salt."""

    def _of(self, text: str) -> Made:
        scrypt = Scrypt(salt=secrets.token_hex(SALT_BYTES))
        return Made(scrypt.master(text), scrypt)


def check_private(file: Path) -> None:
    """Raise `Misconfigured` when others than the owner can read or change a file."""
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise Misconfigured(f"Others can read {file}: chmod 600 it, and think of rotating its keys.")


def write(file: Path, content: bytes) -> None:
    """Put content under a name, whole or not at all, durable on return, readable by the owner only."""
    lasting_folder(file.parent, 0o700)
    partial = file.with_name(f".{file.name}.partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        sync(stream.fileno())
    partial.replace(file)
    sync_folder(file.parent)


def _read_master(file: Path) -> bytes:
    check_private(file)
    try:
        master = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except ValueError:
        master = b""
    if len(master) != MASTER_BYTES:
        raise Damaged(f"{file} is no master key (64 hex digits): restore it from a backup.")
    return master
