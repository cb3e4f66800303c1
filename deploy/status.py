"""``chips status``: what waits, what is parked, how much room there is, and which versions run."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import sys
from importlib.metadata import version
from pathlib import Path

from rich.table import Table

from deploy.process import settings_or_exit
from deploy.terminal import console, say
from schemas.catalogue import AGENTS, CONSUMES
from streams.clock import utc_now
from streams.errors import Unavailable
from streams.opening import open_admin
from streams.settings import Settings
from streams.store.opening import open_store
from streams.version import version as ours

LIBRARIES = ("faust-streaming", "confluent-kafka", "cassandra-driver", "pydicom", "pynetdicom", "SimpleITK")


async def status() -> int:
    """Print the status; exit status 1 when an engine does not answer."""
    settings = settings_or_exit().settings
    problems = [problem for part in (_bus, _store) if (problem := await part(settings))]
    await _disk(settings)
    _versions()
    for problem in problems:
        say(f"Not answering: {problem}")
    return 1 if problems else 0


async def _bus(settings: Settings) -> str | None:
    table = Table(
        "agent", "topic", "waiting", title="Lag (messages not yet acknowledged)", title_justify="left"
    )
    try:
        admin = open_admin(settings)
        try:
            for agent in AGENTS:
                by_topic: dict[str, int] = {}
                for (topic, _), behind in (await admin.lag(f"chips-{agent}", CONSUMES[agent])).items():
                    by_topic[topic] = by_topic.get(topic, 0) + behind
                for topic, behind in sorted(by_topic.items()):
                    table.add_row(agent, topic, str(behind))
        finally:
            await admin.close()
    except Unavailable as away:
        return str(away)
    console.print(table)
    return None


async def _store(settings: Settings) -> str | None:
    try:
        store = await open_store(settings)
        try:
            await store.check()
            jobs = await store.jobs.list()
            say(f"Open jobs: {len(jobs)}")
            for job in jobs[:10]:
                say(f"  {job.project}/{job.job}  for {int((utc_now() - job.opened).total_seconds())} s")
            for agent in AGENTS:
                parked = await store.records.list(f"parked:{agent}")
                if parked:
                    say(f"Parked by {agent}: {len(parked)} keys (chips replay dlq list)")
        finally:
            await store.close()
    except Unavailable as away:
        return str(away)
    return None


async def _disk(settings: Settings) -> None:
    for name, folder in (("data", Path(settings.data)), ("vault", settings.path("vault"))):
        present = next((one for one in (folder, *folder.absolute().parents) if one.exists()), Path("/"))
        usage = await asyncio.to_thread(shutil.disk_usage, present)
        say(f"Disk of {name} ({folder}): {usage.free / 2**30:.1f} GiB free of {usage.total / 2**30:.1f} GiB")


def _versions() -> None:
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    say(f"CHIPS {ours()}, Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}, {libraries}")
