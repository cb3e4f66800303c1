"""Files on their way in: without a name where the system can, so that nothing of one outlives its process."""

from __future__ import annotations

import errno
import os
import uuid
from pathlib import Path

_OPEN = Path("/proc/self/fd")
_NAMELESS: int | None = getattr(os, "O_TMPFILE", None) if _OPEN.is_dir() else None
"""Linux."""
_NOT_HERE = frozenset((errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL))
"""What a file system or kernel says that knows no files without a name."""
_OWNERS_ALONE = 0o600


def begin(folder: Path) -> tuple[int, Path]:
    """Open a new file on a folder's file system.

    Returns
    -------
    tuple of int and Path
        Descriptor for writing, and a path by which it is read and linked while that is open: of the folder,
        or a way to the descriptor.

    Raises
    ------
    OSError
        When it can't be made.
    """
    if _NAMELESS is not None:
        try:
            fd = os.open(folder, os.O_WRONLY | os.O_CLOEXEC | _NAMELESS, _OWNERS_ALONE)
        except OSError as error:
            if error.errno not in _NOT_HERE:
                raise
        else:
            return fd, _OPEN / str(fd)
    path = _fresh(folder)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OWNERS_ALONE), path


def link(file: Path, name: Path) -> None:
    """Give a file another name; raises OSError, also when there is one already."""
    # Given a descriptor, Python asks for links to be followed, as the way to a nameless file is one; the
    # descriptor itself is not looked at, because the paths are absolute.
    os.link(file.absolute(), name.absolute(), src_dir_fd=0, follow_symlinks=True)


def named(file: Path, folder: Path) -> Path:
    """Give a file's path in its folder, where it has a name then; raises OSError."""
    if file.parent != _OPEN:
        return file
    path = _fresh(folder)
    link(file, path)
    return path


def _fresh(folder: Path) -> Path:
    return folder / f"{os.getpid()}-{uuid.uuid4().hex}"
