"""What a container's state, as Docker tells it, means for a step. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

START_S = 60.0
"""How long a container may be anything but running or ended before its step is given up, s."""

GRACE_S = 60.0
"""How long beyond its limit a container may be before a sweep takes it for abandoned, s."""

_ENDED = {"exited", "dead"}


def has_ended(state: Mapping[str, Any]) -> bool:
    """Tell whether it will do no more."""
    return state["Status"] in _ENDED


def overdue(state: Mapping[str, Any], since: datetime, now: datetime, limit_s: float) -> str | None:
    """Give the cause when a container that has not ended took too long; None while it is in time.

    Parameters
    ----------
    state
        Docker's ``State``.
    since
        When the runner began to watch it.
    limit_s
        How long the step may run, s.
    """
    started = read_time(state.get("StartedAt", ""))
    if started is None:
        late = (now - since).total_seconds() > START_S
        return f"could not be started: {state['Status']} for more than {START_S:.0f} s" if late else None
    # Paused by hand, it is still the step's time that passes.
    late = (now - started).total_seconds() > limit_s
    return f"took longer than its limit of {limit_s:.0f} s" if late else None


def is_abandoned(attributes: Mapping[str, Any], now: datetime, limit_s: float) -> bool:
    """Tell whether a container is so old that no runner can be watching it."""
    created = read_time(attributes["Created"])
    return created is not None and (now - created).total_seconds() > START_S + limit_s + GRACE_S


def read_time(text: str) -> datetime | None:
    """Read Docker's time, whose nanoseconds Python does not take; None for its zero."""
    try:
        read = datetime.fromisoformat(text[:19] + "+00:00")
    except ValueError:
        return None
    return read if read.year > 1 else None
