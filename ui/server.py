"""The aiohttp application: routes, middlewares, the built browser app."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from streams.errors import NewerFormat, Unavailable
from ui.api import commands, feeds, session, sources, studies
from ui.backend import BACKEND, Backend
from ui.live.socket import live
from ui.middleware import Handler, errors, security_headers, sessions
from ui.responses import reply

STATIC = Path(__file__).resolve().parent / "static"
MAX_BODY = 64 * 1024
"""The largest request body, bytes."""


def build(backend: Backend, metrics: CollectorRegistry) -> web.Application:
    """Put the application together."""
    app = web.Application(middlewares=[security_headers, errors, sessions], client_max_size=MAX_BODY)
    app[BACKEND] = backend
    app.add_routes(
        [
            web.post("/api/login", session.login),
            web.post("/api/logout", session.logout),
            web.get("/api/me", session.me),
            web.get("/api/people", session.people),
            web.get("/api/feeds", feeds.cards),
            web.get("/api/feeds/{feed}", feeds.detail),
            web.get("/api/feeds/{feed}/timeline", feeds.timeline),
            web.get("/api/feeds/{feed}/files/{sha256}", feeds.file),
            web.get("/api/studies", studies.studies),
            web.get("/api/sources", sources.sources),
            web.post("/api/commands", commands.post),
            web.get("/api/live", live),
            web.get("/healthz", _alive),
            web.get("/readyz", _ready),
            web.get("/metrics", _exposition(metrics)),
            web.get("/api/{rest:.*}", _unknown),
        ]
    )
    if (STATIC / "assets").is_dir():
        app.router.add_static("/assets", STATIC / "assets")
    app.router.add_get("/{path:.*}", _page)
    return app


async def _alive(_: web.Request) -> web.Response:
    return reply({"status": "ok"})


async def _ready(request: web.Request) -> web.Response:
    backend = request.app[BACKEND]
    problems = []
    try:
        await backend.store.check()
    except (Unavailable, NewerFormat) as problem:
        problems.append(str(problem))
    if not backend.hub.tailing:
        problems.append("The bus does not answer: live updates wait for it.")
    return reply(
        {"status": "waiting" if problems else "ok", "problems": problems}, status=503 if problems else 200
    )


def _exposition(metrics: CollectorRegistry) -> Handler:
    async def exposition(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return exposition


async def _unknown(_: web.Request) -> web.Response:
    return reply({"error": "There is no such resource."}, status=404)


async def _page(request: web.Request) -> web.StreamResponse:
    # The app routes in the browser: every path that is no file is its one page.
    named = _static(request.match_info["path"])
    if named:
        return web.FileResponse(named)
    index = STATIC / "index.html"
    if not index.is_file():
        return web.Response(status=503, text="The browser app is not built: run `make web`, then reload.")
    return web.FileResponse(index, headers={"Cache-Control": "no-cache"})


def _static(path: str) -> Path | None:
    """Give the file of the built app that a path names."""
    try:
        named = (STATIC / path).resolve()
        return named if named.is_relative_to(STATIC) and named.is_file() else None
    except (OSError, ValueError):  # too long a name, or one with a NUL
        return None
