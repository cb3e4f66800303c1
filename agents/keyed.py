"""Which message may run next: those of one key one after another, different keys side by side. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Keyed(Generic[K, T]):
    """Messages under way and waiting, by key."""

    def __init__(self) -> None:
        self._waiting: dict[K, deque[T]] = {}

    def add(self, key: K, message: T) -> bool:
        """Take a message in; True when it may run now, False when it waits for an earlier one of its key."""
        if key in self._waiting:
            self._waiting[key].append(message)
            return False
        self._waiting[key] = deque()
        return True

    def done(self, key: K) -> T | None:
        """Note that the running message of a key is done; give the one that may run now, if any waits."""
        if self._waiting[key]:
            return self._waiting[key].popleft()
        del self._waiting[key]
        return None

    def __len__(self) -> int:
        """Count what is under way or waits."""
        return sum(1 + len(waiting) for waiting in self._waiting.values())
