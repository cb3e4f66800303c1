"""Files that are partly another file's bytes: what is new is written, the rest is copied by the kernel.

An anonymized image is a new header in front of pixels that stay as they are. Its `Spliced` content says so
without holding the pixels, so that an object of 4 GB takes as much memory as one of 4 KB.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, overload

CHUNK = 1 << 20
"""Most bytes of a file in memory."""
_AT_ONCE = 1 << 30
"""Bytes asked of one system call: fewer than its limit of 2 GiB less a page."""
_NOT_HERE = frozenset(
    (
        errno.EXDEV,  # two file systems
        *(errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF),  # not these files
        *(errno.ETXTBSY, errno.EOVERFLOW),
    )
)
"""What copy_file_range(2) and sendfile(2) say of files that they don't do."""


class Unreadable(OSError):  # noqa: N818 - a finding
    """A file can't be read whose bytes were to be copied."""


class Changed(Unreadable):
    """A file is not the one any more whose bytes were to be copied."""

    def __init__(self) -> None:
        super().__init__(errno.ESTALE, "The file was changed while it was read: try again.")


class Stamp(NamedTuple):
    """Tells a file from another one, and from itself once it is changed; `modified` in ns."""

    device: int
    inode: int
    size: int
    modified: int

    @classmethod
    def of(cls, fd: int) -> Stamp:
        """Take the stamp of an open file."""
        found = os.fstat(fd)
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of the source."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Spliced:
    """Content in parts: bytes, and spans of a file that must not change until they are copied.

    Attributes
    ----------
    source
        The file that spans are of.
    stamp
        Of the source when the spans were measured.
    parts
        In order.
    """

    source: Path
    stamp: Stamp
    parts: tuple[bytes | Span, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(part.length if isinstance(part, Span) else len(part) for part in self.parts)

    def chunks(self) -> Iterator[bytes]:
        """Read the content, at most `CHUNK` bytes of the source at a time.

        Raises
        ------
        Unreadable
            When the source can't be read; `Changed` when it is not what it was, then or at the end.
        """
        with _opened(self) as fd:
            for part in self.parts:
                if not isinstance(part, Span):
                    yield part
                    continue
                offset, end = part.offset, part.offset + part.length
                while offset < end:
                    chunk = _read(fd, min(CHUNK, end - offset), offset)
                    offset += len(chunk)
                    yield chunk

    def read(self) -> bytes:
        """Read all of it; raises as `chunks`."""
        return b"".join(self.chunks())


@overload
def write(content: Spliced, target: int, *, digest: Literal[True]) -> str: ...


@overload
def write(content: Spliced, target: int, *, digest: Literal[False] = False) -> None: ...


def write(content: Spliced, target: int, *, digest: bool = False) -> str | None:
    """Write content at the place where a file stands.

    Parameters
    ----------
    content
        What to write.
    target
        Descriptor of an open file. Nothing is synced.
    digest
        Whether to give the sha256 of the content, hex; computed while it is written, it makes every byte
        pass through this process.

    Raises
    ------
    OSError
        When the target can't be written, or the kernel can't copy to it; `Unreadable` when the source can't
        be read, `Changed` when it is not what it was or was changed meanwhile. What was written until then
        is worth nothing.
    """
    if digest:
        hashed = hashlib.sha256()
        for chunk in content.chunks():
            hashed.update(chunk)
            _write_all(target, chunk)
        return hashed.hexdigest()
    with _opened(content) as source:
        for part in content.parts:
            if isinstance(part, Span):
                copy_span(source, target, part)
            elif part:
                _write_all(target, part)
    return None


def copy_span(source: int, target: int, span: Span) -> None:
    """Copy bytes of one file to where another one stands, in the kernel where it can; raises as `write`."""
    offset, left = span.offset, span.length
    for copied in _WAYS:
        try:
            while left:
                done = copied(source, target, left, offset)
                if not done:
                    break
                offset += done
                left -= done
        except OSError as error:
            if error.errno not in _NOT_HERE:
                raise
        if not left:
            return
        # Some file systems say 0 instead of that they can't: reading tells whether the file is shorter.
    while left:
        chunk = _read(source, min(left, CHUNK), offset)
        _write_all(target, chunk)
        offset += len(chunk)
        left -= len(chunk)


def _by_range(source: int, target: int, left: int, offset: int) -> int:
    return os.copy_file_range(source, target, min(left, _AT_ONCE), offset)


def _by_sendfile(source: int, target: int, left: int, offset: int) -> int:
    return os.sendfile(target, source, offset, min(left, _AT_ONCE))


# copy_file_range shares blocks where the file system can, and needs both files on one; sendfile doesn't, but
# writes to files on Linux alone.
_WAYS: tuple[Callable[[int, int, int, int], int], ...] = (
    (_by_range, _by_sendfile) if sys.platform == "linux" and hasattr(os, "copy_file_range") else ()
)


@contextlib.contextmanager
def _opened(content: Spliced) -> Iterator[int]:
    """Open the source, which must be the same when it is closed: what was copied lay where it was found."""
    try:
        fd = os.open(content.source, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise Unreadable(error.errno, error.strerror) from error
    try:
        if Stamp.of(fd) != content.stamp:
            raise Changed
        yield fd
        if Stamp.of(fd) != content.stamp:
            raise Changed
    finally:
        os.close(fd)


def _read(source: int, length: int, offset: int) -> bytes:
    try:
        chunk = os.pread(source, length, offset)
    except OSError as error:
        raise Unreadable(error.errno, error.strerror) from error
    if not chunk:
        raise Changed
    return chunk


def _write_all(target: int, data: bytes) -> None:
    written = os.write(target, data)
    while written < len(data):
        written += os.write(target, memoryview(data)[written:])
