"""``chips engines``: its commands and their help; the work is `deploy.engines.commands`'."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App

from deploy.engines import commands as work

engines = App(
    name="engines", help="Real Kafka and Cassandra on this machine, from Maven artefacts on Java 17."
)


@engines.command(name="up")
def engines_up(*, home: Path = Path("engines"), kafka_port: int = 9092, cassandra_port: int = 9042) -> int:
    """Fetch (once) and start both; prints the settings that make CHIPS use them.

    Parameters
    ----------
    home
        Folder of their data, logs and pid files.
    kafka_port, cassandra_port
        Where they listen, on 127.0.0.1.
    """
    return work.up(home, kafka_port, cassandra_port)


@engines.command(name="down")
def engines_down(*, home: Path = Path("engines")) -> int:
    """Stop both.

    Parameters
    ----------
    home
        Folder of their data, logs and pid files.
    """
    return work.down(home)


@engines.command(name="status")
def engines_status(*, home: Path = Path("engines")) -> int:
    """Tell whether they answer.

    Parameters
    ----------
    home
        Folder of their data, logs and pid files.
    """
    return work.status(home)
