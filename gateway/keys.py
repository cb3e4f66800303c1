"""The keyring: project keys, wrapped by a master key, in the vault. An adapter to two small files.

`keys.json` holds each project's key wrapped with AES key wrap (RFC 3394); the master key lies in a file of
its own, ``master.key`` in the vault or wherever the operator puts it. Losing either loses the way from
originals to the pseudonyms that were given out, so neither is ever replaced silently.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from gateway.identity import SECRET_BYTES, ProjectKey
from schemas.identity import ProjectId
from streams.durable import lasting_folder, sync, sync_folder
from streams.errors import Damaged, Misconfigured, NewerFormat, Unavailable

_MASTER_BYTES = 32


FORMAT: Final = 1
"""The format of ``keys.json`` that this CHIPS reads and writes."""


class _Stamp(msgspec.Struct, frozen=True):
    """What ``keys.json`` has in every format."""

    format: int


class _Keys(msgspec.Struct, frozen=True, kw_only=True):
    """The content of ``keys.json``."""

    format: Literal[1] = FORMAT
    master: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}$")]
    """Fingerprint of the master key that wraps."""
    projects: dict[ProjectId, str]
    """Wrapped keys, base64."""


class Keyring:
    """The keys of all projects.

    Parameters
    ----------
    vault
        The vault's folder; made (0700) when it is missing.
    master
        File of the master key; None: ``master.key`` in the vault, made at first use.
    """

    def __init__(self, vault: Path, master: Path | None = None) -> None:
        self._vault = vault
        self._file = vault / "keys.json"
        self._own_master = master is None
        self._master = master or vault / "master.key"

    def project_key(self, project: ProjectId) -> ProjectKey:
        """Give a project's key, made at its first use, durable before it is given.

        Blocks on the disk for a few milliseconds: call it at the start, or in a thread.

        Raises
        ------
        streams.errors.Rejected
            When the files are damaged, a newer CHIPS's, open to others, or do not belong together; says what
            to do.
        streams.errors.Unavailable
            When they can't be read or written now.
        """
        msgspec.convert(project, ProjectId)
        with self._locked():
            keys, master = self._load()
            wrapped = keys.projects.get(project)
            if wrapped is not None:
                return ProjectKey(project=project, secret=self._unwrap(wrapped, master))
            key = ProjectKey(project=project, secret=secrets.token_bytes(SECRET_BYTES))
            self._save(keys, master, {project: key.secret})
            return key

    def known_key(self, project: ProjectId) -> ProjectKey | None:
        """Give a project's key if it was made; None otherwise, and nothing is made.

        For readers of a vault: a key that they made, in a folder where the vault is not mounted yet, would
        fit none of its originals. Blocks and raises as `project_key`.
        """
        if not self._file.exists():
            return None
        with self._locked():
            keys, master = self._load()
            wrapped = keys.projects.get(project)
            return ProjectKey(project=project, secret=self._unwrap(wrapped, master)) if wrapped else None

    def rotate(self) -> None:
        """Make a new master key and wrap every project key with it; the project keys stay.

        A crash at any point leaves one master key that fits: `_load` finishes what was begun.
        """
        with self._locked():
            keys, old = self._load()
            clear = {project: self._unwrap(wrapped, old) for project, wrapped in keys.projects.items()}
            new = secrets.token_bytes(_MASTER_BYTES)
            _write(self._next, new.hex().encode() + b"\n")
            self._save(_Keys(master=_fingerprint(new), projects={}), new, clear)
            self._next.replace(self._master)
            sync_folder(self._master.parent)

    @property
    def _next(self) -> Path:
        return self._master.with_name(self._master.name + ".next")

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one process at a time make or change keys."""
        try:
            lasting_folder(self._vault, 0o700)
            handle = os.open(self._vault / "keys.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)
        except OSError as error:
            raise Unavailable(
                f"The keyring in {self._vault} can't be used: {error.strerror}. Check the folder's owner, "
                "rights and free space."
            ) from error

    def _load(self) -> tuple[_Keys, bytes]:
        if not self._file.exists():
            return self._create()
        _private(self._file)
        try:
            content = self._file.read_bytes()
            found = msgspec.json.decode(content, type=_Stamp).format
            if found > FORMAT:
                raise NewerFormat(
                    f"{self._file} has format {found}, this CHIPS knows {FORMAT}: run the CHIPS that wrote "
                    "it, or a newer one."
                )
            keys = msgspec.json.decode(content, type=_Keys)
        except msgspec.DecodeError as error:
            raise Damaged(
                f"{self._file} is damaged: restore it from a backup, never make it anew."
            ) from error
        for file in (self._master, self._next):
            if file.exists():
                master = _read_master(file)
                if _fingerprint(master) == keys.master:
                    if file == self._next:
                        self._next.replace(self._master)
                        sync_folder(self._master.parent)
                    return keys, master
        if not keys.projects and not self._master.exists():
            # A crash between the two files of the first use: nothing was wrapped yet.
            return self._create()
        raise Damaged(
            f"{self._master} is missing or is not the master key that wrapped {self._file}: "
            "restore it from a backup."
        )

    def _create(self) -> tuple[_Keys, bytes]:
        if self._master.exists():
            if self._own_master:
                raise Damaged(
                    f"{self._file} is missing beside its master key: restore it from a backup. "
                    f"Only for an empty vault, remove {self._master} and start anew."
                )
            master = _read_master(self._master)
            keys = _Keys(master=_fingerprint(master), projects={})
            return self._save(keys, master, {}), master
        master = secrets.token_bytes(_MASTER_BYTES)
        # keys.json goes first: with no project in it, a crash before the master key loses nothing.
        keys = self._save(_Keys(master=_fingerprint(master), projects={}), master, {})
        _write(self._master, master.hex().encode() + b"\n")
        return keys, master

    def _save(self, keys: _Keys, master: bytes, add: dict[str, bytes]) -> _Keys:
        wrapped = {
            name: base64.b64encode(aes_key_wrap(master, secret)).decode() for name, secret in add.items()
        }
        saved = msgspec.structs.replace(keys, projects=keys.projects | wrapped)
        _write(self._file, msgspec.json.format(msgspec.json.encode(saved), indent=2) + b"\n")
        return saved

    def _unwrap(self, wrapped: str, master: bytes) -> bytes:
        try:
            return aes_key_unwrap(master, base64.b64decode(wrapped, validate=True))
        except (InvalidUnwrap, binascii.Error, ValueError) as error:
            raise Damaged(
                f"A key in {self._file} can't be unwrapped: restore the file from a backup."
            ) from error


def _fingerprint(master: bytes) -> str:
    return hashlib.sha256(b"chips/1/master" + master).hexdigest()[:16]


def _read_master(file: Path) -> bytes:
    _private(file)
    try:
        master = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except ValueError:
        master = b""
    if len(master) != _MASTER_BYTES:
        raise Damaged(f"{file} is no master key (64 hex digits): restore it from a backup.")
    return master


def _private(file: Path) -> None:
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise Misconfigured(f"Others can read {file}: chmod 600 it, and think of rotating its keys.")


def _write(file: Path, content: bytes) -> None:
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
