"""The gateway's entry point: vault, journal, publisher and door, wired."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry
from uuid_utils import uuid7

from gateway.admission import Everybody
from gateway.commitment.delivering import Delivering
from gateway.commitment.reaching import reach
from gateway.errors import JournalBroken
from gateway.inlet import Inlet
from gateway.inside import Inside, open_inside
from gateway.listening import Listener
from gateway.metrics import Metrics
from gateway.presence import Presence
from gateway.publisher import Publisher
from gateway.quotas import Counted
from gateway.reception import Reception
from gateway.refusal_events import Refusals, closed_unheard
from gateway.serving import Crew, Threads
from gateway.silence import silence_libraries
from gateway.storing import Storing
from gateway.tls import files_of
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
LOOK_S = 1.0
"""How often files that may change are looked at and refusals are recorded, s."""
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
        inside = await asyncio.to_thread(open_inside, folder, settings)
        publisher = Publisher(
            inside.journal, lambda: producer(settings), metrics, on_read=inside.holdings.keep
        )
        inside.journal.on_durable = publisher.wake
        loop = asyncio.get_running_loop()
        inside.journal.on_broken = lambda: loop.call_soon_threadsafe(broken.set)
        metrics.watch(
            backlog=lambda: inside.journal.backlog,
            free=inside.vault.free,
            bus_up=lambda: publisher.problem is None,
            congested=lambda: inside.congestion() is not None,
        )
        crew = await asyncio.to_thread(_crew, settings, inside, metrics)
        listener = Listener(
            crew,
            most=settings.dicom_associations,
            most_of_one=settings.dicom_associations_per_address,
            refusing=inside.congestion,
            on_closed=lambda address: metrics.refused(closed_unheard(settings.project, address)),
        )
        inlet = Inlet(folder, inside.records)
        delivering = Delivering(
            inside.vault.reports,
            metrics.reported,
            lambda made, reply: reach(made, reply, files_of(settings)),
        )
        closed = asyncio.Event()
        refusals, presence = _gathering(metrics, settings.project)
        telling = asyncio.create_task(
            _look(inside, refusals, presence, inside.storings.of(settings.project), closed)
        )
        enough = asyncio.Event()
        publishing = asyncio.create_task(publisher.run(enough))
        try:
            await asyncio.to_thread(inlet.open)
            delivering.start()
            port = await asyncio.to_thread(_listen, listener, settings)
            async with observe(registry, inside.problems, lambda: _notes(publisher, inside)):
                if on_port:
                    on_port(port)
                if on_ready:
                    on_ready()
                await _any(stop, broken, publishing, telling)
        finally:
            await asyncio.to_thread(listener.close)
            await asyncio.to_thread(crew.close, CLOSE_S)
            await asyncio.to_thread(inlet.close)
            await asyncio.to_thread(delivering.close, CLOSE_S)
            closed.set()
            await asyncio.wait({telling})
            if not publishing.done():
                await publisher.drained(CLOSE_S)
            enough.set()
            await asyncio.wait({publishing})
            await asyncio.to_thread(inside.journal.close)
            await asyncio.to_thread(inside.holdings.close)
        publishing.result()
        telling.result()
        if broken.is_set():
            raise JournalBroken(f"The journal's disk failed: see to the disk of {folder}")
        log.info("gateway.stopped", backlog=inside.journal.backlog)


def _crew(settings: Settings, inside: Inside, metrics: Metrics) -> Crew:
    """Give who serves connections: this process, or workers.

    Raises
    ------
    streams.errors.Unavailable
        When workers do not start.
    """
    count = settings.dicom_processes or min(os.cpu_count() or 1, _MOST_WORKERS)
    if count > 1:
        duty = Duty(
            vault=inside.vault,
            journal=inside.records,
            holdings=inside.holdings,
            quotas=Counted(),
            project=settings.project,
            reserve=inside.reserve,
            log_level=settings.log_level,
            accepts=settings.dicom_accept,
            tls=files_of(settings),
            sources=settings.sources_file,
            rules=lambda: inside.doorkeeper.content if inside.doorkeeper else b"",
        )
        workers = Workers(count, duty, metrics)
        workers.start()
        return workers
    silence_libraries()
    return Threads(
        Reception(
            storing=inside.storings.of(settings.project),
            admission=inside.doorkeeper or Everybody(),
            counting=metrics,
            clock=utc_now,
            new_id=lambda: str(uuid7()),
            quotas=Counted(),
            holdings=inside.holdings,
            accepts=settings.dicom_accept,
            tls=inside.tls,
            storing_of=inside.storings.of,
        )
    )


def _gathering(metrics: Metrics, project: str) -> tuple[Refusals, Presence]:
    """Give what gathers refusals, and who is there, until it is told."""
    refusals = Refusals(lambda: str(uuid7()))
    metrics.on_refused = lambda refused: refusals.note(refused, utc_now())
    presence = Presence(project, lambda: str(uuid7()))
    metrics.on_opened = lambda party: presence.opened(party, utc_now())
    metrics.on_ended = presence.ended
    return refusals, presence


async def _look(
    inside: Inside, refusals: Refusals, presence: Presence, storing: Storing, closed: asyncio.Event
) -> None:
    """Follow files that change; record who is there and refusals, at last all of them."""
    while True:
        last = closed.is_set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(closed.wait(), LOOK_S)
        await asyncio.to_thread(inside.unfollowed)
        now = utc_now()
        there = presence.due(now, inside.configured(storing.project))
        if events := [*there, *refusals.due(now, all_of_them=last)]:
            try:
                await asyncio.to_thread(storing.record, events)
            except Unavailable as error:
                log.warning("gateway.not_recorded", events=len(events), error=str(error))
                presence.tell_again()
        if last:
            return


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


def _notes(publisher: Publisher, inside: Inside) -> list[str]:
    """Say what keeps no image out: while the bus is away the journal takes them, and the door stays open."""
    found = [f"The journal waits for the bus: {publisher.problem}"] if publisher.problem else []
    return found + inside.notes(utc_now())


async def _any(stop: asyncio.Event, broken: asyncio.Event, *tasks: asyncio.Task[None]) -> None:
    waiting = {asyncio.create_task(event.wait()) for event in (stop, broken)}
    try:
        await asyncio.wait({*waiting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


@contextlib.contextmanager
def _usable(folder: Path) -> Iterator[None]:
    try:
        lasting_folder(folder, 0o700)
        yield
    except OSError as error:
        raise Unavailable(
            f"The vault {folder} can't be used: {error.strerror}. Correct CHIPS_VAULT, its owner or its disk."
        ) from error


@contextlib.contextmanager
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
