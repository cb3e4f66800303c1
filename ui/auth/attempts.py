"""How many failed logins are too many. Pure: the window is a record, time is an argument."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

WINDOW = timedelta(minutes=15)
PER_NAME = 5
PER_ADDRESS = 30


class Attempts(msgspec.Struct, frozen=True):
    """Failed attempts since `since`."""

    since: datetime
    failed: int


def wait_s(attempts: Attempts | None, limit: int, now: datetime) -> int:
    """How long to wait before the next attempt, s; 0: now.

    Parameters
    ----------
    limit
        Failures allowed in one window.
    """
    if attempts is None or attempts.failed < limit:
        return 0
    return (
        max(0, int((attempts.since + WINDOW - now).total_seconds()) + 1)
        if now < attempts.since + WINDOW
        else 0
    )


def failed(attempts: Attempts | None, now: datetime) -> Attempts:
    """Count one more failure, in a new window when the old one is over."""
    if attempts is None or now >= attempts.since + WINDOW:
        return Attempts(now, 1)
    return Attempts(attempts.since, attempts.failed + 1)
