"""What every request passes: a session where one is needed, CSRF, security headers, errors as JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
import uuid_utils
from aiohttp import web

from streams.errors import NewerFormat, Rejected, Unavailable
from ui.auth.sessions import Session, same
from ui.backend import BACKEND
from ui.errors import Refused, place
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

LATER = {"Retry-After": "5"}
"""With 503, s."""

log = structlog.get_logger()


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every failure into JSON that says what to do, and log those that are ours, without values."""
    number = str(uuid_utils.uuid7())
    with structlog.contextvars.bound_contextvars(request=number):
        try:
            return await handler(request)
        except Rejected as rejected:
            return _refusal(rejected)
        except Unavailable as away:
            log.warning("http.unavailable", route=_route(request), error=str(away))
            told = "The store or the bus is away for the moment: try again."
            return reply({"error": told}, status=503, headers=LATER)
        except web.HTTPException as answered:
            if request.path.startswith("/api/") and answered.status >= 400:  # noqa: PLR2004 - errors begin there
                return reply({"error": answered.reason}, status=answered.status)
            raise
        except Exception as broken:  # noqa: BLE001 - the last to see it; aiohttp would log its text, which may quote
            log.error(  # noqa: TRY400 - likewise: no text and no values, only what and where
                "http.failed", route=_route(request), error=type(broken).__name__, place=place(broken)
            )
            return reply({"error": f"This failed on the server; its log tells more of {number}."}, status=500)


@web.middleware
async def security_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say how a browser should treat what we send."""
    try:
        response = await handler(request)
    except web.HTTPException as answered:
        _secure(answered)
        raise
    if not response.prepared:
        _secure(response)
    return response


@web.middleware
async def sessions(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find the session; ask for one under /api; check the CSRF token of whatever changes something."""
    if not request.path.startswith("/api/") or request.path in OPEN:
        return await handler(request)
    backend = request.app[BACKEND]
    session = await backend.sessions.find(request.cookies.get(backend.cookie))
    if session is None:
        raise Refused(401, "Log in first.")
    if request.method not in {"GET", "HEAD"} and not same(session.csrf, request.headers.get("X-CSRF-Token")):
        raise Refused(403, "This request lacks the token of your session: reload the page.")
    request[SESSION] = session
    return await handler(request)


def _refusal(rejected: Rejected) -> web.Response:
    status, headers = 422, {}
    if isinstance(rejected, Refused):
        status = rejected.status
        headers = {"Retry-After": str(rejected.retry_after_s)} if rejected.retry_after_s else {}
    elif isinstance(rejected, NewerFormat):
        status, headers = 503, LATER
    return reply({"error": str(rejected)}, status=status, headers=headers)


def _secure(response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else "none"
