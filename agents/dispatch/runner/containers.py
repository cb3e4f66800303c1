"""Steps in containers, by Docker Engine. The only user of the Docker SDK, which blocks: it runs in threads.

Each container has no network, no rights, a read-only root, and limits on memory, processes, time and output.
It is named after job and attempt, and gone on with when it exists: by this runner or another one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from agents.dispatch.runner.confinement import host_config
from agents.dispatch.runner.lines import Lines, last_line
from agents.dispatch.runner.planning import explain_exit
from agents.dispatch.runner.steps import Ended, LineSink, Started, Step
from agents.dispatch.runner.workplace import CONTAINER_USER, size_of
from streams.errors import Unavailable

LABEL_JOB = "chips.job"
LABEL_PROJECT = "chips.project"
LABEL_LIMIT = "chips.limit_s"

TIMEOUT_S = 30
"""For one answer of the engine, s."""

LOOK_S = 1.0
"""Between two looks at a running container, s."""

AWAY_S = 60.0
"""How long the engine may be away while a step runs, s."""

GRACE_S = 60.0
"""How long beyond its limit a container may be before a sweep takes it for abandoned, s."""

T = TypeVar("T")

_AWAY = (requests.exceptions.RequestException, OSError)


class NotStarted(Exception):  # noqa: N818 - what happened
    """The engine answers and refuses to start this container."""


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
        self._address = address
        self._connected: Any = None

    async def check(self) -> None:
        """See that the engine answers.

        Raises
        ------
        streams.errors.Unavailable
            When it does not.
        """
        await self._call(self._ping)

    async def run(self, step: Step, on_line: LineSink, on_started: Started) -> Ended:
        """Run a step in its container, or go on with the container when it exists."""
        began = time.monotonic()
        try:
            container = await self._call(partial(self._find_or_start, step))
        except ImageNotFound:
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
        await self._call(partial(self._remove, step.name))

    async def sweep(self, is_over: Callable[[str, str], Awaitable[bool]]) -> int:
        """Remove containers of ended jobs, and such as ran long beyond their time."""
        removed = 0
        for container in await self._call(self._ours):
            labels = container.labels
            over = await is_over(labels[LABEL_PROJECT], labels[LABEL_JOB])
            if over or _abandoned(container.attrs, float(labels[LABEL_LIMIT])):
                await self._call(partial(self._remove, container.id))
                removed += 1
        return removed

    async def close(self) -> None:
        """Let go of threads and connections; containers go on."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._connected is not None:
            self._connected.close()

    # -- what blocks

    @property
    def _client(self) -> Any:
        if self._connected is None:
            self._connected = (
                docker.DockerClient(base_url=self._address, timeout=TIMEOUT_S)
                if self._address
                else docker.from_env(timeout=TIMEOUT_S)
            )
        return self._connected

    def _ping(self) -> None:
        self._client.ping()

    def _ours(self) -> list[Any]:
        found = self._client.containers.list(
            all=True, filters={"label": [LABEL_JOB, LABEL_PROJECT, LABEL_LIMIT]}, ignore_removed=True
        )
        return list(found)

    def _find_or_start(self, step: Step) -> Any:
        try:
            container = self._client.containers.get(step.name)
        except NotFound:
            container = self._create(step)
        if container.status == "created":
            try:
                container.start()
            except APIError as error:
                raise NotStarted(f"could not be started: {error.explanation or error}"[:400]) from error
        return container

    def _create(self, step: Step) -> Any:
        api = self._client.api
        resources = step.plugin.resources
        try:
            made = api.create_container(
                step.plugin.image,
                ["--input", "/input", "--output", "/output"],
                user=f"{CONTAINER_USER}:{CONTAINER_USER}",
                name=step.name,
                environment={"HOME": "/tmp", "TMPDIR": "/tmp"},  # noqa: S108 - the container's own tmpfs
                working_dir="/tmp",  # noqa: S108 - likewise
                network_disabled=True,
                labels={
                    LABEL_JOB: step.job,
                    LABEL_PROJECT: step.project,
                    LABEL_LIMIT: str(resources.seconds),
                },
                host_config=api.create_host_config(
                    **host_config(resources, step.folder, step.group, self._client.info()["NCPU"])
                ),
            )
        except APIError as error:
            if error.status_code != requests.codes.conflict:
                raise
            return self._client.containers.get(step.name)  # another runner was first
        return self._client.containers.get(made["Id"])

    def _remove(self, name: str) -> None:
        with contextlib.suppress(NotFound):
            self._client.api.remove_container(name, force=True, v=True)

    # -- following

    def _follow(self, container: Any, on_line: LineSink) -> asyncio.Future[None]:
        """Bring the lines of standard output to the loop, from a thread."""
        loop = asyncio.get_running_loop()

        def read() -> None:
            lines = Lines()
            with contextlib.suppress(DockerException, *_AWAY):  # progress may be lost
                for chunk in _stream(container):
                    for line in lines.feed(chunk):
                        loop.call_soon_threadsafe(on_line, line)

        return loop.run_in_executor(self._threads, read)

    async def _watch(self, container: Any, step: Step, output: Path) -> str | None:
        """Wait until the container ends or breaks a limit; give the cause when it broke one."""
        resources = step.plugin.resources
        started = datetime.now(UTC)
        away_since: float | None = None
        while True:
            try:
                state = await self._call(partial(_state, container))
            except NotFound:
                return "its container was removed by someone else"
            except Unavailable:
                away_since = away_since or time.monotonic()
                if time.monotonic() - away_since > AWAY_S:
                    raise
                await asyncio.sleep(LOOK_S)
                continue
            away_since = None
            if state["Status"] in {"exited", "dead"}:
                return None
            if state["Status"] == "running" and _ran(state, started) > resources.seconds:
                await self._call(partial(_kill, container))
                return f"took longer than its limit of {resources.seconds} s"
            if await asyncio.to_thread(size_of, output) > resources.output_bytes:
                await self._call(partial(_kill, container))
                return f"wrote more than its output limit of {resources.output_bytes} bytes"
            await asyncio.sleep(LOOK_S)

    async def _judge(self, step: Step) -> str | None:
        """Give the cause of a bad end; None for a good one."""
        try:
            container = await self._call(partial(self._client.containers.get, step.name))
            text = await self._call(partial(container.logs, stdout=False, stderr=True, tail=20))
        except NotFound:
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
        except (ImageNotFound, NotFound, NotStarted):
            raise
        except (DockerException, *_AWAY) as error:
            raise Unavailable(f"Docker Engine: {error}") from error


def _state(container: Any) -> dict[str, Any]:
    container.reload()
    state: dict[str, Any] = container.attrs["State"]
    return state


def _kill(container: Any) -> None:
    with contextlib.suppress(APIError):  # it ended meanwhile
        container.kill()


def _stream(container: Any) -> Iterator[bytes]:
    yield from container.logs(stdout=True, stderr=False, stream=True, follow=True)


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


def _ran(state: dict[str, Any], since: datetime) -> float:
    return (datetime.now(UTC) - (_time(state.get("StartedAt", "")) or since)).total_seconds()


def _abandoned(attributes: dict[str, Any], limit_s: float) -> bool:
    """Tell whether a container is so old that no runner can be watching it."""
    created = _time(attributes["Created"])
    return created is not None and (datetime.now(UTC) - created).total_seconds() > limit_s + GRACE_S


def _time(text: str) -> datetime | None:
    """Read Docker's time, whose nanoseconds Python does not take; None for its zero."""
    try:
        read = datetime.fromisoformat(text[:19] + "+00:00")
    except ValueError:
        return None
    return read if read.year > 1 else None
