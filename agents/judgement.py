"""What becomes of a message, by what its handler raised. Pure."""

from __future__ import annotations

import enum
import traceback

from schemas.envelope import InvalidEvent
from streams.errors import Poison, Refused, Rejected, Unavailable


class TooSlow(Exception):  # noqa: N818 - named as the families are
    """A handler took longer than it may; long work is a work order for the runner."""


class Verdict(enum.Enum):
    """What becomes of a message."""

    DONE = "done"
    """Acknowledge."""
    DEAD = "dead"
    """Dead-letter, then acknowledge: it can never work."""
    AWAY = "away"
    """Try again, then stop the process: what it needs is away, and that is not its fault."""
    FAILED = "failed"
    """Try again, then count an attempt and stop the process; dead-letter after too many."""


def judge(error: Exception | None) -> Verdict:
    """Judge by what was raised; None for a handler that returned."""
    if error is None:
        return Verdict.DONE
    if isinstance(error, Refused):
        # A refusal of the bus is no answer to anybody: what should have been published was not.
        return Verdict.FAILED
    if isinstance(error, Rejected):
        return Verdict.DONE
    if isinstance(error, (Poison, InvalidEvent)):
        return Verdict.DEAD
    if isinstance(error, Unavailable):
        return Verdict.AWAY
    return Verdict.FAILED


def describe(error: Exception) -> str:
    """Say what went wrong without repeating any value.

    Errors of our own families are written so; of any other error only its type and place are told, because
    its text could quote what it stumbled over.
    """
    if isinstance(error, (Rejected, Poison, Unavailable, InvalidEvent, TooSlow)):
        return f"{type(error).__name__}: {error}"
    found = frames(error)
    return f"{type(error).__name__} at {found[-1]}" if found else type(error).__name__


def frames(error: Exception, last: int = 12) -> list[str]:
    """Name the places that an error came through, without any text of it."""
    found = traceback.extract_tb(error.__traceback__)[-last:]
    return [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in found]
