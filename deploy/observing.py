"""Shows a process' metrics and readiness on its health port."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry

from deploy.health import Health
from streams.observing import Observe
from streams.settings import Settings


def observer(settings: Settings) -> Observe:
    """Make what a room's `run` takes as `observe`."""

    @asynccontextmanager
    async def observe(registry: CollectorRegistry, problems: Callable[[], list[str]]) -> AsyncIterator[None]:
        health = Health(settings.http_host, settings.health_port, registry, problems)
        await health.start()
        try:
            yield
        finally:
            await health.stop()

    return observe
