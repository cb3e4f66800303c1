"""Docker Engine, by its SDK: what the runner asks of it, call by call. Everything here blocks.

The SDK is used here and in `confinement`, nowhere else in the agents.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from agents.dispatch.runner.confinement import host_config
from agents.dispatch.runner.steps import Step
from agents.dispatch.runner.workplace import CONTAINER_USER

LABEL_JOB = "chips.job"
LABEL_PROJECT = "chips.project"
LABEL_LIMIT = "chips.limit_s"

TIMEOUT_S = 30
"""For one answer of the engine, s."""

GONE = NotFound
"""There is no such container (any more)."""

NO_IMAGE = ImageNotFound
"""The step's image is not on the engine."""

AWAY = (DockerException, requests.exceptions.RequestException, OSError)
"""The engine does not answer, or not as it should."""


class NotStarted(Exception):  # noqa: N818 - what happened
    """The engine answers and refuses to start this container."""


class Engine:
    """A Docker Engine. Any call may raise one of `AWAY`.

    Parameters
    ----------
    address
        Of the engine; empty: ``DOCKER_HOST`` or the local socket.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._connected: Any = None

    @property
    def _client(self) -> Any:
        if self._connected is None:
            self._connected = (
                docker.DockerClient(base_url=self._address, timeout=TIMEOUT_S)
                if self._address
                else docker.from_env(timeout=TIMEOUT_S)
            )
        return self._connected

    def close(self) -> None:
        """Let go of connections; containers go on."""
        if self._connected is not None:
            self._connected.close()

    def ping(self) -> None:
        """See that it answers."""
        self._client.ping()

    def ours(self) -> list[Any]:
        """Give the containers of all runners, in any state."""
        found = self._client.containers.list(
            all=True, filters={"label": [LABEL_JOB, LABEL_PROJECT, LABEL_LIMIT]}, ignore_removed=True
        )
        return list(found)

    def find(self, name: str) -> Any:
        """Give a container by name or id.

        Raises
        ------
        docker.errors.NotFound
            When there is none.
        """
        return self._client.containers.get(name)

    def find_or_start(self, step: Step) -> Any:
        """Give the step's container, made and started when it is not there.

        Raises
        ------
        docker.errors.ImageNotFound
            When its image is not on the engine.
        NotStarted
            When the engine refuses to start it.
        """
        try:
            container = self.find(step.name)
        except NotFound:
            container = self._create(step)
        if container.status == "created":
            try:
                container.start()
            except APIError as error:
                raise NotStarted(f"could not be started: {error.explanation or error}"[:400]) from error
        return container

    def remove(self, name: str) -> None:
        """Remove a container, running or not; none there is no error."""
        with contextlib.suppress(NotFound):
            self._client.api.remove_container(name, force=True, v=True)

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
            return self.find(step.name)  # another runner was first
        return self.find(made["Id"])


def state_of(container: Any) -> dict[str, Any]:
    """Give a container's state as it is now, as Docker's API has it."""
    container.reload()
    state: dict[str, Any] = container.attrs["State"]
    return state


def kill(container: Any) -> None:
    """End a container that runs."""
    with contextlib.suppress(APIError):  # it ended meanwhile
        container.kill()


def output_lines(container: Any) -> Iterator[bytes]:
    """Give chunks of standard output until the container ends."""
    yield from container.logs(stdout=True, stderr=False, stream=True, follow=True)


def last_errors(container: Any) -> bytes:
    """Give the last lines of standard error."""
    said: bytes = container.logs(stdout=False, stderr=True, tail=20)
    return said
