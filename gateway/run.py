"""The gateway's entry point: vault, journal, publisher and door, wired."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import structlog
from prometheus_client import CollectorRegistry
from uuid_utils import uuid7

from gateway.admission import Everybody
from gateway.errors import JournalBroken
from gateway.identity import ProjectKey
from gateway.inlet import Inlet
from gateway.journal import Journal
from gateway.keys import Keyring
from gateway.listening import Listener
from gateway.metrics import Metrics
from gateway.publisher import Publisher
from gateway.reception import Reception
from gateway.serving import Crew, Threads
from gateway.silence import silence_libraries
from gateway.storing import Storing
from gateway.tls import Contexts, contexts, files_of
from gateway.vault import Vault
from gateway.workers.pool import Duty, Workers
from streams.bus import Producer
from streams.clock import utc_now
from streams.durable import lasting_folder
from streams.errors import Rejected, Unavailable
from streams.observing import Observe, unobserved
from streams.opening import open_producer
from streams.settings import Settings

CLOSE_S = 5.0
"""How long open associations, and then what the bus has not confirmed, are waited for when stopping, s."""
MAX_ASSOCIATIONS = 64
_MOST_WORKERS = 4

log = structlog.get_logger()


async def run(
    settings: Settings,
    *,
    stop: asyncio.Event,
    on_ready: Callable[[], None] | None = None,
    observe: Observe = unobserved,
    producer: Callable[[Settings], Producer] = open_producer,
    on_port: Callable[[int], None] | None = None,
) -> None:
    """Receive until `stop`, then let associations end and the bus confirm, each for `CLOSE_S` at most.

    Parameters
    ----------
    on_ready
        Called when the port listens. The bus need not be there for that.
    observe
        Where metrics and readiness are shown.
    producer
        Opens the bus.
    on_port
        Told the port that listens, which the setting 0 leaves to the system; of two the plain one.

    Raises
    ------
    streams.errors.Rejected
        When another gateway uses the vault, a setting can't be, the journal is damaged, or a newer CHIPS
        wrote journal or keys.
    streams.errors.Unavailable
        When the port or the disk can't be had; start again later.
    """
    folder = settings.path("vault")
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    broken = asyncio.Event()
    with _usable(folder), _only_gateway(folder):
        disk = await asyncio.to_thread(_open, folder, settings)
        publisher = Publisher(disk.journal, lambda: producer(settings), metrics)
        disk.journal.on_durable = publisher.wake
        loop = asyncio.get_running_loop()
        disk.journal.on_broken = lambda: loop.call_soon_threadsafe(broken.set)
        metrics.watch(lambda: disk.journal.backlog, disk.vault.free, lambda: publisher.problem is None)
        crew = await asyncio.to_thread(_crew, settings, disk, metrics)
        listener = Listener(crew, most=MAX_ASSOCIATIONS)
        inlet = Inlet(folder, disk.journal)
        enough = asyncio.Event()
        publishing = asyncio.create_task(publisher.run(enough))
        try:
            await asyncio.to_thread(inlet.open)
            port = await asyncio.to_thread(_listen, listener, settings)
            async with observe(registry, lambda: _problems(disk), lambda: _notes(publisher, disk.tls)):
                if on_port:
                    on_port(port)
                if on_ready:
                    on_ready()
                await _any(stop, broken, publishing)
        finally:
            await asyncio.to_thread(listener.close)
            await asyncio.to_thread(crew.close, CLOSE_S)
            await asyncio.to_thread(inlet.close)
            if not publishing.done():
                await publisher.drained(CLOSE_S)
            enough.set()
            await asyncio.wait({publishing})
            await asyncio.to_thread(disk.journal.close)
        publishing.result()
        if broken.is_set():
            raise JournalBroken(f"The journal's disk failed: see to the disk of {folder}")
        log.info("gateway.stopped", backlog=disk.journal.backlog)


class _Disk(NamedTuple):
    vault: Vault
    journal: Journal
    key: ProjectKey
    reserve: int
    tls: Contexts | None


def _open(folder: Path, settings: Settings) -> _Disk:
    reserve = settings.disk_reserve_mb * 1024 * 1024
    tls = files_of(settings)
    secured = contexts(tls) if tls else None
    vault = Vault(folder, reserve)
    vault.sweep()
    journal = Journal(folder / "journal")
    if journal.cut:
        log.warning("journal.torn_end_cut", bytes=journal.cut)
    return _Disk(vault, journal, Keyring(folder).project_key(settings.project), reserve, secured)


def _crew(settings: Settings, disk: _Disk, metrics: Metrics) -> Crew:
    """Give who serves connections: this process, or workers.

    Raises
    ------
    streams.errors.Unavailable
        When workers do not start.
    """
    count = settings.dicom_processes or min(os.cpu_count() or 1, _MOST_WORKERS)
    if count > 1:
        duty = Duty(disk.vault, disk.journal, disk.key, disk.reserve, settings.log_level, files_of(settings))
        workers = Workers(count, duty, metrics)
        workers.start()
        return workers
    silence_libraries()
    storing = Storing(key=disk.key, vault=disk.vault, journal=disk.journal, clock=utc_now)
    return Threads(
        Reception(
            storing=storing,
            admission=Everybody(),
            counting=metrics,
            clock=utc_now,
            new_id=lambda: str(uuid7()),
            tls=disk.tls,
        )
    )


def _listen(listener: Listener, settings: Settings) -> int:
    """Open the ports; give the plain one, or that of TLS when it is the only one."""
    ports = []
    if settings.dicom_plain:
        ports.append(listener.open(settings.dicom_host, settings.dicom_port, "CHIPS_DICOM_PORT"))
    if settings.dicom_tls_certificate_file:
        ports.append(
            listener.open(settings.dicom_host, settings.dicom_tls_port, "CHIPS_DICOM_TLS_PORT", is_tls=True)
        )
    listener.start()
    log.info("gateway.listening", host=settings.dicom_host, ports=ports, ae=settings.dicom_ae)
    return ports[0]


def _problems(disk: _Disk) -> list[str]:
    """Say why no image can be taken."""
    found = []
    if not disk.vault.has_room():
        found.append("The vault's disk is full: objects are refused until there is room")
    if disk.journal.broken:
        found.append("The journal's disk failed: the gateway starts anew")
    return found


def _notes(publisher: Publisher, tls: Contexts | None) -> list[str]:
    """Say what keeps no image out: while the bus is away the journal takes them, and the door stays open."""
    found = [f"The journal waits for the bus: {publisher.problem}"] if publisher.problem else []
    if tls and (problem := tls.problem):
        found.append(problem)
    return found


async def _any(stop: asyncio.Event, broken: asyncio.Event, publishing: asyncio.Task[None]) -> None:
    waiting = {asyncio.create_task(event.wait()) for event in (stop, broken)}
    try:
        await asyncio.wait({*waiting, publishing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


@contextmanager
def _usable(folder: Path) -> Iterator[None]:
    try:
        lasting_folder(folder, 0o700)
        yield
    except OSError as error:
        raise Unavailable(
            f"The vault {folder} can't be used: {error.strerror}. Correct CHIPS_VAULT, its owner or its disk."
        ) from error


@contextmanager
def _only_gateway(folder: Path) -> Iterator[None]:
    """Hold the vault's lock, which the system frees when we die, however we do."""
    fd = os.open(folder / "gateway.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Rejected(f"Another gateway uses {folder}: stop it, or give this one its own") from error
        yield
    finally:
        os.close(fd)
