"""What a subscriber has seen of a feed, and what to do with the next event. Pure."""

from __future__ import annotations

from enum import Enum

REPLAY_LIMIT = 5_000
"""Events that a reconnecting tab is sent one by one; one that is further behind gets the present state."""


class Step(Enum):
    """What to do with an event that is offered."""

    DELIVER = "deliver"
    REPEAT = "repeat"
    """Seen already: drop it."""
    GAP = "gap"
    """One or more before it are missing: read the store first."""


def step(last: int, offered: int) -> Step:
    """Decide on an event with sequence `offered` for one who has seen everything up to `last`."""
    if offered <= last:
        return Step.REPEAT
    return Step.DELIVER if offered == last + 1 else Step.GAP


def needs_snapshot(after: int, version: int) -> bool:
    """Tell whether one who has seen `after` of `version` is better served with the present state.

    Also one who claims to have seen more than there is: it looked at another life of this feed.
    """
    return after > version or version - after > REPLAY_LIMIT
