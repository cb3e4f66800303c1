"""Files that appear whole or not at all, in OUT and in the quarantine's folder. An adapter; all of it blocks.

What is being written lies in a hidden folder and is renamed into its place. One run at a time writes to a
folder, so that between looking whether a name is free and taking it nobody else can.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import itertools
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TypeVar

from streams.copying import Unreadable
from streams.durable import lasting_folder, sync, sync_file, sync_folder
from streams.errors import NoSpace, Rejected, Unavailable

T = TypeVar("T")

PARTIAL = ".chips-partial"
_LOCK = "lock"
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT))


class Taken(Exception):  # noqa: N818 - a finding that the caller tells
    """Another file has the output's name: it is never overwritten."""


class Claim:
    """A folder, made when it is missing, that one run writes to; what a killed one left is swept.

    Parameters
    ----------
    private
        Make it for its owner alone.

    Raises
    ------
    streams.errors.Rejected
        When another run holds it.
    streams.errors.Unavailable
        When it can't be written to.
    """

    def __init__(self, folder: Path, *, private: bool = False) -> None:
        self._partial = folder / PARTIAL
        try:
            lasting_folder(folder, 0o700 if private else 0o777)
            self._partial.mkdir(mode=0o700, exist_ok=True)
            self._fd = os.open(self._partial / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise unwritable(folder, error) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._fd)
            raise Rejected(f"Another run writes to {folder}: wait for it.") from None
        for left in self._partial.iterdir():
            if left.name != _LOCK:
                left.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        shutil.rmtree(self._partial, ignore_errors=True)
        os.close(self._fd)


class Outputs:
    """A claimed folder, as one process writes to it.

    Every method raises `streams.errors.NoSpace` or `streams.errors.Unavailable` when the folder does not take
    what is written.

    Parameters
    ----------
    folder
        The folder.
    mode
        Of files, less the umask.
    each
        Whether each file is synced before it gets its name; else `sync_all` does it at the end.
    """

    def __init__(self, folder: Path, *, mode: int = 0o666, each: bool = False) -> None:
        self._folder = folder
        self._mode = mode
        self._each = each
        self._numbers = itertools.count()

    def has(self, path: str, sha256: str) -> bool:
        """Tell whether a file is there already; raises `Taken` when its name has other content."""
        final = self._folder / path
        try:
            if not final.exists():
                return False
            if _sha256(final) != sha256:
                raise Taken
        except OSError as error:
            raise unwritable(self._folder, error) from error
        return True

    def stage(self, fill: Callable[[BinaryIO], T]) -> tuple[str, T]:
        """Write a file that waits among the partial ones; gives its name there, and what `fill` gave.

        Parameters
        ----------
        fill
            Writes the content. Its errors are the folder's, but for `streams.copying.Unreadable`, which is
            raised as it is.
        """
        partial = self.partial(f"{os.getpid()}-{next(self._numbers)}")
        try:
            fd = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, self._mode)
            try:
                with os.fdopen(fd, "wb") as stream:
                    result = fill(stream)
                    stream.flush()
                    if self._each:
                        sync(stream.fileno())
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
        except Unreadable:
            raise
        except OSError as error:
            raise unwritable(self._folder, error) from error
        return partial.name, result

    def discard(self, name: str) -> None:
        """Remove a file that waits."""
        self.partial(name).unlink(missing_ok=True)

    def partial(self, name: str) -> Path:
        """Give where a file waits."""
        return self._folder / PARTIAL / name

    def publish(self, name: str, path: str) -> None:
        """Give a file that waits its path; what has it already is replaced."""
        final = self._folder / path
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
            self.partial(name).replace(final)
            if self._each:
                lasting_folder(final.parent)
                sync_folder(final.parent)
        except OSError as error:
            raise unwritable(self._folder, error) from error


def sync_all(folder: Path, paths: Iterable[str]) -> None:
    """Make files and their names last.

    Raises
    ------
    streams.errors.Unavailable
        When the disk lost one.
    """
    os.sync()  # one flush for all; what follows finds nothing left to write, and what the disk failed at
    above = None
    try:
        for path in paths:
            file = folder / path
            sync_file(file)
            if file.parent != above:
                above = file.parent
                for one in (above, above.parent, above.parent.parent, folder):
                    sync_folder(one)
    except OSError as error:
        raise unwritable(folder, error) from error


def unwritable(folder: Path, error: OSError) -> NoSpace | Unavailable:
    """Give what to tell when a folder does not take what is written."""
    if error.errno in _FULL:
        return NoSpace(
            f"The disk of {folder} is full: make room and run the same command again. It goes on where it "
            "was."
        )
    return Unavailable(f"{folder} can't be written to: {error.strerror}.")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
