"""How a command ends: one table of exit statuses, and the one place where errors become statuses.

The numbers are those of sysexits.h, which systemd and shells know. ``docs/operating.md`` lists them for
operators.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from enum import IntEnum
from typing import Any

from schemas.envelope import InvalidEvent
from streams.errors import Damaged, Misconfigured, Poison, Refused, Rejected, Unavailable

FAMILIES = (Rejected, Poison, Unavailable, InvalidEvent)
"""The errors that have a status; anything else is a defect of ours, told with its traceback."""


class Exit(IntEnum):
    """How a command ended."""

    OK = 0
    """Done, or stopped as it was told to."""
    NO = 1
    """Done, and the answer is no: something was not acknowledged, differs, or needs a person."""
    USAGE = 64
    """The call is wrong, or what it names is not there: call it otherwise."""
    DATA = 65
    """Stored bytes do not read back: mend or restore what the message names."""
    TEMPFAIL = 75
    """What it depends on is away: try again later."""
    CONFIG = 78
    """A setting is wrong, or the data is a newer CHIPS's: starting again changes nothing."""
    INTERRUPTED = 130
    """Ctrl-C before it was done."""


def status_of(error: BaseException) -> Exit:
    """Give the status of an error of one of the `FAMILIES`. Pure.

    A bus that refuses a message (`Refused`) is mended at the bus, so that trying again later may work.
    """
    match error:
        case Misconfigured():
            return Exit.CONFIG
        case Damaged():
            return Exit.DATA
        case Unavailable() | Refused():
            return Exit.TEMPFAIL
        case Rejected():
            return Exit.USAGE
        case _:
            return Exit.DATA


def told(work: Callable[[], int]) -> int:
    """Run a command; what it refuses, misses or finds damaged is one line on standard error and a status."""
    try:
        return work()
    except FAMILIES as error:
        sys.stderr.write(f"chips: {error}\n")
        return status_of(error)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


def finish(work: Coroutine[Any, Any, int | None]) -> int:
    """Run a command's coroutine, as `told` does."""
    return told(lambda: int(asyncio.run(work) or Exit.OK))
