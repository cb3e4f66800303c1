"""How steps will run on this machine, and the images that they run in."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Literal

from deploy.docker_host import docker_address, engine_answers
from deploy.exits import Exit, told
from deploy.images import BASE, EngineAway, NotBuilt, build
from deploy.process import settings_here
from deploy.terminal import say
from plugins.contract.registry import load_registry
from streams.settings import Settings

Isolation = Literal["docker", "subprocess"]


def build_all(address: str, base: str, tell: Callable[[str], None]) -> None:
    """Build every plugin's image that is not there yet.

    Raises
    ------
    deploy.images.NotBuilt
        When one can't be built.
    deploy.images.EngineAway
        When Docker Engine does not answer.
    """
    for name in load_registry():
        built = build(name, address, base)
        tell(f"{built.tag}: {'built' if built.fresh else 'is there'}")


def build_images(base: str | None) -> int:
    """``chips plugins build``: exit status 0 when all images are there."""

    def work() -> int:
        address = docker_address(settings_here().settings)
        build_all(address, base or os.environ.get("CHIPS_PLUGIN_BASE", BASE), say)
        return Exit.OK

    return told(work)


def prepare(settings: Settings, tell: Callable[[str], None]) -> Isolation:
    """Make what the setting needs: images for Docker Engine, or a plain word that steps run as subprocesses.

    Raises
    ------
    deploy.images.NotBuilt, deploy.images.EngineAway
        When Docker is demanded and can't be had. With ``auto`` a missing engine, or an image that can't be
        built, means subprocesses, and is said.
    """
    address = docker_address(settings)
    demanded = settings.isolation == "docker"
    if settings.isolation == "subprocess" or not (demanded or engine_answers(address)):
        tell("Steps run as limited subprocesses, not in containers: Docker Engine is not used here.")
        return "subprocess"
    tell(
        "Docker Engine answers: looking for the plugins' images (the first build fetches a base and wheels)."
    )
    try:
        build_all(address, os.environ.get("CHIPS_PLUGIN_BASE", BASE), tell)
    except (NotBuilt, EngineAway) as problem:
        if demanded:
            raise
        tell(f"Steps run as limited subprocesses, not in containers: {problem}")
        return "subprocess"
    return "docker"
