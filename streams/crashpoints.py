"""Named crash points: a test instrument, idle in production.

Fault tests must kill a process at an exact place ("between fsync and reply"), which no signal from outside
can hit. ``CHIPS_CRASH_AT=gateway.after_fsync_before_reply`` makes that point's first pass kill the process
with SIGKILL; ``…:5`` its fifth; several are divided by commas. Without the variable a point costs one call.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Mapping

from streams.errors import Rejected

VARIABLE = "CHIPS_CRASH_AT"


def arm(environment: Mapping[str, str], die: Callable[[], None]) -> Callable[[str], None]:
    """Make the function that stands at the points.

    Parameters
    ----------
    environment
        Where ``CHIPS_CRASH_AT`` may name points, with ``:N`` for the Nth pass (from 1).
    die
        What happens there.

    Raises
    ------
    streams.errors.Rejected
        When N is not a number from 1 on.
    """
    armed = dict(_read(point) for point in environment.get(VARIABLE, "").split(",") if point)
    if not armed:
        return lambda _name: None
    # Counting is atomic under the interpreter lock, so that threads need no lock of ours.
    passes = {name: itertools.count(1) for name in armed}

    def point(name: str) -> None:
        if name in armed and next(passes[name]) == armed[name]:
            die()

    return point


def _read(point: str) -> tuple[str, int]:
    name, _, text = point.partition(":")
    if text and not (text.isdecimal() and int(text)):
        raise Rejected(f"{VARIABLE}={point}: write NAME or NAME:PASS with PASS from 1 on")
    return name, int(text or 1)


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


crashpoint = arm(os.environ, _kill)
"""Mark a point: ``crashpoint("gateway.after_fsync_before_reply")``."""
