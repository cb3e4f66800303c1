"""Waiting that ends when it shall."""

from __future__ import annotations

import asyncio


async def stopped(stop: asyncio.Event, seconds: float) -> bool:
    """Wait for a time, or until told to stop; tell whether to stop."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True
