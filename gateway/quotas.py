"""How much of what a source may it has used: associations open at once, and bytes within an hour."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple, Protocol

HOUR_S = 3600.0
_MOST_ACCOUNTS = 4096
"""Hours remembered. Of more sources at once those that began first are forgotten, and may send again."""


class Hour(NamedTuple):
    """What was spent since an hour began."""

    began: float
    """s, of any clock."""
    spent: int = 0
    """Bytes."""


def spend(hour: Hour | None, now: float, size: int, most: int) -> tuple[Hour, float]:
    """Spend bytes; nothing is spent when they are too many. Pure.

    Parameters
    ----------
    hour
        The account's last one, None when it has none.
    most
        Bytes of an hour.

    Returns
    -------
    tuple of Hour and float
        The account's hour from now on, and 0, or how long it lasts still when it has not as much left, s.
    """
    if hour is None or now >= hour.began + HOUR_S:
        hour = Hour(now)
    if hour.spent + size > most:
        return hour, hour.began + HOUR_S - now
    return hour._replace(spent=hour.spent + size), 0.0


class Quotas(Protocol):
    """Counts for all that receive."""

    def enter(self, account: str, most: int) -> bool:
        """Count one more association of an account; False, uncounted, when it has so many already."""
        ...

    def leave(self, account: str) -> None:
        """Count one less."""
        ...

    def spend(self, account: str, size: int, most: int) -> float:
        """Spend bytes of an account's hour; 0, or how long it has not as much left, s."""
        ...


class Counted:
    """Counts in this process; safe for many threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._open: Counter[str] = Counter()
        self._hours: dict[str, Hour] = {}

    def enter(self, account: str, most: int) -> bool:
        """Count one more association, if the account has not `most`."""
        with self._lock:
            if self._open[account] >= most:
                return False
            self._open[account] += 1
            return True

    def leave(self, account: str) -> None:
        """Count one less."""
        with self._lock:
            self._open[account] -= 1
            if self._open[account] <= 0:
                del self._open[account]

    def spend(self, account: str, size: int, most: int) -> float:
        """Spend bytes of an account's hour."""
        with self._lock:
            hour, wait = spend(self._hours.pop(account, None), self._clock(), size, most)
            while len(self._hours) >= _MOST_ACCOUNTS:
                del self._hours[min(self._hours, key=lambda name: self._hours[name].began)]
            self._hours[account] = hour
            return wait
