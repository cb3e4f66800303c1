"""Cutting a stream of bytes into lines, in bounded memory. Pure."""

from __future__ import annotations

from plugins.contract.results import MAX_PROGRESS_LINE


class Lines:
    """Collects chunks and gives whole lines; one that is too long is let go."""

    def __init__(self, limit: int = MAX_PROGRESS_LINE) -> None:
        self._limit = limit
        self._rest = b""
        self._skipping = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Add a chunk; give the lines that it ended, without their ends."""
        *whole, rest = (self._rest + chunk).split(b"\n")
        if whole and self._skipping:
            whole, self._skipping = whole[1:], False
        if len(rest) > self._limit:
            rest, self._skipping = b"", True
        self._rest = rest
        return [line for line in whole if len(line) <= self._limit]


def last_line(text: bytes, limit: int = 400) -> str:
    """Give the last line that says something, shortened, as text."""
    said = [line.strip() for line in text[-16_384:].splitlines() if line.strip()]
    return said[-1][:limit].decode("utf-8", "replace") if said else "it said nothing"
