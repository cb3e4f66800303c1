"""Blobs: bytes under their own sha256, in folders of their project. Used for the vault and the outer store.

What `Blobs.put` writes is durable before its name exists: temporary file, fsync, rename, fsync of the folder.
So a partial file is never seen under a blob's name, whatever dies when. All of it is synchronous; on an event
loop use ``asyncio.to_thread``.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from schemas.identity import BlobRef
from streams.durable import lasting_folder, sync, sync_folder
from streams.errors import NoSpace, Poison, Unavailable

CHUNK = 1 << 20
_PROJECT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FULL = {errno.ENOSPC, errno.EDQUOT}


class Missing(Poison):
    """A blob that something refers to is not there."""


class Blobs:
    """Content-addressed files: ``root/<project>/<first two digits>/<sha256>``.

    Parameters
    ----------
    root
        Its folder; made with the first blob.
    private
        True for the vault: files 0600 and folders 0700. Otherwise 0640 and 2770, so that the two zones, which
        are two users, share the folder by its group.
    """

    def __init__(self, root: Path, *, private: bool = False) -> None:
        self.root = root
        self._tmp = root / "tmp"
        self._lasting: set[Path] = set()
        """Folders whose names are known to last: at most 258 a project."""
        self._file_mode, self._folder_mode = (0o600, 0o700) if private else (0o640, 0o2770)

    def put(self, project: str, data: bytes | Path | Iterable[bytes], media_type: str) -> BlobRef:
        """Store bytes, the content of a file, or chunks; durable when it returns. Again changes nothing.

        Raises
        ------
        NoSpace
            When the disk is full; nothing of it remains.
        Unavailable
            When the disk fails otherwise.
        ValueError
            When the project is no project id.
        """
        folder = self._project(project)
        try:
            self._make(self._tmp)
            partial = self._tmp / f"{os.getpid()}-{uuid.uuid4().hex}"
            try:
                digest, size = self._write(partial, _chunks(data))
                final = folder / digest[:2] / digest
                self._make(final.parent)
                partial.replace(final)
            finally:
                partial.unlink(missing_ok=True)
            sync_folder(final.parent)
        except OSError as error:
            raise explain(error, self.root) from error
        return BlobRef(sha256=digest, size=size, media_type=media_type)

    def path(self, project: str, blob: BlobRef | str) -> Path:
        """Give the file of a blob, named by its reference or sha256.

        Raises
        ------
        Missing
            When there is no such blob.
        Unavailable
            When the whole folder is away, as when it is not mounted.
        ValueError
            When it is no project id or no sha256.
        """
        file = self._file(project, blob)
        if file.is_file():
            return file
        if not self.root.is_dir():
            raise Unavailable(f"The blob folder {self.root} is not there: mount it, or correct the settings")
        raise Missing(f"No blob {file.name} in project {project}: restore it, or release what refers to it")

    def open(self, project: str, blob: BlobRef | str) -> BinaryIO:
        """Open a blob for reading; raises as `path` does."""
        return self.path(project, blob).open("rb")

    def exists(self, project: str, blob: BlobRef | str) -> bool:
        """Tell whether a blob is there."""
        return self._file(project, blob).is_file()

    def sweep_tmp(self, older_than_s: float = 3600.0) -> int:
        """Remove what writers that died left behind; return how many files. No blob is touched.

        Safe while others write: a file that grows is young. One that was taken from a writer all the same
        makes its `put` raise `Unavailable`, and nothing is lost but the try.

        Parameters
        ----------
        older_than_s
            Age from which a temporary file is taken for abandoned, s: longer than a write pauses.
        """
        before = time.time() - older_than_s
        removed = 0
        for file in self._tmp.glob("*"):
            try:
                if file.stat().st_mtime < before:
                    file.unlink()
                    removed += 1
            except FileNotFoundError:  # its writer finished, or another sweeper was first
                continue
            except PermissionError:  # another zone's, which has a sweeper of its own
                continue
        return removed

    def _project(self, project: str) -> Path:
        if not _PROJECT.fullmatch(project) or project == self._tmp.name:
            raise ValueError(f"{project!r} is not a project id: lower case letters, digits and dashes")
        return self.root / project

    def _file(self, project: str, blob: BlobRef | str) -> Path:
        digest = blob if isinstance(blob, str) else blob.sha256
        if not _DIGEST.fullmatch(digest):
            raise ValueError("Not a sha256: 64 lower case hexadecimal digits")
        return self._project(project) / digest[:2] / digest

    def _write(self, partial: Path, chunks: Iterator[bytes]) -> tuple[str, int]:
        hashed, size = hashlib.sha256(), 0
        with partial.open("xb") as file:
            os.fchmod(file.fileno(), self._file_mode)
            for chunk in chunks:
                hashed.update(chunk)
                size += file.write(chunk)
            file.flush()
            sync(file.fileno())
        return hashed.hexdigest(), size

    def _make(self, folder: Path) -> None:
        """Make a folder and those above it within the root, durable and with our mode, whatever the umask.

        A folder that was there is synced, too, once: who made it may have died before.
        """
        if folder in self._lasting and folder.is_dir():
            return
        if folder == self.root:
            lasting_folder(folder.parent)
        else:
            self._make(folder.parent)
        with contextlib.suppress(FileExistsError):  # another writer was first
            folder.mkdir()
            folder.chmod(self._folder_mode)
        sync_folder(folder.parent)
        self._lasting.add(folder)


def _chunks(data: bytes | Path | Iterable[bytes]) -> Iterator[bytes]:
    if isinstance(data, bytes):
        yield data
    elif isinstance(data, Path):
        with data.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    else:
        yield from data


def explain(error: OSError, root: Path, what: str = "blobs") -> Unavailable:
    """Say in a family of ours why something can't be written below a folder."""
    if error.errno in _FULL:
        return NoSpace(f"No space for {what} in {root}: make room, then try again")
    return Unavailable(f"Cannot write {what} in {root}: {error.strerror}. Correct the folder or the disk.")
