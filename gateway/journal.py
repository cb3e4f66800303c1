"""The journal: where an image becomes acknowledged, and from where the bus is told.

Invariant: `append` returns only when its entries are fsynced; an entry stays until the bus has confirmed it.
Many associations append at once and share one fsync (group commit): whoever finds no write under way writes
for all who wait. One reader takes entries in order. Must not know what an entry means.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from gateway.confirmed import Confirmed
from gateway.entries import LARGEST, SEGMENT_HEADER, pack, parse
from gateway.errors import JournalBroken, JournalDamaged
from gateway.grouping import Grouped
from gateway.segments import Writer, check_format, listed, recover, segment_path
from streams.durable import lasting_folder

SEGMENT_BYTES = 16 * 1024 * 1024
"""A segment that has grown beyond is finished, and deleted when all of it is confirmed."""

_CHUNK = 4 * LARGEST


class Appends(Protocol):
    """Makes entries durable."""

    def append(self, payloads: Sequence[bytes]) -> None:
        """Make entries durable, in order, all or none of them; raises as `Journal.append`."""


class Journal:
    """Append-only entries in a folder of its own; safe for many threads, one reader.

    Parameters
    ----------
    folder
        Made (0700) when missing. Only one journal may be open on it. Opening raises `JournalDamaged`, and
        `streams.errors.NewerFormat` when a newer CHIPS wrote it.
    segment_bytes
        See `SEGMENT_BYTES`.
    on_durable
        Called, from the appending thread, after entries became durable; must not block.
    on_broken
        Called, from an appending thread, when the disk failed: nothing is acknowledged from then on.
    """

    def __init__(
        self,
        folder: Path,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        on_durable: Callable[[], None] = lambda: None,
        on_broken: Callable[[], object] = lambda: None,
    ) -> None:
        lasting_folder(folder, 0o700)
        self._folder = folder
        self._segment_bytes = segment_bytes
        self.on_durable = on_durable
        self.on_broken = on_broken
        self._lock = threading.Lock()
        self._grouped = Grouped(self._commit)
        self.broken = False
        """Its disk failed: nothing can be appended until the gateway starts anew."""
        self._position = Confirmed(folder / "confirmed")
        self._writer: Writer | None = None
        self.cut = 0
        """Bytes of a torn end that opening cut off; none of them was acknowledged."""
        self._open()
        self._read_index = self.confirmed
        self._read_at = (-1, 0)
        """(index of the segment's first entry, offset in it) of the next entry, once one was read."""

    def _open(self) -> None:
        saved = self._position.load()
        segments = listed(self._folder)
        for _, path in segments:
            check_format(path)
        self._firsts = [first for first, _ in segments]
        self.end = saved or 0
        while self._firsts:
            first = self._firsts[-1]
            path = segment_path(self._folder, first)
            kept = recover(path, first)
            if kept:
                count, size, self.cut = kept
                self._writer = Writer.reopen(path, size)
                self.end = first + count
                break
            self._firsts.pop()
        oldest = self._firsts[0] if self._firsts else self.end
        self.confirmed = min(max(saved or 0, oldest), self.end)

    @property
    def backlog(self) -> int:
        """Entries that the bus has not confirmed."""
        return self.end - self.confirmed

    def append(self, payloads: Sequence[bytes]) -> None:
        """Make entries durable, in order, all or none of them; blocks for one fsync, or two.

        Raises
        ------
        OSError
            When there is no room (ENOSPC, EDQUOT); the journal is as it was.
        gateway.errors.JournalBroken
            When the disk failed; the gateway must start anew.
        """
        framed = [pack(payload) for payload in payloads]
        if framed:
            self._grouped.add(framed)
            self.on_durable()

    def _commit(self, framed: list[bytes]) -> None:
        """Write for all who wait; one thread at a time."""
        try:
            self._write(b"".join(framed))
        except JournalBroken:
            self.broken = True
            self.on_broken()
            raise
        with self._lock:
            self.end += len(framed)

    def _write(self, data: bytes) -> None:
        """Extend the newest segment, or a new one when that is full; only the committing thread runs it."""
        if self.broken:
            raise JournalBroken("The journal's disk failed before: start the gateway anew")
        if self._writer is None or self._writer.size >= self._segment_bytes:
            fresh = Writer.create(self._folder, self.end)
            with self._lock:
                finished, self._writer = self._writer, fresh
                self._firsts.append(self.end)
            if finished:
                finished.close()
        self._writer.extend(data)

    def read(self, limit: int) -> list[bytes]:
        """Give the next entries, at most `limit`; at first those after the confirmed ones.

        Raises
        ------
        gateway.errors.JournalDamaged
            When durable bytes do not read back.
        """
        with self._lock:
            wanted = min(limit, self.end - self._read_index)
            if wanted <= 0:
                return []
            first = max(first for first in self._firsts if first <= self._read_index)
            following = next((f for f in self._firsts if f > first), self.end)
        path = segment_path(self._folder, first)
        wanted = min(wanted, following - self._read_index)
        payloads: list[bytes] = []
        with path.open("rb") as file:
            segment, offset = self._read_at
            if segment != first:
                offset = _offset(file, self._read_index - first)
            while len(payloads) < wanted:
                file.seek(offset)
                found, size = parse(file.read(_CHUNK), wanted - len(payloads))
                if not found:
                    raise _damaged(path, offset)
                payloads += found
                offset += size
        self._read_index += len(payloads)
        self._read_at = (first, offset)
        return payloads

    def confirm(self, count: int) -> None:
        """Note that the bus has confirmed the next `count` entries; finished segments among them go."""
        with self._lock:
            self.confirmed += count
            if self.confirmed > self._read_index:
                raise ValueError(f"{count} entries confirmed that were not read")
            gone = [
                first
                for first, following in zip(self._firsts, self._firsts[1:], strict=False)
                if following <= self.confirmed
            ]
            self._firsts = self._firsts[len(gone) :]
        with contextlib.suppress(OSError):  # an older position publishes again what is known: harmless
            self._position.save(self.confirmed)
        for first in gone:
            segment_path(self._folder, first).unlink(missing_ok=True)

    def rewind(self) -> None:
        """Read from the confirmed entries on again."""
        with self._lock:
            self._read_index = self.confirmed
            self._read_at = (-1, 0)

    def close(self) -> None:
        """Let go of the files; who comes late is told that nothing is durable any more."""
        self.broken = True
        if self._writer:
            self._writer.close()
        self._position.close()


def _offset(file: BinaryIO, count: int) -> int:
    """Find the offset of a segment's entry by reading over the `count` before it."""
    offset = SEGMENT_HEADER
    while count:
        file.seek(offset)
        found, size = parse(file.read(_CHUNK), count)
        if not found:
            raise _damaged(Path(file.name), offset)
        count -= len(found)
        offset += size
    return offset


def _damaged(path: Path, offset: int) -> JournalDamaged:
    return JournalDamaged(f"{path} at byte {offset}")
