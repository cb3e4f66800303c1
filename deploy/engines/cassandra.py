"""One Cassandra node."""

from __future__ import annotations

from pathlib import Path
from string import Template

from deploy.engines.artefacts import fetch
from deploy.engines.cql_probe import answers_cql
from deploy.engines.java import find_java
from deploy.engines.process import DetachedProcess

_HERE = Path(__file__).parent
_START_SECONDS = 180
_STOP_SECONDS = 60

# The packages that Cassandra 5.0 reaches into on Java 17.
_OPENED = (
    "java.base/java.io",
    "java.base/java.lang",
    "java.base/java.lang.module",
    "java.base/java.lang.reflect",
    "java.base/java.math",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.loader",
    "java.base/jdk.internal.math",
    "java.base/jdk.internal.module",
    "java.base/jdk.internal.ref",
    "java.base/jdk.internal.reflect",
    "java.base/jdk.internal.util.jar",
    "java.base/sun.nio.ch",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
    "java.rmi/sun.rmi.transport.tcp",
    "java.sql/java.sql",
    "jdk.management/com.sun.management.internal",
)
_EXPORTED = (
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "jdk.unsupported/sun.misc",
    "jdk.management.agent/jdk.internal.agent",
)


class Cassandra:
    """A Cassandra node on 127.0.0.1 whose data, settings and logs live in one folder.

    Parameters
    ----------
    home
        The folder; made when missing, reused when it holds a node's data.
    port, storage_port
        Where clients connect, and where nodes would talk to each other.
    cache
        Where the jars are kept, see `deploy.engines.artefacts.cache_root`.

    Attributes
    ----------
    home
        The folder, absolute.
    """

    def __init__(self, home: Path, *, port: int, storage_port: int, cache: Path) -> None:
        self.home = home.absolute()
        self._cache = cache
        self._port = port
        self._storage_port = storage_port
        self._process = DetachedProcess("Cassandra", self.home / "cassandra.pid", self.home / "cassandra.log")

    @property
    def address(self) -> str:
        """HOST:PORT for clients (the contact point)."""
        return f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid()

    def fetch(self) -> Path:
        """Fetch Cassandra's jars unless they are there; see `deploy.engines.artefacts.fetch`."""
        return fetch(_HERE / "cassandra.pom.xml", self._cache)

    def begin(self) -> None:
        """Start it without waiting; nothing happens when it runs."""
        lib = self.fetch()
        settings = self.home / "cassandra.yaml"
        self.home.mkdir(parents=True, exist_ok=True)
        template = Template((_HERE / "cassandra.yaml").read_text())
        places = {"port": self._port, "storage_port": self._storage_port, "data": self.home / "data"}
        # The template's comment shows the marker itself.
        settings.write_text(template.safe_substitute(places))
        self._process.start(self._command(lib, settings))

    def wait(self) -> None:
        """Wait until it answers a query.

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
        """End it in an orderly way (it drains), or by force when that takes too long."""
        self._process.stop(_STOP_SECONDS)

    def kill(self) -> None:
        """End it as kill -9 does; `start` takes it up again on the same data."""
        self._process.kill()

    def answers(self) -> bool:
        """Tell whether it answers a query."""
        return answers_cql("127.0.0.1", self._port)

    def _command(self, lib: Path, settings: Path) -> list[str]:
        opened = [f"--{how}={name}=ALL-UNNAMED" for name in _OPENED for how in ("add-opens", "add-exports")]
        exported = [f"--add-exports={name}=ALL-UNNAMED" for name in _EXPORTED]
        properties = {
            "cassandra.config": settings.as_uri(),
            "cassandra.storagedir": self.home / "data",
            "cassandra.logdir": self.home,
            "cassandra-foreground": "yes",
            "logback.configurationFile": _HERE / "logback.xml",
            "java.io.tmpdir": self.home,
            "jdk.attach.allowAttachSelf": "true",
            # A single node has no gossip to wait for.
            "cassandra.skip_wait_for_gossip_to_settle": 0,
            "cassandra.ring_delay_ms": 1,
        }
        return [
            str(find_java()),
            "-Xms512m",
            "-Xmx1g",
            "-XX:MaxDirectMemorySize=512m",
            "-XX:+ExitOnOutOfMemoryError",
            *opened,
            *exported,
            *[f"-D{name}={value}" for name, value in properties.items()],
            "-cp",
            f"{lib}/*",
            "org.apache.cassandra.service.CassandraDaemon",
        ]
