"""One Kafka node (KRaft: broker and controller in one process)."""

from __future__ import annotations

import base64
import uuid
from pathlib import Path
from string import Template
from subprocess import DEVNULL, PIPE, STDOUT, SubprocessError, run

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.engines.artefacts import fetch
from deploy.engines.java import find_java
from deploy.engines.process import DetachedProcess
from streams.errors import Unavailable

_HERE = Path(__file__).parent
_START_SECONDS = 120
_STOP_SECONDS = 30
_FORMAT_SECONDS = 60
_ASK_SECONDS = 2


class Kafka:
    """A Kafka node on 127.0.0.1 whose data, settings and log live in one folder.

    Parameters
    ----------
    home
        The folder; made when missing, reused when it holds a node's data.
    port, controller_port
        Where clients connect, and where the node talks to itself.
    cache
        Where the jars are kept, see `deploy.engines.artefacts.cache_root`.

    Attributes
    ----------
    home
        The folder, absolute.
    """

    def __init__(self, home: Path, *, port: int, controller_port: int, cache: Path) -> None:
        self.home = home.absolute()
        self._cache = cache
        self._port = port
        self._controller_port = controller_port
        self._process = DetachedProcess("Kafka", self.home / "kafka.pid", self.home / "kafka.log")

    @property
    def address(self) -> str:
        """HOST:PORT for clients (``bootstrap.servers``)."""
        return f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid()

    def fetch(self) -> Path:
        """Fetch Kafka's jars unless they are there; see `deploy.engines.artefacts.fetch`."""
        return fetch(_HERE / "kafka.pom.xml", self._cache)

    def begin(self) -> None:
        """Start it without waiting, formatting an empty folder first; nothing happens when it runs."""
        lib = self.fetch()
        settings = self.home / "server.properties"
        self.home.mkdir(parents=True, exist_ok=True)
        template = Template((_HERE / "server.properties").read_text())
        places = {"port": self._port, "controller_port": self._controller_port, "data": self.home / "data"}
        # The template's comment shows the marker itself.
        settings.write_text(template.safe_substitute(places))
        if self.pid is None and not (self.home / "data" / "meta.properties").exists():
            self._format(lib, settings)
        self._process.start(
            [
                *_java(lib, "-Xms128m", "-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"),
                "kafka.Kafka",
                str(settings),
            ]
        )

    def wait(self) -> None:
        """Wait until it answers.

        Raises
        ------
        Unavailable
            It ended or did not answer in time; the message carries the end of its log.
        """
        self._process.wait_until(self.answers, _START_SECONDS)

    def start(self) -> None:
        """`begin`, then `wait`."""
        self.begin()
        self.wait()

    def stop(self) -> None:
        """End it in an orderly way, or by force when that takes too long."""
        self._process.stop(_STOP_SECONDS)

    def kill(self) -> None:
        """End it as kill -9 does; `start` takes it up again on the same data."""
        self._process.kill()

    def answers(self) -> bool:
        """Tell whether a client gets metadata that names a broker, hence a registered one."""
        client = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        try:
            return bool(client.list_topics(timeout=_ASK_SECONDS).brokers)
        except KafkaException:
            return False

    def _format(self, lib: Path, settings: Path) -> None:
        # Kafka's cluster ids are base64 of a UUID; one that begins with "-" would read as an option.
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        command = [
            *_java(lib, "-Xmx128m"),
            "kafka.tools.StorageTool",
            "format",
            "-t",
            cluster,
            "-c",
            str(settings),
        ]
        try:
            run(  # noqa: S603  # Kafka's own tool, our own arguments
                command,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=STDOUT,
                timeout=_FORMAT_SECONDS,
                check=True,
                cwd=self.home,
            )
        except SubprocessError as failed:
            said = (getattr(failed, "output", None) or b"").decode(errors="replace")[-2000:]
            raise Unavailable(f"Kafka could not format {self.home / 'data'}: {failed}\n{said}") from failed


def _java(lib: Path, *options: str) -> list[str]:
    return [str(find_java()), *options, "-cp", f"{lib}/*"]
