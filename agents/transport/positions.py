"""How far a consumer may commit. Pure.

Faust 0.15 keeps the acknowledged offsets and looks for a run of them; it tolerates a hole at the head, so
that with several events under way it commits past one that is still running, and a crash loses it. Here the
events that were handed out and not acknowledged are kept instead: the first of them is the position.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Generic, TypeVar

P = TypeVar("P", bound=Hashable)


class Positions(Generic[P]):
    """The commit positions of partitions `P`."""

    def __init__(self) -> None:
        self._open: dict[P, set[int]] = {}
        self._next: dict[P, int] = {}
        self._committed: dict[P, int] = {}

    def delivered(self, partition: P, offset: int) -> None:
        """Note that a message was handed out; again after a seek back, too."""
        self._open.setdefault(partition, set()).add(offset)
        self._next[partition] = max(self._next.get(partition, 0), offset + 1)

    def acknowledged(self, partition: P, offset: int) -> bool:
        """Note that a message is done; False when it was not handed out (in this assignment)."""
        if offset not in self._open.get(partition, ()):
            return False
        self._open[partition].discard(offset)
        return True

    def position(self, partition: P) -> int | None:
        """Give the offset of the first message that is not done; None when none was handed out."""
        if partition not in self._next:
            return None
        return min(self._open[partition], default=self._next[partition])

    def committed(self, offsets: Mapping[P, int]) -> None:
        """Note positions that the broker has taken."""
        self._committed.update(offsets)

    def is_news(self, partition: P, offset: int) -> bool:
        """Tell whether a position is one that the broker has not."""
        return offset > self._committed.get(partition, -1)

    def partitions(self) -> list[P]:
        """List the partitions of which messages were handed out."""
        return list(self._next)

    def forget(self, partitions: Iterable[P]) -> None:
        """Forget partitions that were revoked."""
        for partition in partitions:
            self._open.pop(partition, None)
            self._next.pop(partition, None)
            self._committed.pop(partition, None)
