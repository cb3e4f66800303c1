"""What makes bytes and names outlive a power loss. All of it blocks.

A file's bytes and its name are two things: the name lies in its folder, which has a name of its own, up to
the root of the file system. Whoever promises that a file lasts has synced all of them.
"""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

_FULL_SYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)
"""macOS, where fsync leaves bytes in the drive's cache (fsync(2) there)."""
_NOT_THERE = frozenset((errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOTTY))


def sync(fd: int) -> None:
    """Make what was written to a file, or named in a folder, outlive a power loss.

    Raises
    ------
    OSError
        When the disk failed. What was written before is unknown then, and trying again proves nothing.
    """
    if _FULL_SYNC is not None:
        try:
            fcntl.fcntl(fd, _FULL_SYNC)
        except OSError as error:
            if error.errno not in _NOT_THERE:  # some file systems have fsync alone
                raise
        else:
            return
    os.fsync(fd)


def sync_file(file: Path) -> None:
    """Make a file's bytes last, whoever wrote them; raises as `sync`."""
    _sync(file, os.O_RDONLY)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last; raises as `sync`."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def lasting_folder(folder: Path, mode: int = 0o777) -> None:
    """Make a folder and those above it that are missing, and make all their names last.

    Names that were there are synced, too: who made them may have died before. That ends at the border of the
    file system, and at a folder that we may not read, for that is its owner's.

    Parameters
    ----------
    mode
        Of the folder alone, less the umask; those above have the system's.

    Raises
    ------
    OSError
        When it can't be made or synced.
    """
    folder.mkdir(mode=mode, parents=True, exist_ok=True)
    device = folder.stat().st_dev
    for above in folder.resolve().parents:
        if above.stat().st_dev != device:
            return
        try:
            sync_folder(above)
        except PermissionError:
            return


def _sync(path: Path, flags: int) -> None:
    fd = os.open(path, flags | os.O_CLOEXEC)
    try:
        sync(fd)
    finally:
        os.close(fd)
