"""What a runner decides: which attempt is next, when, and when to give up. Pure."""

from __future__ import annotations

import signal
from datetime import datetime, timedelta

from streams.aggregates.state import JobState

BACK_OFF_S = 2.0
BACK_OFF_MAX_S = 60.0
LEASES_PER_ATTEMPT = 5
"""A job whose runner vanished so often for each attempt it may have is taken for the cause."""

MAX_CAUSE = 512


def next_attempt(state: JobState) -> int:
    """Give the number of the attempt to make: a lost lease is no failure, its container is gone on with."""
    return state.failures + 1


def ready_at(failures: int, last: datetime) -> datetime:
    """Tell when the next attempt may be made, after `failures` of which the last was at `last`."""
    return last + timedelta(seconds=min(BACK_OFF_MAX_S, BACK_OFF_S * 2 ** (failures - 1)))


def kills_runners(state: JobState, attempts: int) -> bool:
    """Tell whether too many runners vanished while they had this job."""
    return state.leases >= attempts * LEASES_PER_ATTEMPT


def resource(project: str, job: str) -> str:
    """Name the lease of a job."""
    return f"job/{project}/{job}"


def explain_exit(status: int, last_line: str, *, out_of_memory: bool, memory_bytes: int) -> str | None:
    """Put into words why a step ended badly; None when it ended well.

    Parameters
    ----------
    status
        Exit status; 128 + N or -N for signal N.
    last_line
        The last line of its standard error: the contract's place for a cause.
    """
    number = -status if status < 0 else status - 128
    allowed = f"{memory_bytes // 2**20} MiB are allowed"
    if out_of_memory:
        return f"out of memory: {allowed}"
    if status == 0:
        return None
    known: dict[int, str] = {
        signal.SIGXCPU: "used up its processor time",
        signal.SIGXFSZ: "wrote a file beyond its output limit",
        signal.SIGKILL: f"was killed (SIGKILL): by hand, or for want of memory ({allowed})",
    }
    ended = f"ended by signal {number}" if number > 0 else f"exit status {status}"
    return known.get(number, f"{ended}: {last_line}"[:MAX_CAUSE])
