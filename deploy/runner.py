"""``chips runner``: work orders in containers, with its health port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agents.dispatch.runner.run import run
from deploy.observing import observer
from streams.settings import Settings


async def work(settings: Settings, *, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
    """Work until `stop` is set."""
    await run(settings, stop=stop, on_ready=on_ready, observe=observer(settings, "runner"))
