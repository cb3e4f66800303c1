"""Journal segments as files: made, extended durably, cut after a crash, read back.

Invariant: a file's bytes up to its durable end were fsynced; nothing reads or trusts what lies behind.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from gateway.entries import FORMAT, LARGEST, SEGMENT_HEADER, first_of, format_of, parse, segment_header
from gateway.errors import JournalBroken, JournalDamaged
from streams.durable import sync, sync_folder
from streams.errors import NewerFormat

SUFFIX = ".journal"
_CHUNK = 1024 * 1024


def segment_path(folder: Path, first: int) -> Path:
    """Give the place of the segment whose first entry is `first`."""
    return folder / f"{first:020d}{SUFFIX}"


def listed(folder: Path) -> list[tuple[int, Path]]:
    """Give the segments of a folder, the oldest first, as (index of the first entry, place)."""
    return sorted(
        (int(path.stem), path)
        for path in folder.glob(f"*{SUFFIX}")
        if path.stem.isdecimal() and path.is_file()
    )


def check_format(path: Path) -> None:
    """Tell whether a newer CHIPS wrote a segment, before anything takes it for a damaged one.

    Raises
    ------
    streams.errors.NewerFormat
        When one did; what it acknowledged is safe in there.
    """
    with path.open("rb") as file:
        found = format_of(file.read(SEGMENT_HEADER))
    if found is not None and found > FORMAT:
        raise NewerFormat(
            f"{path} has format {found}, this CHIPS knows {FORMAT}: run the CHIPS that wrote it, or a newer "
            "one. Leave it where it is: it tells of acknowledged images."
        )


def recover(path: Path, first: int) -> tuple[int, int, int] | None:
    """Cut what a crash tore off the newest segment.

    Returns
    -------
    tuple of int, or None
        Whole entries, the file's size after the cut and the size of the cut, bytes; None when not even the
        header was whole, so that the file held nothing and is gone.

    Raises
    ------
    gateway.errors.JournalDamaged
        When the header, durable before the first entry, does not read back.
    """
    with path.open("r+b") as file:
        before = os.fstat(file.fileno()).st_size
        if first_of(file.read(SEGMENT_HEADER)) != first:
            if before <= SEGMENT_HEADER:
                path.unlink()
                return None
            raise JournalDamaged(f"The header of {path}")
        count, end = 0, SEGMENT_HEADER
        while True:
            file.seek(end)
            payloads, size = parse(file.read(_CHUNK + LARGEST))
            if not payloads:
                break
            count += len(payloads)
            end += size
        file.truncate(end)
        # Not only after a cut: entries may have been written and, killed before the sync, lie in the page
        # cache alone; from now on they count as durable.
        sync(file.fileno())
    return count, end, before - end


class Writer:
    """The segment that grows. One thread at a time."""

    def __init__(self, path: Path, fd: int, size: int) -> None:
        self.path = path
        self.size = size
        self._fd = fd

    @classmethod
    def create(cls, folder: Path, first: int) -> Writer:
        """Make a new segment, durably; on OSError nothing of it remains."""
        path = segment_path(folder, first)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            _write_all(fd, segment_header(first), 0)
            sync(fd)
            sync_folder(folder)
        except OSError:
            os.close(fd)
            path.unlink(missing_ok=True)
            raise
        return cls(path, fd, SEGMENT_HEADER)

    @classmethod
    def reopen(cls, path: Path, size: int) -> Writer:
        """Go on with a recovered segment."""
        return cls(path, os.open(path, os.O_RDWR | os.O_CLOEXEC), size)

    def extend(self, data: bytes) -> None:
        """Append and fsync.

        Raises
        ------
        OSError
            When there was no room; the file is as it was.
        gateway.errors.JournalBroken
            When the disk failed in a way that leaves the file unknown (a failed fsync can't be repeated:
            the kernel may have dropped the pages).
        """
        try:
            _write_all(self._fd, data, self.size)
        except OSError as error:
            try:
                os.ftruncate(self._fd, self.size)
            except OSError as worse:
                raise JournalBroken(f"{self.path.name} can't be cut back: {worse.strerror}") from error
            raise
        try:
            sync(self._fd)
        except OSError as error:
            raise JournalBroken(f"{self.path.name} can't be synced: {error.strerror}") from error
        self.size += len(data)

    def close(self) -> None:
        """Let go of the file."""
        with contextlib.suppress(OSError):  # everything that counts was synced
            os.close(self._fd)


def _write_all(fd: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, at)
        view, at = view[written:], at + written
