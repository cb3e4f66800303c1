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

from streams import logs
from streams.errors import Rejected, Unavailable
from streams.settings import Loaded, Settings, load

PR_SET_PDEATHSIG = 1

log = structlog.get_logger()


class Work(Protocol):
    """A room's entry point."""

    def __call__(
        self, settings: Settings, *, stop: asyncio.Event, on_ready: Callable[[], None]
    ) -> Awaitable[None]:
        """Work until `stop` is set; call `on_ready` when it does."""
        ...


def settings_or_exit() -> Loaded:
    """Read the settings; end with what is wrong with them."""
    try:
        return load(os.environ, Path.cwd())
    except Rejected as wrong:
        sys.exit(f"chips: {wrong}")


def run(name: str, work: Work) -> int:
    """Run one process to its end and give its exit status: 0 when it was told to stop.

    What it depends on being away is status 75 (EX_TEMPFAIL): start it again later. A wrong setting is 78
    (EX_CONFIG): starting it again changes nothing.
    """
    settings = settings_or_exit().settings
    logs.configure(settings.log_level, name)
    _die_with_supervisor()
    try:
        asyncio.run(_main(settings, work))
    except Unavailable as away:
        log.error("process.unavailable", error=str(away))  # noqa: TRY400 - the reason says it all
        return os.EX_TEMPFAIL
    except Rejected as wrong:
        log.error("process.refused", error=str(wrong))  # noqa: TRY400 - the reason says it all
        return os.EX_CONFIG
    return 0


async def _main(settings: Settings, work: Work) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await work(settings, stop=stop, on_ready=_tell_supervisor)


def _tell_supervisor() -> None:
    descriptor = os.environ.pop("CHIPS_READY_FD", None)
    if descriptor:
        os.write(int(descriptor), b"1")
        os.close(int(descriptor))


def _die_with_supervisor() -> None:
    # On Linux the kernel tells us when the supervisor is killed; elsewhere an orphan runs on until stopped.
    if "CHIPS_READY_FD" in os.environ and sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def finish(work: object) -> int:
    """Run a command's coroutine; what it refuses or misses is one line and a status."""
    if not asyncio.iscoroutine(work):
        raise TypeError(f"not a coroutine: {work!r}")
    try:
        result = asyncio.run(work)
    except Rejected as wrong:
        print(f"chips: {wrong}", file=sys.stderr)  # noqa: T201 - the command's answer
        return os.EX_USAGE
    except Unavailable as away:
        print(f"chips: {away}", file=sys.stderr)  # noqa: T201 - the command's answer
        return os.EX_TEMPFAIL
    except KeyboardInterrupt:
        return 130
    return int(result or 0)
