"""Steps in containers, by Docker Engine, whose calls block: they run in threads of their own.

Each container has no network, no rights, a read-only root, and limits on memory, processes, time and output.
It is named after job and attempt, and gone on with when it exists: by this runner or another one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from agents.dispatch.runner.container_state import has_ended, is_abandoned, overdue
from agents.dispatch.runner.engine import (
    AWAY,
    GONE,
    LABEL_JOB,
    LABEL_LIMIT,
    LABEL_PROJECT,
    NO_IMAGE,
    Engine,
    NotStarted,
    kill,
    last_errors,
    output_lines,
    state_of,
)
from agents.dispatch.runner.lines import Lines, last_line
from agents.dispatch.runner.planning import explain_exit
from agents.dispatch.runner.steps import Ended, LineSink, Started, Step
from agents.dispatch.runner.workplace import size_of
from streams.errors import Unavailable

LOOK_S = 1.0
"""Between two looks at a running container, s."""

AWAY_S = 60.0
"""How long the engine may be away while a step runs, s."""

T = TypeVar("T")


class DockerRuntime:
    """Runs steps on a Docker Engine.

    Parameters
    ----------
    address
        Of the engine; empty: ``DOCKER_HOST`` or the local socket.
    slots
        Containers side by side.
    """

    isolation: Literal["docker"] = "docker"

    def __init__(self, address: str, slots: int) -> None:
        # Each step holds one thread with its log; the others answer short calls.
        self._threads = ThreadPoolExecutor(2 * slots + 2, thread_name_prefix="docker")
        self._engine = Engine(address)

    async def check(self) -> None:
        """See that the engine answers.

        Raises
        ------
        streams.errors.Unavailable
            When it does not.
        """
        await self._call(self._engine.ping)

    async def run(self, step: Step, on_line: LineSink, on_started: Started) -> Ended:
        """Run a step in its container, or go on with the container when it exists."""
        began = time.monotonic()
        try:
            container = await self._call(partial(self._engine.find_or_start, step))
        except NO_IMAGE:
            return Ended(
                cause=f"image {step.plugin.image} is not on the engine: build it with `chips plugins build`",
                seconds=0.0,
                output=step.folder / "output",
            )
        except NotStarted as error:
            return Ended(cause=str(error), seconds=0.0, output=step.folder / "output")
        await on_started()
        output = _output_of(container, step)
        follower = self._follow(container, on_line)
        try:
            cause = await self._watch(container, step, output)
        finally:
            await _finish(follower)
        return Ended(cause=cause or await self._judge(step), seconds=time.monotonic() - began, output=output)

    async def remove(self, step: Step) -> None:
        """Remove a step's container, running or not."""
        await self._call(partial(self._engine.remove, step.name))

    async def sweep(self, is_over: Callable[[str, str], Awaitable[bool]]) -> int:
        """Remove containers of ended jobs, and such as ran long beyond their time."""
        removed = 0
        for container in await self._call(self._engine.ours):
            labels = container.labels
            over = await is_over(labels[LABEL_PROJECT], labels[LABEL_JOB])
            if over or is_abandoned(container.attrs, datetime.now(UTC), float(labels[LABEL_LIMIT])):
                await self._call(partial(self._engine.remove, container.id))
                removed += 1
        return removed

    async def close(self) -> None:
        """Let go of threads and connections; containers go on."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._engine.close()

    def _follow(self, container: Any, on_line: LineSink) -> asyncio.Future[None]:
        """Bring the lines of standard output to the loop, from a thread."""
        loop = asyncio.get_running_loop()

        def read() -> None:
            lines = Lines()
            with contextlib.suppress(*AWAY):  # progress may be lost
                for chunk in output_lines(container):
                    for line in lines.feed(chunk):
                        loop.call_soon_threadsafe(on_line, line)

        return loop.run_in_executor(self._threads, read)

    async def _watch(self, container: Any, step: Step, output: Path) -> str | None:
        """Wait until the container ends or breaks a limit; give the cause when it broke one."""
        resources = step.plugin.resources
        since = datetime.now(UTC)
        away_since: float | None = None
        while True:
            try:
                state = await self._call(partial(state_of, container))
            except GONE:
                return "its container was removed by someone else"
            except Unavailable:
                away_since = away_since or time.monotonic()
                if time.monotonic() - away_since > AWAY_S:
                    raise
                await asyncio.sleep(LOOK_S)
                continue
            away_since = None
            if has_ended(state):
                return None
            cause = overdue(state, since, datetime.now(UTC), resources.seconds)
            if cause is None and await asyncio.to_thread(size_of, output) > resources.output_bytes:
                cause = f"wrote more than its output limit of {resources.output_bytes} bytes"
            if cause:
                await self._call(partial(kill, container))
                return cause
            await asyncio.sleep(LOOK_S)

    async def _judge(self, step: Step) -> str | None:
        """Give the cause of a bad end; None for a good one."""
        try:
            container = await self._call(partial(self._engine.find, step.name))
            text = await self._call(partial(last_errors, container))
        except GONE:
            return "its container was removed by someone else"
        state = container.attrs["State"]
        if state.get("Error"):
            return f"could not be started: {state['Error']}"[:400]
        return explain_exit(
            state["ExitCode"],
            last_line(text),
            out_of_memory=bool(state["OOMKilled"]),
            memory_bytes=step.plugin.resources.memory_bytes,
        )

    async def _call(self, call: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, call)
        except (NO_IMAGE, GONE, NotStarted):
            raise
        except AWAY as error:
            raise Unavailable(f"Docker Engine: {error}") from error


async def _finish(follower: asyncio.Future[None]) -> None:
    """Wait for the last lines; a container that goes on keeps its thread until it ends."""
    await asyncio.wait({follower}, timeout=2)
    follower.cancel()


def _output_of(container: Any, step: Step) -> Path:
    """Give the folder that the container writes to: another runner may have made it."""
    for mount in container.attrs.get("Mounts", []):
        if mount["Destination"] == "/output":
            return Path(mount["Source"])
    return step.folder / "output"
