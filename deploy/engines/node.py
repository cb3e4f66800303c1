"""One node of an engine on 127.0.0.1: what Kafka and Cassandra have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from string import Template
from typing import ClassVar

from deploy.engines.artefacts import fetch
from deploy.engines.java import find_java
from deploy.engines.process import DetachedProcess

_HERE = Path(__file__).parent


class Node(ABC):
    """A node whose data, settings and log live in one folder.

    Parameters
    ----------
    home
        The folder; made when missing, reused when it holds a node's data.
    port, own_port
        Where clients connect, and where nodes talk to each other.
    cache
        Where the jars are kept, see `deploy.engines.artefacts.cache_root`.

    Attributes
    ----------
    home
        The folder, absolute.
    """

    NAME: ClassVar[str]
    """What messages call it; lower case, its files."""
    SETTINGS: ClassVar[str]
    """The settings file that it reads; its template lies beside this module."""
    START_S: ClassVar[int]
    STOP_S: ClassVar[int]

    def __init__(self, home: Path, *, port: int, own_port: int, cache: Path) -> None:
        self.home = home.absolute()
        self._cache = cache
        self._port = port
        self._own_port = own_port
        name = self.NAME.lower()
        self._process = DetachedProcess(self.NAME, self.home / f"{name}.pid", self.home / f"{name}.log")

    @property
    def address(self) -> str:
        """HOST:PORT for clients."""
        return f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid()

    def fetch(self) -> Path:
        """Fetch its jars unless they are there; see `deploy.engines.artefacts.fetch`."""
        return fetch(_HERE / f"{self.NAME.lower()}.pom.xml", self._cache)

    def begin(self) -> None:
        """Start it without waiting; nothing happens when it runs."""
        lib = self.fetch()
        settings = self.home / self.SETTINGS
        self.home.mkdir(parents=True, exist_ok=True)
        template = Template((_HERE / self.SETTINGS).read_text(encoding="utf-8"))
        places = {"port": self._port, "own_port": self._own_port, "data": self.home / "data"}
        # The template's comment shows the marker itself.
        settings.write_text(template.safe_substitute(places), encoding="utf-8")
        if self.pid is None:
            self._prepare(lib, settings)
        self._process.start(self._java(lib, *self._command(settings)))

    def wait(self) -> None:
        """Wait until it answers.

        Raises
        ------
        Unavailable
            It ended or did not answer in time; the message carries the end of its log.
        """
        self._process.wait_until(self.answers, self.START_S)

    def start(self) -> None:
        """`begin`, then `wait`."""
        self.begin()
        self.wait()

    def stop(self) -> None:
        """End it in an orderly way, or by force when that takes too long."""
        self._process.stop(self.STOP_S)

    def kill(self) -> None:
        """End it as kill -9 does; `start` takes it up again on the same data."""
        self._process.kill()

    @abstractmethod
    def answers(self) -> bool:
        """Tell whether a client gets an answer."""

    @abstractmethod
    def _command(self, settings: Path) -> list[str]:
        """Give the Java options, the main class and its arguments."""

    @abstractmethod
    def _prepare(self, lib: Path, settings: Path) -> None:
        """Do what must be done before it starts, when it does not run."""

    def _java(self, lib: Path, *arguments: str) -> list[str]:
        return [str(find_java()), "-cp", f"{lib}/*", *arguments]
