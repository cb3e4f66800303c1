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
import time
from contextlib import AsyncExitStack, suppress
from pathlib import Path

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

TIDY_S = 0.5


class Journal:
    """Lines, each written by one call to the system."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def __call__(self, what: str, text: str = "") -> None:
        os.write(self._file, f"{what} {text}".strip().encode() + b"\n")


class Obedient:
    """The handler."""

    def __init__(self, job: dict, note: Journal, store: Store, producer: Producer) -> None:
        self._out = job["out"]
        self._note = note
        self._store = store
        self._producer = producer
        self._gate = Path(job["gate"])

    async def handle(self, event: Event) -> None:
        text = event.data.text
        order, _, rest = text.partition(" ")
        self._note("begin", text)
        if order == "raise":
            raise KeyError(rest)
        if order == "poison":
            raise Poison("this one can never work")
        if order == "reject":
            raise Rejected("answered")
        if order == "sleep":
            await asyncio.sleep(float(rest.split()[0]))
        if order == "tidy":
            await tidy(float(rest.split()[0]))
        while order == "wait" and not self._gate.exists():
            await asyncio.sleep(0.02)
        # An effect and a publish, as every agent has them.
        await self._store.facts.put([Fact("p", "stored", "s", text, b"{}")])
        await self._producer.send(Message(self._out, event.partitionkey, text.encode()))
        self._note("end", text)


async def tidy(seconds: float) -> None:
    """Sleep; when cancelled, tidy up for a while, whatever else is cancelled meanwhile."""
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        until = time.monotonic() + TIDY_S
        while (left := until - time.monotonic()) > 0:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(left)
        raise


async def main(job: dict) -> None:
    logging.basicConfig(level=logging.ERROR)
    AGENTS[job["agent"]] = "outer"
    settings = Settings(**job["settings"])
    note = Journal(job["journal"])
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    try:
        async with AsyncExitStack() as closing:
            store = await open_store(settings)
            closing.push_async_callback(store.close)
            producer = open_producer(settings)
            closing.push_async_callback(producer.close)
            obedient = Obedient(job, note, store, producer)
            await run_agents(
                settings,
                [AgentSpec(job["agent"], [job["topic"]], obedient.handle)],
                records=store.records,
                producer=producer,
                stop=stop,
                on_ready=lambda: note("ready"),
                patience=Patience(**job["patience"]),
            )
    except (Unavailable, Rejected) as error:
        note("stopped", f"{type(error).__name__}: {error}")
        sys.exit(os.EX_TEMPFAIL if isinstance(error, Unavailable) else os.EX_CONFIG)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
