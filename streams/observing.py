"""How a process shows what it counts and whether it is ready, without knowing where."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from prometheus_client import CollectorRegistry

Observe = Callable[[CollectorRegistry, Callable[[], list[str]]], AbstractAsyncContextManager[None]]
"""Shows metrics and problems (none: ready) somewhere while it is entered."""


@asynccontextmanager
async def unobserved(_registry: CollectorRegistry, _problems: Callable[[], list[str]]) -> AsyncIterator[None]:
    """Show nothing anywhere."""
    yield
