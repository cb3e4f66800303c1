"""How far the bus has confirmed the journal: one small record, rewritten in place.

It needs no room on a full disk and no fsync: an older value after a power loss publishes some events again
under the same ids, which every consumer is made for. A torn record reads as none.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

_RECORD = struct.Struct(">QI")


class Confirmed:
    """The index of the first entry that the bus has not confirmed, on disk."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def load(self) -> int | None:
        """Give what was saved last; None when nothing (whole) was."""
        return _read(os.pread(self._fd, _RECORD.size, 0))

    def save(self, index: int) -> None:
        """Write it."""
        raw = index.to_bytes(8, "big")
        os.pwrite(self._fd, raw + zlib.crc32(raw).to_bytes(4, "big"), 0)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)


def peek(path: Path) -> int | None:
    """Give what was saved last, without holding the file; None when nothing (whole) was."""
    try:
        return _read(path.read_bytes()[: _RECORD.size])
    except FileNotFoundError:
        return None


def _read(raw: bytes) -> int | None:
    if len(raw) < _RECORD.size:
        return None
    index, crc = _RECORD.unpack(raw)
    return int(index) if zlib.crc32(raw[:8]) == crc else None
