"""Times as stores keep them: whole microseconds since 1970 UTC, so that equal times stay equal. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_us(time: datetime) -> int:
    """Give microseconds since 1970 UTC.

    Raises
    ------
    TypeError
        When the time has no zone.
    """
    return (time - EPOCH) // MICROSECOND


def from_us(microseconds: int) -> datetime:
    """Give the time, UTC."""
    return EPOCH + timedelta(microseconds=microseconds)
