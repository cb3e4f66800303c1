"""``chips engines up|down|status``."""

from __future__ import annotations

from pathlib import Path

from deploy.engines.pair import Engines
from deploy.exits import Exit, told
from deploy.terminal import say


def up(home: Path, kafka_port: int, cassandra_port: int) -> int:
    """Start both and print the settings that make CHIPS use them."""

    def work() -> int:
        engines = Engines(home, kafka_port, cassandra_port)
        say("Starting Kafka and Cassandra; the first time their artefacts are fetched (112 MB).")
        engines.up()
        say("Both answer. To use them:")
        bus, store = f"kafka://{engines.kafka.address}", f"cassandra://{engines.cassandra.address}/chips"
        say(f"export CHIPS_BUS={bus} CHIPS_STORE={store}")
        return Exit.OK

    return told(work)


def down(home: Path) -> int:
    """Stop both."""

    def work() -> int:
        Engines(home).down()
        say("Stopped; their data stays.")
        return Exit.OK

    return told(work)


def status(home: Path) -> int:
    """Tell whether they answer; exit status 1 when one does not."""

    def work() -> int:
        states = Engines(home).status()
        for state in states:
            running = f"process {state.pid}" if state.pid else "not running"
            answering = "answers" if state.answers else "does not answer"
            say(f"{state.name:<10} {state.address:<22} {running}, {answering}")
        return Exit.OK if all(state.answers for state in states) else Exit.NO

    return told(work)
