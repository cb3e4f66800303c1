"""Entry point of the runner: settings to parts, parts to a loop, until told to stop."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Callable
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry

from agents.dispatch.runner.containers import DockerRuntime
from agents.dispatch.runner.job_run import Means
from agents.dispatch.runner.metrics import Metrics
from agents.dispatch.runner.processes import SubprocessRuntime
from agents.dispatch.runner.runner import Runner
from agents.dispatch.runner.steps import Runtime
from agents.dispatch.runner.workplace import Workplace
from plugins.contract.registry import load_registry
from schemas.catalogue import JOB
from streams.blobs import Blobs
from streams.clock import utc_now
from streams.errors import Unavailable
from streams.observing import Observe, unobserved
from streams.opening import open_producer, open_tail
from streams.settings import Settings
from streams.store.opening import open_store

log = structlog.get_logger()


async def run(
    settings: Settings,
    *,
    stop: asyncio.Event,
    on_ready: Callable[[], None] | None = None,
    observe: Observe = unobserved,
) -> None:
    """Run work orders until `stop` is set.

    Parameters
    ----------
    observe
        Where metrics and readiness are shown.

    Raises
    ------
    streams.errors.Unavailable
        When store, bus or the demanded container engine are away.
    streams.errors.Rejected
        When a setting is wrong.
    """
    registry = CollectorRegistry()
    metrics = Metrics(registry, settings.runner_slots)
    store = await open_store(settings)
    producer, tail = open_producer(settings), open_tail(settings)
    runtime: Runtime | None = None
    try:
        await store.check()
        await tail.ends([JOB.name])  # says at once that there is no bus of our format
        runtime = await open_runtime(settings)
        blobs = Blobs(settings.path("blobs"))
        means = Means(
            store=store,
            producer=producer,
            blobs=blobs,
            clock=utc_now,
            runtime=runtime,
            workplace=Workplace(Path(settings.data) / "work", blobs),
            registry=load_registry(),
            # Unique to this process: a lease goes to an owner, and a restarted runner is another one.
            runner=f"{socket.gethostname()[:64]}-{os.getpid()}-{secrets.token_hex(4)}",
            lease_s=settings.lease_s,
            attempts=settings.attempts,
            counted=metrics.count,
        )
        log.info("runner.ready", isolation=runtime.isolation, slots=settings.runner_slots)
        runner = Runner(means, tail, slots=settings.runner_slots)
        metrics.watch(lambda: runner.busy)
        async with observe(registry, runner.problems):
            if on_ready:
                on_ready()
            await runner.run(stop)
    finally:
        if runtime is not None:
            await runtime.close()
        await tail.close()
        await producer.close()
        await store.close()


async def open_runtime(settings: Settings) -> Runtime:
    """Choose how steps are confined.

    Raises
    ------
    streams.errors.Unavailable
        When Docker is demanded and its engine does not answer.
    """
    if settings.isolation == "subprocess":
        return SubprocessRuntime()
    containers = DockerRuntime(settings.docker_host, settings.runner_slots)
    try:
        await containers.check()
    except Unavailable as away:
        await containers.close()
        if settings.isolation == "docker":
            raise
        log.warning("runner.no_container_engine", reason=str(away), isolation="subprocess")
        return SubprocessRuntime()
    return containers
