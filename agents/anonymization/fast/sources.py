"""Objects as the fast path reads them: in memory, or in a file of which a header alone comes into memory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from streams.copying import Span, Spliced, Stamp


class Source(Protocol):
    """An object's bytes.

    Attributes
    ----------
    size
        Bytes.
    """

    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Give bytes; fewer at the end."""

    def spliced(self, parts: Sequence[bytes | Span]) -> bytes | Spliced:
        """Give a file that consists of bytes, and of spans of this one."""


class InMemory:
    """Bytes."""

    def __init__(self, content: bytes) -> None:
        self.size = len(content)
        self._content = content

    def read(self, offset: int, length: int) -> bytes:
        """Give bytes; fewer at the end."""
        return self._content[offset : offset + length]

    def spliced(self, parts: Sequence[bytes | Span]) -> bytes:
        """Give a copy."""
        view = memoryview(self._content)
        return b"".join(
            view[part.offset : part.offset + part.length] if isinstance(part, Span) else part
            for part in parts
        )


class OnDisk:
    """A file, open while this is a context.

    Raises
    ------
    OSError
        When it can't be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._stamp = Stamp.of(self._fd)
        self.size = self._stamp.size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._fd)

    def read(self, offset: int, length: int) -> bytes:
        """Give bytes; fewer at the end. Raises OSError when the disk fails."""
        return os.pread(self._fd, length, offset)

    def spliced(self, parts: Sequence[bytes | Span]) -> Spliced:
        """Give what is yet to be copied."""
        joined: list[bytes | Span] = []
        between: list[bytes] = []
        for part in parts:
            if isinstance(part, Span):
                joined += (b"".join(between), part)
                between = []
            else:
                between.append(part)
        return Spliced(self._path, self._stamp, (*joined, b"".join(between)))
