"""The WebSocket route: who may open one, and what a tab may ask."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Annotated, Literal

import msgspec
import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from schemas.identity import Uuid
from streams.errors import Unavailable
from ui.auth.sessions import Session
from ui.backend import BACKEND, Backend
from ui.errors import Refused, place
from ui.live.connection import Connection
from ui.middleware import SESSION

MAX_REQUEST = 4 * 1024
"""The largest frame that a tab may send, bytes."""
SESSION_EVERY_S = 30.0
"""How often an open socket looks whether its session still is, s."""
SESSION_OVER = 4401
"""Close code by which the page knows that it has to log in."""


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a tab asks.

    home, sources: follow the home page, or who sends. sub, unsub: follow a feed from after a version, or not.
    """

    t: Literal["home", "sources", "sub", "unsub"]
    feed: Uuid | None = None
    after: Annotated[int, msgspec.Meta(ge=0)] = 0


log = structlog.get_logger()

_ASK = msgspec.json.Decoder(Ask)


async def live(request: web.Request) -> web.WebSocketResponse:
    """``GET /api/live``: the one WebSocket of a tab."""
    backend = request.app[BACKEND]
    session = request[SESSION]
    if request.headers.get("Origin", "") != backend.origin:
        raise Refused(403, f"Live updates are for pages of {backend.origin}: open that address.")
    socket = web.WebSocketResponse(heartbeat=20.0, max_msg_size=MAX_REQUEST, compress=True)
    tab = Connection(socket, backend.store, backend.settings.project, session.account, backend.texts)
    if not backend.hub.join(tab):
        told = "Too many pages are open, of yours or on this server: close some, or try again later."
        raise Refused(503, told, retry_after_s=30)
    try:
        await socket.prepare(request)
        code, message = await _converse(
            socket, tab, _ended(backend, session, request.cookies[backend.cookie])
        )
        await socket.close(code=code, message=message)
    finally:
        backend.hub.leave(tab)
    return socket


async def _converse(
    socket: web.WebSocketResponse, tab: Connection, ended: Coroutine[None, None, None]
) -> tuple[int, bytes]:
    """Listen and send until either ends or the session does; give the code and reason to close with.

    A tab whose sender failed must not go on looking alive: closed, it connects again and misses nothing.
    """
    over = asyncio.create_task(ended)
    tasks = (over, asyncio.create_task(tab.run()), asyncio.create_task(_listen(socket, tab)))
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    failed = [error for task in done if (error := task.exception())]
    for error in failed:
        log.warning("live.failed", error=type(error).__name__, place=place(error))
    if failed:
        return WSCloseCode.INTERNAL_ERROR, b"something went wrong: connect again"
    if over in done:
        return SESSION_OVER, b"session over: log in again"
    return WSCloseCode.OK, b""


async def _ended(backend: Backend, session: Session, token: str) -> None:
    """Wait until a session is over: its time has come, or it was closed, here or by another ui process."""
    while (left := (session.expires - backend.clock()).total_seconds()) > 0:
        await asyncio.sleep(min(left, SESSION_EVERY_S))
        with contextlib.suppress(Unavailable):  # then its time decides
            if await backend.sessions.find(token) is None:
                return


async def _listen(socket: web.WebSocketResponse, tab: Connection) -> None:
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            return
        try:
            ask = _ASK.decode(message.data)
        except msgspec.DecodeError as error:
            tab.tell({"t": "bye", "code": "malformed", "reason": str(error)})
            continue
        if ask.t == "home":
            tab.home = True
            tab.tell({"t": "home"})
        elif ask.t == "sources":
            tab.sources = True
        elif ask.feed is None:
            tab.tell({"t": "bye", "code": "malformed", "reason": f"{ask.t} needs a feed"})
        elif ask.t == "unsub":
            tab.unsubscribe(ask.feed)
        elif refusal := tab.subscribe(ask.feed, ask.after):
            tab.tell({"t": "bye", "feed": ask.feed, "code": "limit", "reason": refusal})
