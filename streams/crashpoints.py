"""Named crash points: a test instrument, idle in production.

Fault tests must kill a process at an exact place ("between fsync and reply"), which no signal from outside
can hit. ``CHIPS_CRASH_AT=gateway.after_fsync_before_reply`` makes that point's first pass kill the process
with SIGKILL; ``…:5`` its fifth; several are divided by commas. A process that is started again dies there
again, unless ``CHIPS_CRASH_DEATHS`` names a folder: a death leaves a file of the point's name there, by which
it is known that it came to pass, and that point is passed from then on. Without the variables a point costs
one call.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

from schemas.catalogue import AGENTS
from streams.errors import Rejected

VARIABLE = "CHIPS_CRASH_AT"
DEATHS = "CHIPS_CRASH_DEATHS"

POINTS = frozenset(
    {
        "gateway.after_blob_before_journal",
        "gateway.after_fsync_before_reply",
        "gateway.before_publish",
        "gateway.after_publish_before_confirm",
        "arrivals.after_fact_before_append",
        "arrivals.after_append_before_publish",
        "anonymization.after_effect_before_fact",
        "anonymization.after_manifest_before_publish",
        "dispatch.after_append_before_publish",
        "dispatch.after_publish_before_ack",
        "feeds.after_append_before_publish",
        "feeds.after_publish_before_ack",
        "runner.after_leased_before_start",
        "runner.after_start_before_end",
        "runner.after_end_before_report",
        "runner.after_report_before_release",
        *(f"{agent}.after_effect_before_ack" for agent in AGENTS),
    }
)
"""Every point there is: ``PROCESS.PLACE``."""


def arm(environment: Mapping[str, str], die: Callable[[], None]) -> Callable[[str], None]:
    """Make the function that stands at the points.

    Parameters
    ----------
    environment
        Where ``CHIPS_CRASH_AT`` may name points, with ``:N`` for the Nth pass (from 1), and
        ``CHIPS_CRASH_DEATHS`` a folder that is there.
    die
        What happens there.

    Raises
    ------
    streams.errors.Rejected
        When there is no such point, or N is not a number from 1 on.
    """
    deaths = Path(environment[DEATHS]) if environment.get(DEATHS) else None
    read = (_read(point) for point in environment.get(VARIABLE, "").split(",") if point)
    armed = {name: at for name, at in read if deaths is None or not (deaths / name).exists()}
    if not armed:
        return lambda _name: None
    # Counting is atomic under the interpreter lock, so that threads need no lock of ours.
    passes = {name: itertools.count(1) for name in armed}

    def point(name: str) -> None:
        if name in armed and next(passes[name]) == armed[name]:
            if deaths:
                (deaths / name).touch()
            die()

    return point


def _read(point: str) -> tuple[str, int]:
    name, _, text = point.partition(":")
    if text and not (text.isdecimal() and int(text)):
        raise Rejected(f"{VARIABLE}={point}: write NAME or NAME:PASS with PASS from 1 on")
    if name not in POINTS:
        raise Rejected(f"{VARIABLE}={point}: there is no such point, but {', '.join(sorted(POINTS))}")
    return name, int(text or 1)


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


crashpoint = arm(os.environ, _kill)
"""Mark a point: ``crashpoint("gateway.after_fsync_before_reply")``."""
