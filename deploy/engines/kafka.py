"""One Kafka node (KRaft: broker and controller in one process)."""

from __future__ import annotations

import base64
import uuid
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT, SubprocessError, run

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.engines.node import Node
from streams.errors import Unavailable

_FORMAT_SECONDS = 60
_ASK_SECONDS = 2


class Kafka(Node):
    """A Kafka node; its own port is the controller's."""

    NAME = "Kafka"
    SETTINGS = "server.properties"
    START_S = 120
    STOP_S = 30

    def answers(self) -> bool:
        """Tell whether a client gets metadata that names a broker, hence a registered one."""
        client = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        try:
            return bool(client.list_topics(timeout=_ASK_SECONDS).brokers)
        except KafkaException:
            return False

    def _prepare(self, lib: Path, settings: Path) -> None:
        """Format an empty folder."""
        if not (self.home / "data" / "meta.properties").exists():
            self._format(lib, settings)

    def _command(self, settings: Path) -> list[str]:
        return [
            "-Xms128m",
            "-Xmx512m",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "kafka.Kafka",
            str(settings),
        ]

    def _format(self, lib: Path, settings: Path) -> None:
        # Kafka's cluster ids are base64 of a UUID; one that begins with "-" would read as an option.
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        command = self._java(
            lib, "-Xmx128m", "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(settings)
        )
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
