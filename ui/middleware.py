"""What every request passes: a session where one is needed, CSRF, security headers, errors as JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
import uuid_utils
from aiohttp import web

from streams.errors import NewerFormat, Rejected, Unavailable
from ui.auth.sessions import COOKIE, Session, same
from ui.backend import BACKEND
from ui.errors import Refused
from ui.responses import reply

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SESSION: web.RequestKey[Session] = web.RequestKey("session", Session)
OPEN = frozenset({"/api/login", "/healthz", "/readyz", "/metrics"})
"""Paths that need no session; so does whatever is not under /api, the app itself."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; "
        "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

log = structlog.get_logger()


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn our failures into JSON that says what to do."""
    with structlog.contextvars.bound_contextvars(request=str(uuid_utils.uuid7())):
        try:
            return await handler(request)
        except Refused as refused:
            headers = {"Retry-After": str(refused.retry_after_s)} if refused.retry_after_s else None
            return reply({"error": str(refused)}, status=refused.status, headers=headers)
        except NewerFormat as newer:
            return reply({"error": str(newer)}, status=503)
        except Rejected as rejected:
            return reply({"error": str(rejected)}, status=422)
        except Unavailable as away:
            log.warning("http.unavailable", route=_route(request), error=str(away))
            return reply({"error": "The store or the bus is away for the moment: try again."}, status=503)
        except web.HTTPException as answered:
            if request.path.startswith("/api/") and answered.status >= 400:  # noqa: PLR2004 - errors begin there
                return reply({"error": answered.reason}, status=answered.status)
            raise


@web.middleware
async def security_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say how a browser should treat what we send."""
    response = await handler(request)
    if not response.prepared:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
    return response


@web.middleware
async def sessions(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find the session; ask for one under /api; check the CSRF token of whatever changes something."""
    if not request.path.startswith("/api/") or request.path in OPEN:
        return await handler(request)
    session = await request.app[BACKEND].sessions.find(request.cookies.get(COOKIE))
    if session is None:
        raise Refused(401, "Log in first.")
    if request.method not in {"GET", "HEAD"} and not same(session.csrf, request.headers.get("X-CSRF-Token")):
        raise Refused(403, "This request lacks the token of your session: reload the page.")
    request[SESSION] = session
    return await handler(request)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else "none"
