"""How a process shows what it counts and whether it is ready, without knowing where."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from prometheus_client import CollectorRegistry

Said = Callable[[], list[str]]
"""Gives sentences, when asked."""


def nothing() -> list[str]:
    """Say nothing."""
    return []


class Observe(Protocol):
    """Shows a process somewhere while it is entered."""

    def __call__(
        self, registry: CollectorRegistry, problems: Said, notes: Said = nothing
    ) -> AbstractAsyncContextManager[None]:
        """Show.

        Parameters
        ----------
        registry
            What is counted.
        problems
            Why it can't do its work now; none: it is ready.
        notes
            What is not well and keeps it from nothing: it stays ready.
        """
        ...


@asynccontextmanager
async def unobserved(
    registry: CollectorRegistry, problems: Said, notes: Said = nothing
) -> AsyncIterator[None]:
    """Show nothing anywhere."""
    del registry, problems, notes
    yield
