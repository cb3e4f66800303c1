"""Docker Engine: where it is, and whether it answers."""

from __future__ import annotations

import os

import docker
import docker.errors

from streams.settings import Settings

ANSWER_S = 5
DEFAULT_HOST = "unix:///var/run/docker.sock"


def docker_address(settings: Settings) -> str:
    """Give the address of Docker Engine: the setting, DOCKER_HOST, or the local socket."""
    return settings.docker_host or os.environ.get("DOCKER_HOST") or DEFAULT_HOST


def engine_version(address: str) -> str | None:
    """Ask a Docker Engine (named as ``DOCKER_HOST`` does) for its version; None: no answer in `ANSWER_S`."""
    try:
        client = docker.DockerClient(base_url=address, timeout=ANSWER_S)
    except docker.errors.DockerException:
        return None
    try:
        return str(client.version()["Version"])
    except (docker.errors.DockerException, OSError):
        return None
    finally:
        client.close()


def engine_answers(address: str) -> bool:
    """Tell whether a Docker Engine answers within `ANSWER_S`."""
    return engine_version(address) is not None
