"""The health and metrics port of a process that has no HTTP of its own."""

from __future__ import annotations

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from streams.errors import Unavailable
from streams.observing import Said, nothing


class Health:
    """Answers /healthz, /readyz and /metrics; port 0 answers nowhere."""

    def __init__(
        self,
        host: str,
        port: int,
        metrics: CollectorRegistry,
        problems: Said,
        notes: Said = nothing,
    ) -> None:
        self._host = host
        self._port = port
        self._metrics = metrics
        self._problems = problems
        self._notes = notes
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen.

        Raises
        ------
        streams.errors.Unavailable
            When the port can't be had.
        """
        if not self._port:
            return
        app = web.Application()
        app.add_routes(
            [
                web.get("/healthz", self._alive),
                web.get("/readyz", self._ready),
                web.get("/metrics", self._exposition),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise Unavailable(
                f"Can't listen on {self._host}:{self._port}: {error.strerror}. Stop what does, or set "
                "CHIPS_HEALTH_PORT"
            ) from error

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner:
            await self._runner.cleanup()

    async def _alive(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _ready(self, _: web.Request) -> web.Response:
        problems, notes = self._problems(), self._notes()
        body = {"status": "waiting" if problems else "ok", "problems": problems}
        return web.json_response({**body, "notes": notes} if notes else body, status=503 if problems else 200)

    async def _exposition(self, _: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(self._metrics), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )
