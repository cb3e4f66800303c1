"""One Cassandra node."""

from __future__ import annotations

from pathlib import Path

from deploy.engines.cql_probe import answers_cql
from deploy.engines.node import Node

_HERE = Path(__file__).parent

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


class Cassandra(Node):
    """A Cassandra node; its own port is the one for storage."""

    NAME = "Cassandra"
    SETTINGS = "cassandra.yaml"
    START_S = 180
    STOP_S = 60

    def answers(self) -> bool:
        """Tell whether it answers a query."""
        return answers_cql("127.0.0.1", self._port)

    def _prepare(self, lib: Path, settings: Path) -> None:
        """Do nothing: it makes what it needs when it starts."""

    def _command(self, settings: Path) -> list[str]:
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
            "-Xms512m",
            "-Xmx1g",
            "-XX:MaxDirectMemorySize=512m",
            "-XX:+ExitOnOutOfMemoryError",
            *opened,
            *exported,
            *[f"-D{name}={value}" for name, value in properties.items()],
            "org.apache.cassandra.service.CassandraDaemon",
        ]
