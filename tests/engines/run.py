"""The folder of one test run: what its first worker starts, the others use, and the run's end stops.

A run that was killed leaves its engines running; the next run finds them by the folder whose owner is gone,
and ends them.
"""

from __future__ import annotations

import fcntl
import getpass
import os
import shutil
import tempfile
from pathlib import Path
from typing import TextIO

from deploy.docker_host import engine_answers
from deploy.engines.artefacts import exclusively
from deploy.engines.docker_engine import DockerEngine, ensure_base_image
from deploy.engines.pair import Engines
from tests.engines.ports import free_ports

FOLDER = "CHIPS_TEST_RUN"
RUNNING = "CHIPS_TEST_ENGINES"


class TestRun:
    """Made by the process that the user started; its children find the folder in the environment."""

    __test__ = False

    def __init__(self) -> None:
        root = Path(tempfile.gettempdir()) / f"chips-tests-{getpass.getuser()}"
        root.mkdir(mode=0o700, exist_ok=True)
        with exclusively(root / "sweep.lock"):
            for left in root.glob("run-*"):
                _sweep(left)
            # A short path: a socket's may not exceed 100 bytes.
            self.folder = Path(tempfile.mkdtemp(dir=root, prefix="run-"))
            self._owner: TextIO = (self.folder / "owner.lock").open("w")
            fcntl.flock(self._owner, fcntl.LOCK_EX)
        os.environ[FOLDER] = str(self.folder)

    def end(self) -> None:
        """Stop what the run started, and take its folder away."""
        os.environ.pop(FOLDER, None)
        _stop(self.folder)
        # Closed last: until then no other run takes this one for a dead one.
        shutil.rmtree(self.folder, ignore_errors=True)
        self._owner.close()


def shared_engines() -> Engines:
    """Return the run's Kafka and Cassandra, started by whoever asks first."""
    given = os.environ.get(RUNNING)
    if given:
        engines = Engines(Path(given))
        assert all(state.answers for state in engines.status()), (
            f"{RUNNING}={given} names engines that do not answer: chips engines up --home {given}"
        )
        return engines
    folder = _folder()
    with exclusively(folder / "engines.lock"):
        known = (folder / "engines.json").exists()
        engines = Engines(folder) if known else fresh_engines(folder)
        if not all(state.pid for state in engines.status()):
            engines.up()
    return engines


def fresh_engines(folder: Path) -> Engines:
    """Return engines in ``folder`` on free ports, not started."""
    kafka, controller, cassandra, storage = free_ports(4)
    return Engines(folder, kafka, cassandra, controller_port=controller, storage_port=storage)


def shared_docker() -> str:
    """Return the address of a Docker Engine with the base image, started by whoever asks first.

    As root: one of our own. Else: the one that ``DOCKER_HOST`` names, or the machine's.
    """
    given = os.environ.get(RUNNING)
    if given and (Path(given) / "docker.sock").exists():
        return _started_docker(Path(given))
    if os.geteuid() != 0:
        url = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        assert engine_answers(url), f"No Docker Engine answers at {url}: start one, or run the tests as root."
        return ensure_base_image(url)
    return _started_docker(_folder())


def _started_docker(folder: Path) -> str:
    with exclusively(folder / "docker.lock"):
        docker = _docker(folder)
        docker.start()
        docker.ensure_base_image()
    return docker.url


def _docker(folder: Path) -> DockerEngine:
    return DockerEngine(folder / "docker", folder / "docker.sock")


def _folder() -> Path:
    return Path(os.environ[FOLDER])


def _stop(folder: Path) -> None:
    Engines(folder).down()
    _docker(folder).stop()


def _sweep(left: Path) -> None:
    """End what a killed run left, unless its owner lives."""
    try:
        with (left / "owner.lock").open() as owner:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (FileNotFoundError, BlockingIOError):
        return
    _stop(left)
    shutil.rmtree(left, ignore_errors=True)
