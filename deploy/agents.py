"""``chips agents``: the agents of one process, with their ports."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from deploy import process
from deploy.exits import Exit
from deploy.observing import observer
from schemas.catalogue import AGENTS
from streams.blobs import Blobs
from streams.bus import Producer
from streams.clock import utc_now
from streams.opening import open_producer, open_tail
from streams.settings import Settings
from streams.store.api import Store
from streams.store.opening import open_store

if TYPE_CHECKING:
    from agents.spec import AgentSpec


def run_agents(names: Sequence[str]) -> int:
    """Run these agents, all when none is named; the first one's health port is theirs."""
    unknown = [name for name in names if name not in AGENTS]
    if unknown:
        sys.stderr.write(f"chips: there is no agent {unknown[0]}: name some of {', '.join(AGENTS)}\n")
        return Exit.USAGE
    chosen = tuple(names) or tuple(AGENTS)

    async def work(settings: Settings, *, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
        await _run(chosen, settings, stop, on_ready)

    return process.run("+".join(chosen), work)


async def _run(
    names: Sequence[str], settings: Settings, stop: asyncio.Event, on_ready: Callable[[], None]
) -> None:
    from agents.app import run_agents as run
    from agents.metrics import Metrics

    registry = CollectorRegistry()
    metrics = Metrics(registry)
    consuming = asyncio.Event()

    def problems() -> list[str]:
        return metrics.problems() if consuming.is_set() else ["It does not consume yet"]

    def ready() -> None:
        consuming.set()
        on_ready()

    store = await open_store(settings)
    try:
        await store.check()
        producer = open_producer(settings)
        try:
            async with observer(settings, names[0])(registry, problems):
                await run(
                    settings,
                    [_make(name, settings, store, producer) for name in names],
                    records=store.records,
                    producer=producer,
                    stop=stop,
                    on_ready=ready,
                    metrics=metrics,
                )
        finally:
            await producer.close()
    finally:
        await store.close()


def _make(name: str, settings: Settings, store: Store, producer: Producer) -> AgentSpec:
    # Each agent imports its own: feeds has no use for pydicom, nor the inner zone's keys.
    blobs = Blobs(settings.path("blobs"))
    if name == "arrivals":
        from agents.arrivals.agent import arrivals_agent

        return arrivals_agent(
            store,
            producer,
            utc_now,
            quiet_s=settings.quiet_s,
            settle_s=settings.settle_s,
            open_tail=lambda: open_tail(settings),
        )
    if name == "anonymization":
        from agents.anonymization.agent import anonymization_agent

        return anonymization_agent(settings, store, producer, utc_now, blobs=blobs)
    if name == "dispatch":
        from agents.dispatch.agent import dispatch_agent
        from plugins.contract.registry import load_registry

        return dispatch_agent(
            store, producer, utc_now, blobs=blobs, registry=load_registry(), attempts=settings.attempts
        )
    from agents.feeds.agent import feeds_agent

    return feeds_agent(store, producer, utc_now)
