"""What every single process does around its work: settings, logs, signals, readiness, exit status."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import structlog

from deploy.exits import FAMILIES, Exit, status_of
from streams import logs
from streams.errors import Rejected
from streams.settings import Loaded, Settings, load

PR_SET_PDEATHSIG = 1
READY = b"1"
"""What a process writes to its supervisor when it is ready; anything else is why it can't be."""
_WHY_BYTES = 2000

log = structlog.get_logger()


class Work(Protocol):
    """A room's entry point."""

    def __call__(
        self, settings: Settings, *, stop: asyncio.Event, on_ready: Callable[[], None]
    ) -> Awaitable[None]:
        """Work until `stop` is set; call `on_ready` when it does."""
        ...


def settings_here() -> Loaded:
    """Read the settings of this environment and working directory.

    Raises
    ------
    streams.errors.Misconfigured
        When they are wrong.
    """
    return load(os.environ, Path.cwd())


def run(name: str, work: Work) -> int:
    """Run one process to its end and give its exit status, as `deploy.exits` lists them; 0 when told to stop.

    Whatever ends it is one JSON line. To a process, which has no caller, all that is `Rejected` is a matter
    of its settings.
    """
    logs.configure("info", name)
    try:
        settings = settings_here().settings
        logs.configure(settings.log_level, name)
        _die_with_supervisor()
        asyncio.run(_main(settings, work))
    except FAMILIES as error:
        status = status_of(error)
        if status is Exit.USAGE:
            status = Exit.CONFIG
        kind = "process.refused" if isinstance(error, Rejected) else "process.failed"
        log.error(kind, error=str(error), status=int(status))  # noqa: TRY400 - the reason says it all
        if status is Exit.CONFIG:
            _tell_supervisor(str(error).encode()[:_WHY_BYTES])
        return status
    return Exit.OK


async def _main(settings: Settings, work: Work) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await work(settings, stop=stop, on_ready=lambda: _tell_supervisor(READY))


def _tell_supervisor(what: bytes) -> None:
    descriptor = os.environ.pop("CHIPS_READY_FD", None)
    if descriptor:
        os.write(int(descriptor), what)
        os.close(int(descriptor))


def _die_with_supervisor() -> None:
    # On Linux the kernel tells us when the supervisor is killed; elsewhere an orphan runs on until stopped.
    if "CHIPS_READY_FD" in os.environ and sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
