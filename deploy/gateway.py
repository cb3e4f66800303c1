"""``chips gateway``: the hospital's door, with its health port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from deploy.observing import observer
from gateway.run import run
from streams.settings import Settings


async def work(settings: Settings, *, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
    """Receive until `stop` is set."""
    await run(settings, stop=stop, on_ready=on_ready, observe=observer(settings, "gateway"))
