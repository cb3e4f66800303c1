"""Key files: project keys, wrapped by a master key. The vault's keyring is one of them. Adapters.

A key file is small JSON (`gateway.wrapping`); its master key lies in a file of its own or comes from a
passphrase (`gateway.masters`). Losing either loses the way from originals to the pseudonyms that were given
out, so neither is ever replaced silently.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import msgspec

from gateway.identity import SECRET_BYTES, ProjectKey
from gateway.masters import Master, MasterFile, check_private, write
from gateway.wrapping import FORMAT, Keys, decoded, encoded, fingerprint, unwrapped, wrapped
from schemas.identity import ProjectId
from streams.durable import lasting_folder
from streams.errors import Damaged, Rejected, Unavailable

_MOST_BYTES = 1 << 20
"""Of a key file; what is larger is something else."""


class KeyFile:
    """The keys of projects in one file.

    Every method blocks, on the disk for milliseconds, with a passphrase for half a second: call it at the
    start, or in a thread. Each raises

    * `streams.errors.Rejected` when the files are damaged, a newer CHIPS's, open to others, or do not belong
      together; it says what to do;
    * `streams.errors.Unavailable` when they can't be read or written now.

    Parameters
    ----------
    file
        The key file; its folder is made (0700) when it is missing.
    master
        Gives the master key.
    """

    def __init__(self, file: Path, master: Master) -> None:
        self._file = file
        self._master = master

    def project_key(self, project: ProjectId) -> ProjectKey:
        """Give a project's key, made at its first use, durable before it is given."""
        msgspec.convert(project, ProjectId)
        with self._locked():
            keys, master = self._read() if self._file.exists() else self._create()
            found = keys.projects.get(project)
            if found is not None:
                return self._key(project, found, master)
            key = ProjectKey(project=project, secret=secrets.token_bytes(SECRET_BYTES))
            self._save(keys, master, {project: key.secret})
            return key

    def known_key(self, project: ProjectId) -> ProjectKey | None:
        """Give a project's key if it was made; None otherwise, and nothing is made.

        For readers of a vault: a key that they made, in a folder where the vault is not mounted yet, would
        fit none of its originals.
        """
        if not self._file.exists():
            return None
        with self._locked():
            keys, master = self._read()
            found = keys.projects.get(project)
            return self._key(project, found, master) if found else None

    def only_key(self) -> ProjectKey:
        """Give the key of the file's one project."""
        with self._locked():
            keys, master = self._read()
        if len(keys.projects) != 1:
            names = ", ".join(sorted(keys.projects)) or "no project"
            raise Rejected(f"{self._file} has keys of {names}: name the project whose key it is.")
        ((project, found),) = keys.projects.items()
        return self._key(project, found, master)

    def rotate(self) -> None:
        """Make a new master key and wrap every project key with it; the project keys stay.

        A crash at any point leaves one master key that fits.
        """
        with self._locked():
            keys, old = self._read()
            clear = {
                project: unwrapped(found, old, str(self._file)) for project, found in keys.projects.items()
            }
            made = self._master.make()
            empty = Keys(format=FORMAT, master=fingerprint(made.secret), projects={}, scrypt=made.scrypt)
            self._save(empty, made.secret, clear)
            self._master.settle()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one process at a time make or change keys; a read-only disk has none to wait for."""
        try:
            lasting_folder(self._file.parent, 0o700)
            try:
                handle = os.open(
                    self._file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
                )
            except OSError as error:
                if error.errno != errno.EROFS:
                    raise
                yield
                return
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)
        except OSError as error:
            raise Unavailable(
                f"The keyring {self._file} can't be used: {error.strerror}. Check its folder's owner, rights "
                "and free space."
            ) from error

    def _read(self) -> tuple[Keys, bytes]:
        keys = _content(self._file)
        return keys, self._master.of(keys, str(self._file))

    def _create(self) -> tuple[Keys, bytes]:
        made = self._master.first(str(self._file))
        empty = Keys(format=FORMAT, master=fingerprint(made.secret), projects={}, scrypt=made.scrypt)
        keys = self._save(empty, made.secret, {})
        self._master.settle()
        return keys, made.secret

    def _save(self, keys: Keys, master: bytes, add: dict[str, bytes]) -> Keys:
        more = {name: wrapped(secret, master) for name, secret in add.items()}
        saved = msgspec.structs.replace(keys, projects=keys.projects | more)
        write(self._file, encoded(saved))
        return saved

    def _key(self, project: str, found: str, master: bytes) -> ProjectKey:
        return ProjectKey(project=project, secret=unwrapped(found, master, str(self._file)))


class Keyring(KeyFile):
    """The vault's key file, ``keys.json``.

    Parameters
    ----------
    vault
        The vault's folder.
    master
        File of the master key; None: ``master.key`` in the vault, made at first use.
    """

    def __init__(self, vault: Path, master: Path | None = None) -> None:
        super().__init__(vault / "keys.json", MasterFile(master or vault / "master.key", own=master is None))


def asks_passphrase(file: Path) -> bool:
    """Tell whether a key file is wrapped by a passphrase; raises as `KeyFile`, and when there is none."""
    if not file.exists():
        raise Rejected(f"There is no {file}: `chips keys new {file}` makes it.")
    try:
        return _content(file).scrypt is not None
    except OSError as error:
        raise Unavailable(f"{file} can't be read: {error.strerror}.") from error


def _content(file: Path) -> Keys:
    check_private(file)
    with file.open("rb") as stream:
        content = stream.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise Damaged(f"{file} is no key file: it is far too large.")
    return decoded(content, str(file))
