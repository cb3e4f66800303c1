"""The manifest: JSON lines, one a file, readable by the owner alone. An adapter.

While a run goes on, lines are appended, each with one write, so that a killed run goes on where it was; of
two lines of one input the later counts, and a torn last line counts as not written. A run that ends writes
it anew: one line an input, in the order of their names.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from agents.anonymization.files.entries import Entry, as_line, from_line
from streams.durable import lasting_folder, sync, sync_folder
from streams.errors import Damaged, Misconfigured, Rejected, Unavailable

_BEGINS = b'{"input": "'
"""Every line does."""
_LONGEST = 1 << 20


class Manifest:
    """An open manifest, locked: a second run on it is refused.

    Raises
    ------
    streams.errors.Rejected
        When it can't be written, or is in use.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            lasting_folder(path.parent)
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise Rejected(
                f"The manifest {path} can't be written: {error.strerror}. Name another."
            ) from error
        if os.fstat(self._fd).st_mode & 0o077:
            os.close(self._fd)
            raise Misconfigured(f"Others can read {path}, and a manifest identifies: chmod 600 it.")
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._fd)
            raise Rejected(f"Another run writes the manifest {path}: wait for it.") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._fd)

    def read(self) -> Iterator[Entry]:
        """Yield what stands in it, and cut a torn last line off.

        Raises
        ------
        streams.errors.Damaged
            At a line that is none of a manifest: nothing is changed then.
        """
        good = 0
        with open(self._fd, "rb", closefd=False) as stream:
            stream.seek(0)
            number = 0
            while line := stream.readline(_LONGEST):
                number += 1
                if not line.endswith(b"\n") and _BEGINS.startswith(line[: len(_BEGINS)]):
                    break
                try:
                    entry = from_line(line)
                except ValueError:
                    raise Damaged(
                        f"{self.path}, line {number}, is no line of a manifest: name the right file, or a "
                        "new one."
                    ) from None
                good += len(line)
                yield entry
        os.ftruncate(self._fd, good)
        os.lseek(self._fd, 0, os.SEEK_END)

    def clear(self) -> None:
        """Empty it, to begin anew."""
        os.ftruncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)

    def add(self, entries: Iterable[Entry]) -> None:
        """Append lines, all or none; raises `streams.errors.Unavailable` when the disk does not take them."""
        lines = b"".join(as_line(entry) for entry in entries)
        before = os.lseek(self._fd, 0, os.SEEK_CUR)
        try:
            written = 0
            while written < len(lines):
                written += os.write(self._fd, lines[written:])
        except OSError as error:
            os.ftruncate(self._fd, before)
            raise self._unavailable(error) from error

    def rewrite(self, entries: Iterable[Entry]) -> None:
        """Put these lines in the place of all, durable on return; raises as `add`, and all stays then."""
        partial = self.path.with_name(f".{self.path.name}.partial")
        try:
            fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "wb") as stream:
                stream.writelines(as_line(entry) for entry in entries)
                stream.flush()
                sync(stream.fileno())
            partial.replace(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise self._unavailable(error) from error

    def _unavailable(self, error: OSError) -> Unavailable:
        return Unavailable(
            f"The manifest {self.path} can't be written: {error.strerror}. See to its disk and run the same "
            "command again: it goes on where it was."
        )
