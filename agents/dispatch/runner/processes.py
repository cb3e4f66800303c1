"""Steps as limited subprocesses, where there is no container engine. Plainly marked as such.

Limits on memory, processor time, files and file size, no network where the kernel allows, a session of its
own. It dies with the runner; so nothing is gone on with, and the next runner begins the attempt again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

from agents.dispatch.runner.lines import Lines, last_line
from agents.dispatch.runner.planning import explain_exit
from agents.dispatch.runner.steps import Ended, LineSink, Started, Step
from agents.dispatch.runner.workplace import size_of
from plugins.contract.types import Resources
from streams.errors import Unavailable

ADDRESS_SPACE_EXTRA = 2**30
"""Bytes of address space beyond the memory limit: libraries map more than they use."""

OPEN_FILES = 1024
KEPT_STDERR = 64 * 1024
LOOK_S = 1.0
"""Between two looks at the size of the output, s."""

THREADS = "2"


class SubprocessRuntime:
    """Runs ``python -m plugins.<name>`` confined by `agents.dispatch.runner.confined`.

    Parameters
    ----------
    path
        Where Python finds our packages and the plugins', as PYTHONPATH; ours by default.
    """

    isolation: Literal["subprocess"] = "subprocess"

    def __init__(self, path: str = "") -> None:
        self._path = path or str(Path(__file__).resolve().parents[3])

    async def check(self) -> None:
        """Nothing can be away."""

    async def run(self, step: Step, on_line: LineSink, on_started: Started) -> Ended:
        """Run a step to its end."""
        began = time.monotonic()
        output = step.folder / "output"
        scratch = step.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        process = await self._start(step, scratch)
        try:
            await on_started()
            cause = await _watch(process, step, on_line)
        finally:
            _kill_session(process)
            await process.wait()
        return Ended(cause=cause, seconds=time.monotonic() - began, output=output)

    async def remove(self, step: Step) -> None:
        """Do nothing: a step's process never outlives `run`."""

    async def sweep(self, is_over: Callable[[str, str], Awaitable[bool]]) -> int:  # noqa: ARG002 - see below
        """Do nothing: a step's process dies with its runner."""
        return 0

    async def close(self) -> None:
        """Hold nothing."""

    async def _start(self, step: Step, scratch: Path) -> asyncio.subprocess.Process:
        python = sys.executable
        command = [
            *(python, "-m", "agents.dispatch.runner.confined", json.dumps(_limits(step.plugin.resources))),
            *("--", python, "-m", f"plugins.{step.plugin.name}"),
            *("--input", str(step.folder / "input"), "--output", str(step.folder / "output")),
        ]
        try:
            return await asyncio.create_subprocess_exec(
                *command,
                cwd=scratch,
                env=_environment(self._path, scratch),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise Unavailable(f"Cannot start a subprocess: {error.strerror}") from error


async def _watch(process: asyncio.subprocess.Process, step: Step, on_line: LineSink) -> str | None:
    """Follow a process until it ends or breaks a limit; give the cause of a bad end."""
    resources = step.plugin.resources
    said = asyncio.ensure_future(_read_errors(process.stderr))
    followed = asyncio.ensure_future(_read_lines(process.stdout, on_line))
    ended = asyncio.ensure_future(process.wait())
    try:
        async with asyncio.timeout(resources.seconds):
            while not (await asyncio.wait({ended}, timeout=LOOK_S))[0]:
                if await asyncio.to_thread(size_of, step.folder / "output") > resources.output_bytes:
                    return f"wrote more than its output limit of {resources.output_bytes} bytes"
    except TimeoutError:
        return f"took longer than its limit of {resources.seconds} s"
    finally:
        _kill_session(process)
        _, slow = await asyncio.wait({said, followed, ended}, timeout=5)
        for reader in slow:
            reader.cancel()
    text = said.result() if said.done() and not said.cancelled() else b""
    return explain_exit(
        ended.result(), last_line(text), out_of_memory=False, memory_bytes=resources.memory_bytes
    )


async def _read_lines(stream: asyncio.StreamReader | None, on_line: LineSink) -> None:
    lines = Lines()
    while stream and (chunk := await stream.read(8192)):
        for line in lines.feed(chunk):
            on_line(line)


async def _read_errors(stream: asyncio.StreamReader | None) -> bytes:
    kept = b""
    while stream and (chunk := await stream.read(8192)):
        kept = (kept + chunk)[-KEPT_STDERR:]
    return kept


def _kill_session(process: asyncio.subprocess.Process) -> None:
    """End the step and whatever it started: it leads a session, and so a process group, of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _limits(resources: Resources) -> dict[str, int]:
    limits = {
        "CPU": resources.seconds * int(THREADS),
        "NOFILE": OPEN_FILES,
        "FSIZE": resources.output_bytes,
        "CORE": 0,
    }
    if sys.platform == "linux":
        limits["AS"] = resources.memory_bytes + ADDRESS_SPACE_EXTRA
        # Counts all threads of the user, who may have others; so it only stops what runs away.
        limits["NPROC"] = 4096
    return limits


def _environment(path: str, scratch: Path) -> dict[str, str]:
    """Give the step nothing of ours but where Python finds it."""
    threads = dict.fromkeys(
        (
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "MKL_NUM_THREADS",
            "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
        ),
        THREADS,
    )
    return {
        "PATH": os.defpath,
        "PYTHONPATH": path,
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "LANG": "C.UTF-8",
        **threads,
    }
