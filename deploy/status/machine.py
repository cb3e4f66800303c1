"""Looks at this machine: processes by their ports, disks, the gateway's journal, versions."""

from __future__ import annotations

import asyncio
import json
import platform
import shutil
import sqlite3
from importlib.metadata import version
from pathlib import Path

import aiohttp
import msgspec

from deploy.docker_host import docker_address, engine_version
from deploy.ports import PROCESSES, health_port
from deploy.status.report import Disk, Journal, Process
from gateway.backlog import backlog
from streams.opening import is_embedded
from streams.settings import Settings
from streams.version import version as ours

ANSWER_S = 3.0
LIBRARIES = ("faust-streaming", "confluent-kafka", "cassandra-driver", "pydicom", "pynetdicom", "SimpleITK")


async def processes(settings: Settings) -> list[Process]:
    """Ask every process of this machine how it is; which of them should run here is not ours to know."""
    ports = {name: health_port(settings, name) for name in PROCESSES} | {"ui": settings.http_port}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_S)) as session:
        return list(
            await asyncio.gather(
                *(_process(session, settings.http_host, name, port) for name, port in ports.items())
            )
        )


async def _process(session: aiohttp.ClientSession, host: str, name: str, port: int) -> Process:
    if not port:
        return Process(name=name, port=port, state="unknown")
    try:
        async with session.get(f"http://{host}:{port}/readyz") as answer:
            says = json.loads(await answer.text()).get("problems", [])
    except (TimeoutError, aiohttp.ClientError, OSError):
        return Process(name=name, port=port, state="away")
    except (ValueError, AttributeError):
        return Process(name=name, port=port, state="unknown", says=["something else answers at its port"])
    return Process(name=name, port=port, state="waiting" if says else "ok", says=[str(one) for one in says])


def disks(settings: Settings) -> list[Disk]:
    """Look how much room there is where things lie, one line a folder's file system."""
    places = {"data": Path(settings.data), "vault": settings.path("vault"), "blobs": settings.path("blobs")}
    if is_embedded(settings):
        places["bus"] = settings.path("bus")
    if settings.store_url.startswith("sqlite:"):
        places["store"] = settings.path("store").parent
    found: dict[int, Disk] = {}
    for what, place in places.items():
        present = _present(place)
        device = present.stat().st_dev
        known = found.get(device)
        if known:
            found[device] = msgspec.structs.replace(known, what=[*known.what, what])
            continue
        usage = shutil.disk_usage(present)
        low = usage.free < settings.disk_reserve_mb * 2**20
        found[device] = Disk(
            what=[what], path=str(place.absolute()), free_bytes=usage.free, total_bytes=usage.total, low=low
        )
    return list(found.values())


def journal(settings: Settings) -> Journal:
    """Count what the bus has not heard of; the outer zone can't see it."""
    try:
        return Journal(backlog=backlog(settings.path("vault") / "journal"))
    except PermissionError:
        return Journal(backlog=None)


def versions(settings: Settings) -> dict[str, str]:
    """Give the versions of CHIPS and of what it runs on here."""
    return {
        "CHIPS": ours(),
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "Docker Engine": engine_version(docker_address(settings)) or "does not answer",
        **{name: version(name) for name in LIBRARIES},
    }


def _present(place: Path) -> Path:
    """Give the nearest folder above that exists and can be looked at."""
    for one in (place.absolute(), *place.absolute().parents):
        try:
            one.stat()
        except OSError:
            continue
        return one
    return Path("/")
