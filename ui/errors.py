"""What goes wrong at this door, as HTTP tells it."""

from __future__ import annotations

import traceback
from pathlib import Path

from streams.errors import Rejected

_DEPTH = 6
"""Frames of a failure that are told: the innermost ones."""


class Refused(Rejected):
    """A request that is refused, with its HTTP status; the message says what to do."""

    def __init__(self, status: int, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s


def place(error: BaseException) -> str:
    """Tell where a failure was raised, for a log: files, lines and functions, and no value."""
    frames = traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), lookup_lines=False)
    return " < ".join(
        f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames[: -_DEPTH - 1 : -1]
    )
