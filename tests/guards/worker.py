"""A worker whose one agent does what each event's text says: the process that guard tests start and kill.

``worker.py JOB`` with a JSON object: settings, agent, topic, out, journal, and patience. Every step is a line
in the journal, so that a test sees what happened in which order, over all lives of the process.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys

from agents.app import run_agents
from agents.spec import AgentSpec, Patience
from schemas.catalogue import AGENTS
from schemas.envelope import Event
from streams.bus import Message, Producer
from streams.errors import Poison, Rejected, Unavailable
from streams.opening import open_producer
from streams.settings import Settings
from streams.store.api import Fact, Store
from streams.store.opening import open_store


class Obedient:
    """The handler."""

    def __init__(self, job: dict, store: Store, producer: Producer) -> None:
        self._out = job["out"]
        self._journal = os.open(job["journal"], os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        self._store = store
        self._producer = producer

    def note(self, what: str, text: str = "") -> None:
        os.write(self._journal, f"{what} {text}".strip().encode() + b"\n")

    async def handle(self, event: Event) -> None:
        text = event.data.text
        order, _, rest = text.partition(" ")
        self.note("begin", text)
        if order == "raise":
            raise KeyError(rest)
        if order == "poison":
            raise Poison("this one can never work")
        if order == "reject":
            raise Rejected("answered")
        if order == "sleep":
            await asyncio.sleep(float(rest.split()[0]))
        # An effect and a publish, as every agent has them.
        await self._store.facts.put([Fact("p", "stored", "s", text, b"{}")])
        await self._producer.send(Message(self._out, event.partitionkey, text.encode()))
        self.note("end", text)


async def main(job: dict) -> None:
    logging.basicConfig(level=logging.ERROR)
    AGENTS[job["agent"]] = "outer"
    settings = Settings(**job["settings"])
    store, producer = await open_store(settings), open_producer(settings)
    obedient = Obedient(job, store, producer)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    try:
        await run_agents(
            settings,
            [AgentSpec(job["agent"], [job["topic"]], obedient.handle)],
            records=store.records,
            producer=producer,
            stop=stop,
            on_ready=lambda: obedient.note("ready"),
            patience=Patience(**job["patience"]),
        )
    except (Unavailable, Rejected) as error:
        obedient.note("stopped", f"{type(error).__name__}: {error}")
        sys.exit(os.EX_TEMPFAIL if isinstance(error, Unavailable) else os.EX_CONFIG)
    finally:
        await producer.close()
        await store.close()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
