"""Group commit: many threads have something to write, and one of them writes for all who wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class _Group(Generic[T]):
    """What will be written in one go."""

    def __init__(self) -> None:
        self.waiting: list[T] = []
        self.done = False
        self.error: Exception | None = None


class Grouped(Generic[T]):
    """Whoever finds no write under way writes for all who wait.

    Parameters
    ----------
    write
        Writes in one go, all or nothing; called by one thread at a time.
    """

    def __init__(self, write: Callable[[list[T]], None]) -> None:
        self._write = write
        self._lock = threading.Condition()
        self._writing = False
        self._group: _Group[T] = _Group()

    def add(self, pieces: Sequence[T]) -> None:
        """Write, in order; blocks until it is done, and raises what writing raised."""
        if not pieces:
            return
        with self._lock:
            group = self._group
            group.waiting += pieces
            while not group.done:
                if self._writing:
                    self._lock.wait()
                else:
                    self._commit(group)
        if group.error:
            raise group.error

    def _commit(self, group: _Group[T]) -> None:
        """Write the group that is gathering; called with the lock held, which is free during the write."""
        self._writing = True
        self._group = _Group()
        self._lock.release()
        try:
            self._write(group.waiting)
        except Exception as error:  # noqa: BLE001 - it is everybody's who waits
            group.error = error
        finally:
            self._lock.acquire()
            group.done = True
            self._writing = False
            self._lock.notify_all()
