"""A folder that others put files into: which of them are whole. Pure.

A file is whole when its size and time of change stood still for a while. Asking again and again works on
network shares, too, which tell nobody that a file came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gateway.manifest import Mark


class Seen(NamedTuple):
    """A file as it was found, and since when it stood so, s."""

    mark: Mark
    since: float


class Looked(NamedTuple):
    """What a look found: files that are whole, and what to remember until the next."""

    whole: list[Mark]
    seen: Mapping[str, Seen]


def look(before: Mapping[str, Seen], found: Iterable[Mark], now: float, quiet_s: float) -> Looked:
    """Compare a folder with what it was.

    Parameters
    ----------
    before
        What the last look remembered, by path; empty at first.
    found
        What there is now, without what was taken before.
    now
        Any clock's time that never goes back, s.
    quiet_s
        How long a file must stand still, s.
    """
    seen: dict[str, Seen] = {}
    whole: list[Mark] = []
    for mark in found:
        known = before.get(mark.path)
        seen[mark.path] = known if known and known.mark == mark else Seen(mark, now)
        if now - seen[mark.path].since >= quiet_s:
            whole.append(mark)
    return Looked(whole, seen)
