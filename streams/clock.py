"""The clock, as an argument: decisions never look at one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Give the time now, UTC."""
    return datetime.now(UTC)
