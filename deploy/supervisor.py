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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from deploy.backoff import failures_after, wait_s

STOP_S = 25.0
"""How long a process may take to stop before it is killed, s: longer than the longest handler."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Child:
    """A process to keep running: ``chips <arguments>``."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]


class Supervisor:
    """Runs children until told to stop.

    Each child writes one byte to the file descriptor named by ``CHIPS_READY_FD`` when it is ready; its pid
    stands in ``<run>/<name>.pid`` for whoever needs to look at it.
    """

    def __init__(self, children: Sequence[Child], run: Path, log: Path | None = None) -> None:
        self._children = children
        self._run = run
        self._log = log

    async def run(self, *, stop: asyncio.Event, on_ready: Callable[[], None] | None = None) -> None:
        """Run all children until `stop` is set; call `on_ready` once, when all have been ready."""
        await asyncio.to_thread(self._run.mkdir, parents=True, exist_ok=True)
        ready = {child.name: asyncio.Event() for child in self._children}
        async with asyncio.TaskGroup() as tasks:
            for child in self._children:
                tasks.create_task(self._keep(child, ready[child.name], stop))
            announcing = tasks.create_task(_announce(list(ready.values()), on_ready))
            await stop.wait()
            announcing.cancel()

    async def _keep(self, child: Child, ready: asyncio.Event, stop: asyncio.Event) -> None:
        failures = 0
        while not stop.is_set():
            started = time.monotonic()
            status = await self._once(child, ready, stop)
            if stop.is_set():
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
                pass_fds=[writing],
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
        watching = asyncio.create_task(_await_ready(reading, ready))
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
            return await ending
        finally:
            if process.returncode is None:
                process.kill()
            for task in (watching, stopping):
                task.cancel()
            await asyncio.gather(watching, stopping, return_exceptions=True)
            await asyncio.to_thread(pid.unlink, missing_ok=True)


async def _await_ready(reading: int, ready: asyncio.Event) -> None:
    reader = asyncio.StreamReader()
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        try:
            if await reader.read(1):
                ready.set()
        finally:
            transport.close()


async def _announce(ready: Sequence[asyncio.Event], on_ready: Callable[[], None] | None) -> None:
    for event in ready:
        await event.wait()
    if on_ready:
        on_ready()
