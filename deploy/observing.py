"""Shows a process' metrics and readiness on its health port."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry

from deploy.health import Health
from deploy.ports import health_port
from streams.observing import Observe
from streams.settings import Settings


def observer(settings: Settings, process: str) -> Observe:
    """Make what a room's `run` takes as `observe`, for one of `deploy.ports.PROCESSES`."""

    @asynccontextmanager
    async def observe(registry: CollectorRegistry, problems: Callable[[], list[str]]) -> AsyncIterator[None]:
        health = Health(settings.http_host, health_port(settings, process), registry, problems)
        await health.start()
        try:
            yield
        finally:
            await health.stop()

    return observe
