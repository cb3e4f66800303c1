"""Write timestamps that say which of two plain writes wins. Cassandra keeps the cell with the higher one.

They are chosen here, instead of a read before each write or a conditional write: no round trip more, and no
race. They stay within their tables, which have no other kind of writer.
"""

from __future__ import annotations

import time

FAR = 3_000_000_000_000_000
"""A time in 2065, µs since 1970."""

BEGIN_MS = 1_735_689_600_000
"""2025-01-01, ms since 1970."""

MS_BITS = 40
"""34 years of milliseconds."""

MOST_VERSION = (1 << (62 - MS_BITS)) - 1
"""The highest version that fits, about four million."""

LAST = (1 << 63) - 2
"""Later than any other: for dropping what is never written again."""


class Ticker:
    """The machine's clock, µs since 1970, that never gives a time twice. For one event loop's thread."""

    def __init__(self) -> None:
        self._last = 0

    def now(self) -> int:
        """Give the time, µs since 1970, later than any given before."""
        self._last = max(self._last + 1, time.time_ns() // 1000)
        return self._last


def first_wins(now: int) -> int:
    """Give a timestamp that falls with time: the first write of a row stays.

    Parameters
    ----------
    now
        µs since 1970.
    """
    return FAR - now


def newest_version_wins(version: int, now: int) -> int:
    """Give a timestamp by which the higher version stays, and of equal versions the later write.

    Parameters
    ----------
    now
        µs since 1970; a millisecond decides between equal versions.

    Raises
    ------
    ValueError
        When the version does not fit.
    """
    if not 0 <= version <= MOST_VERSION:
        raise ValueError(f"Version {version} of a view row is beyond {MOST_VERSION}")
    return (version << MS_BITS) | max(0, now // 1000 - BEGIN_MS)
