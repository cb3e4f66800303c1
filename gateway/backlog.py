"""How many entries of a journal the bus has not confirmed, seen from outside.

Nothing is opened for writing or cut, so that the gateway may run meanwhile.
"""

from __future__ import annotations

from pathlib import Path

from gateway.confirmed import peek
from gateway.entries import SEGMENT_HEADER, parse
from gateway.segments import listed


def backlog(folder: Path) -> int:
    """Count them; 0 when there is no journal yet. What is being written at this moment may count or not.

    Raises
    ------
    PermissionError
        When the vault is another's.
    """
    newest = _newest(folder)
    if newest is None:
        return 0
    first, end, oldest = newest
    confirmed = peek(folder / "confirmed") or 0
    return (first + end) - min(max(confirmed, oldest), first + end)


def _newest(folder: Path) -> tuple[int, int, int] | None:
    """Give the newest segment's first index and count of entries, and the oldest segment's first index."""
    if not folder.exists():
        return None
    next(folder.iterdir(), None)  # a glob in a folder that is closed to us finds nothing, and says nothing
    segments = listed(folder)
    if not segments:
        return None
    first, path = segments[-1]
    entries = parse(path.read_bytes()[SEGMENT_HEADER:]).payloads
    return first, len(entries), segments[0][0]
