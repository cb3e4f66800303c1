"""Making and upgrading topics and tables: one process, before all others."""

from __future__ import annotations

import asyncio
from pathlib import Path

from deploy.process import settings_here
from deploy.terminal import say
from streams.opening import open_admin
from streams.settings import Settings
from streams.store.opening import open_store


async def migrate() -> int:
    """Make or upgrade, and tell what was done."""
    done = await apply(settings_here().settings)
    for line in done:
        say(line)
    say("Everything is as this version needs it." if not done else f"{len(done)} changes made.")
    return 0


async def apply(settings: Settings) -> list[str]:
    """Make or upgrade everything; return what was done.

    Raises
    ------
    streams.errors.NewerFormat
        When a newer CHIPS wrote the data.
    streams.errors.Unavailable
        When an engine does not answer.
    """
    for folder in (Path(settings.data), settings.path("blobs")):
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    store = await open_store(settings)
    try:
        done = await store.migrate()
    finally:
        await store.close()
    admin = open_admin(settings)
    try:
        done += [f"topic {name}" for name in await admin.create_topics()]
    finally:
        await admin.close()
    return done
