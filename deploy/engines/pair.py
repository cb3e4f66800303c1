"""Both engines together, in one folder: what `chips engines up|down|status` and the tests use."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.engines.artefacts import cache_root, exclusively
from deploy.engines.cassandra import Cassandra
from deploy.engines.kafka import Kafka
from streams.errors import Rejected

DEFAULT_KAFKA_PORT = 9092
DEFAULT_CASSANDRA_PORT = 9042

_PORTS = "engines.json"


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """How one engine is: its address (HOST:PORT), its process id while it runs, and whether it answers."""

    name: str
    address: str
    pid: int | None
    answers: bool


@dataclass(frozen=True, slots=True)
class _Ports:
    kafka: int
    controller: int
    cassandra: int
    storage: int


class Engines:
    """One Kafka and one Cassandra on 127.0.0.1; data, settings, logs and process ids in the folder ``home``.

    The ports are remembered in the folder: whoever names the folder later finds the same engines.

    Parameters
    ----------
    home
        The folder; made by `up`.
    kafka_port, cassandra_port
        Where clients connect. None: what the folder remembers, else 9092 and 9042.
    controller_port, storage_port
        Where the engines talk to themselves. None: what the folder remembers, else one above the clients'.
    cache
        Where the jars are kept. None: `deploy.engines.artefacts.cache_root`.

    Attributes
    ----------
    kafka, cassandra
        The single engines, to start, stop or kill one alone.
    """

    def __init__(
        self,
        home: Path,
        kafka_port: int | None = None,
        cassandra_port: int | None = None,
        *,
        controller_port: int | None = None,
        storage_port: int | None = None,
        cache: Path | None = None,
    ) -> None:
        self._home = home.absolute()
        known = _remembered(self._home)
        kafka = kafka_port or (known.kafka if known else DEFAULT_KAFKA_PORT)
        cassandra = cassandra_port or (known.cassandra if known else DEFAULT_CASSANDRA_PORT)
        self._ports = _Ports(
            kafka=kafka,
            controller=controller_port or (known.controller if known and known.kafka == kafka else kafka + 1),
            cassandra=cassandra,
            storage=storage_port
            or (known.storage if known and known.cassandra == cassandra else cassandra + 1),
        )
        jars = cache or cache_root()
        self.kafka = Kafka(
            self._home / "kafka", port=self._ports.kafka, own_port=self._ports.controller, cache=jars
        )
        self.cassandra = Cassandra(
            self._home / "cassandra", port=self._ports.cassandra, own_port=self._ports.storage, cache=jars
        )

    def fetch(self) -> None:
        """Fetch what is missing of both engines' jars; the only step that needs the network."""
        self.kafka.fetch()
        self.cassandra.fetch()

    def up(self) -> None:
        """Start what does not run, both at once, and wait until both answer.

        Raises
        ------
        Unavailable
            Java or Maven is missing, a fetch failed, or an engine did not come up; it says what to do.
        Rejected
            The engines of this folder run on other ports.
        """
        with exclusively(self._home / "up.lock"):
            self._same_ports_as_running()
            self.fetch()
            written = self._home / (_PORTS + ".new")
            written.write_text(json.dumps(asdict(self._ports)))
            written.replace(self._home / _PORTS)
            with ThreadPoolExecutor(max_workers=2) as both:
                for started in [both.submit(self.kafka.start), both.submit(self.cassandra.start)]:
                    started.result()

    def down(self) -> None:
        """Stop both in an orderly way; the data stays."""
        with ThreadPoolExecutor(max_workers=2) as both:
            for stopped in [both.submit(self.kafka.stop), both.submit(self.cassandra.stop)]:
                stopped.result()

    def status(self) -> tuple[EngineStatus, EngineStatus]:
        """Return how Kafka and Cassandra are, in this order."""
        kafka, cassandra = self.kafka, self.cassandra
        return (
            EngineStatus("kafka", kafka.address, kafka.pid, kafka.pid is not None and kafka.answers()),
            EngineStatus(
                "cassandra",
                cassandra.address,
                cassandra.pid,
                cassandra.pid is not None and cassandra.answers(),
            ),
        )

    def _same_ports_as_running(self) -> None:
        known = _remembered(self._home)
        runs = self.kafka.pid is not None or self.cassandra.pid is not None
        if runs and known is not None and known != self._ports:
            raise Rejected(
                f"The engines in {self._home} run on ports {known.kafka} (Kafka) and {known.cassandra} "
                "(Cassandra): use these, or stop the engines first."
            )


def _remembered(home: Path) -> _Ports | None:
    try:
        return _Ports(**json.loads((home / _PORTS).read_text()))
    except FileNotFoundError:
        return None
