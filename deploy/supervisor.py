"""Keeps the processes of ``chips up`` running: starts, restarts with back-off, stops all.

Processes are separate so that one that dies, or is killed, takes nothing with it; whatever they hold is
durable before it is acknowledged, so a restart needs no hand-over.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from deploy.backoff import failures_after, wait_s
from deploy.process import READY
from streams.errors import Misconfigured

STOP_S = 25.0
"""How long a process may take to stop before it is killed, s: longer than the longest handler."""

_TOLD_BYTES = 4096
_TOLD_S = 1.0

log = structlog.get_logger()


@dataclass(frozen=True)
class Child:
    """A process to keep running: ``chips <arguments>``."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]


class Supervisor:
    """Runs children until told to stop.

    To the file descriptor named by ``CHIPS_READY_FD`` each child writes `READY` when it is, or why it can't
    be with these settings; its pid stands in ``<run>/<name>.pid`` for whoever needs to look at it.

    Parameters
    ----------
    children
        What to run.
    run
        Folder of the pid files.
    log
        Where their output goes; None: where ours does.
    held
        File descriptors that every child keeps open as long as it lives: a lock that outlives us.
    """

    def __init__(
        self, children: Sequence[Child], run: Path, log: Path | None = None, held: Iterable[int] = ()
    ) -> None:
        self._children = children
        self._run = run
        self._log = log
        self._held = tuple(held)
        self._refused: list[str] = []

    async def run(self, *, stop: asyncio.Event, on_ready: Callable[[], None] | None = None) -> None:
        """Run all children until `stop` is set; call `on_ready` once, when all have been ready.

        Raises
        ------
        streams.errors.Misconfigured
            When a child can't start with its settings, which starting it again would not change: all have
            been stopped, and `stop` is set.
        """
        await asyncio.to_thread(self._run.mkdir, parents=True, exist_ok=True)
        ready = {child.name: asyncio.Event() for child in self._children}
        async with asyncio.TaskGroup() as tasks:
            for child in self._children:
                tasks.create_task(self._keep(child, ready[child.name], stop))
            announcing = tasks.create_task(_announce(list(ready.values()), on_ready))
            await stop.wait()
            announcing.cancel()
        if self._refused:
            raise Misconfigured("; ".join(self._refused))

    async def _keep(self, child: Child, ready: asyncio.Event, stop: asyncio.Event) -> None:
        failures = 0
        while not stop.is_set():
            started = time.monotonic()
            status = await self._once(child, ready, stop)
            if stop.is_set() or self._refused:
                stop.set()
                return
            failures = failures_after(failures, time.monotonic() - started)
            wait = wait_s(failures)
            log.warning("supervisor.ended", child=child.name, status=status, restart_in_s=wait)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), wait)

    async def _once(self, child: Child, ready: asyncio.Event, stop: asyncio.Event) -> int:
        reading, writing = os.pipe()
        output = self._log.open("ab") if self._log else None
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "deploy.cli",
                *child.arguments,
                env={**child.environment, "CHIPS_READY_FD": str(writing)},
                pass_fds=[writing, *self._held],
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C comes to us alone; we stop them in order
            )
        finally:
            os.close(writing)
            if output:
                output.close()
        pid = self._run / f"{child.name}.pid"
        await asyncio.to_thread(pid.write_text, str(process.pid), encoding="ascii")
        log.info("supervisor.started", child=child.name, pid=process.pid)
        watching = asyncio.create_task(self._listen(child, reading, ready))
        ending = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({ending, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not ending.done():
                process.terminate()
                try:
                    await asyncio.wait_for(asyncio.shield(ending), STOP_S)
                except TimeoutError:
                    log.warning("supervisor.killed", child=child.name, pid=process.pid)
                    process.kill()
            status = await ending
            # What it said stands in the pipe, which its end has closed.
            await asyncio.wait({watching}, timeout=_TOLD_S)
            return status
        finally:
            if process.returncode is None:
                process.kill()
            for task in (watching, stopping):
                task.cancel()
            await asyncio.gather(watching, stopping, return_exceptions=True)
            await asyncio.to_thread(pid.unlink, missing_ok=True)

    async def _listen(self, child: Child, reading: int, ready: asyncio.Event) -> None:
        """Hear what a child says of itself, until it closes the pipe."""
        reader = asyncio.StreamReader()
        with os.fdopen(reading, "rb", buffering=0) as pipe:
            transport, _ = await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), pipe
            )
            try:
                told = await reader.read(_TOLD_BYTES)
            finally:
                transport.close()
        if told == READY:
            ready.set()
        elif told:
            self._refused.append(f"{child.name} can't start: {told.decode(errors='replace')}")


async def _announce(ready: Sequence[asyncio.Event], on_ready: Callable[[], None] | None) -> None:
    for event in ready:
        await event.wait()
    if on_ready:
        on_ready()
