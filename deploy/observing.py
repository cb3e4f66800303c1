"""Shows a process' metrics and readiness on its health port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry

from deploy.health import Health
from deploy.ports import health_port
from streams.observing import Observe, Said, nothing
from streams.settings import Settings


def observer(settings: Settings, process: str) -> Observe:
    """Make what a room's `run` takes as `observe`, for one of `deploy.ports.PROCESSES`."""

    @asynccontextmanager
    async def observe(
        registry: CollectorRegistry, problems: Said, notes: Said = nothing
    ) -> AsyncIterator[None]:
        port = health_port(settings, process)
        health = Health(settings.http_host, port, registry, problems, notes)
        await health.start()
        try:
            yield
        finally:
            await health.stop()

    return observe
