"""Entry point of the ui process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry

from streams.blobs import Blobs
from streams.clock import utc_now
from streams.errors import Unavailable
from streams.opening import open_producer, open_tail
from streams.settings import Settings
from streams.store.opening import open_store
from ui.auth.accounts import Accounts
from ui.auth.limit import LoginLimit
from ui.auth.sessions import Sessions
from ui.backend import Backend
from ui.live.hub import Hub
from ui.proxies import networks
from ui.server import build
from ui.subjects.texts import open_texts

SHUTDOWN_S = 5.0

log = structlog.get_logger()


async def run(settings: Settings, *, stop: asyncio.Event, on_ready: Callable[[], None] | None = None) -> None:
    """Serve until `stop` is set.

    Raises
    ------
    streams.errors.Unavailable
        When the store, the bus or the port can't be opened, or ``chips migrate`` has not run.
    streams.errors.Rejected
        When the setting `trusted_proxies` is wrong, or the file of the subjects' keys can't be the store's.
    """
    proxies = networks(settings.trusted_proxies)
    metrics = CollectorRegistry()
    store = await open_store(settings)
    try:
        await store.check()
        texts = await open_texts(settings, store.records)
        producer = open_producer(settings)
        try:
            hub = Hub(store, lambda: open_tail(settings), settings.project, metrics)
            backend = Backend(
                settings=settings,
                store=store,
                producer=producer,
                blobs=Blobs(settings.path("blobs")),
                accounts=Accounts(store.records),
                sessions=Sessions(store.records, utc_now),
                limit=LoginLimit(store.records, utc_now),
                texts=texts,
                hub=hub,
                clock=utc_now,
                proxies=proxies,
            )
            await _serve(backend, metrics, stop, on_ready)
        finally:
            await producer.close()
    finally:
        await store.close()


async def _serve(
    backend: Backend, metrics: CollectorRegistry, stop: asyncio.Event, on_ready: Callable[[], None] | None
) -> None:
    runner = web.AppRunner(build(backend, metrics), access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    relaying = asyncio.create_task(backend.hub.run())
    stopping = asyncio.create_task(stop.wait())
    try:
        await _listen(runner, backend.settings)
        log.info("ui.listening", host=backend.settings.http_host, port=backend.settings.http_port)
        if on_ready:
            on_ready()
        await asyncio.wait({relaying, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if relaying.done():
            raise _first(relaying.exception())  # the hub ends only by failing: the supervisor restarts us
    finally:
        for task in (relaying, stopping):
            task.cancel()
        await asyncio.gather(relaying, stopping, return_exceptions=True)
        await runner.cleanup()


async def _listen(runner: web.AppRunner, settings: Settings) -> None:
    try:
        await web.TCPSite(runner, settings.http_host, settings.http_port).start()
    except OSError as error:
        raise Unavailable(
            f"Can't listen on {settings.http_host}:{settings.http_port}: {error.strerror}. Stop what does, "
            "or set CHIPS_HTTP_PORT"
        ) from error


def _first(failed: BaseException | None) -> BaseException:
    """Give the failure that brought down the hub's tasks; the process ends with its status."""
    while isinstance(failed, BaseExceptionGroup):
        failed = failed.exceptions[0]
    return failed or RuntimeError("the hub ended by itself")
