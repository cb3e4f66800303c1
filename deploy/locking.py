"""One `chips up` a data folder: a lock that lasts as long as it or any of its processes."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from deploy.supervisor import STOP_S
from streams.errors import Misconfigured

WAIT_S = STOP_S + 10.0
"""How long the processes of a killed `chips up` are waited for, s."""

_POLL_S = 0.1


@contextlib.asynccontextmanager
async def only_here(folder: Path, tell: Callable[[str], None]) -> AsyncIterator[int]:
    """Hold the data folder's lock; gives its file descriptor, for the processes that share it.

    When a `chips up` was killed, its processes stop by themselves and hold the lock until they have: they are
    waited for.

    Raises
    ------
    streams.errors.Misconfigured
        When another `chips up` runs on the folder.
    """
    run = folder / "run"
    await asyncio.to_thread(run.mkdir, parents=True, exist_ok=True)
    descriptor = os.open(run / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + WAIT_S
        told = False
        while not _locked(descriptor):
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            if _lives(holder) or time.monotonic() > deadline:
                raise Misconfigured(
                    f"CHIPS runs on {folder} already (process {holder or '?'}): stop that one, or name "
                    "another folder in CHIPS_DATA."
                )
            if not told:
                tell("Waiting for the processes of a CHIPS that was killed to end.")
                told = True
            await asyncio.sleep(_POLL_S)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lives(holder: str) -> bool:
    """Tell whether the process of this id lives; one whose id is not written yet does."""
    if not holder.isdecimal():
        return True
    try:
        os.kill(int(holder), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
