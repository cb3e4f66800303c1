"""The WebSocket route: who may open one, and what a tab may ask."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Annotated, Literal

import msgspec
from aiohttp import WSMsgType, web

from schemas.identity import Uuid
from streams.errors import Unavailable
from ui.backend import BACKEND
from ui.errors import Refused
from ui.live.connection import Connection
from ui.middleware import SESSION

MAX_REQUEST = 4 * 1024
"""The largest frame that a tab may send, bytes."""


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a tab asks: follow the home page, follow a feed from after a version, or follow it no longer."""

    t: Literal["home", "sub", "unsub"]
    feed: Uuid | None = None
    after: Annotated[int, msgspec.Meta(ge=0)] = 0


_ASK = msgspec.json.Decoder(Ask)


async def live(request: web.Request) -> web.WebSocketResponse:
    """``GET /api/live``: the one WebSocket of a tab."""
    backend = request.app[BACKEND]
    session = request[SESSION]
    if request.headers.get("Origin", "") != backend.origin:
        raise Refused(403, f"Live updates are for pages of {backend.origin}: open that address.")
    socket = web.WebSocketResponse(heartbeat=20.0, max_msg_size=MAX_REQUEST, compress=True)
    tab = Connection(socket, backend.store, backend.settings.project, session.account)
    if not backend.hub.join(tab):
        raise Refused(503, "Too many pages are open on this server: close some, or try again later.")
    try:
        await socket.prepare(request)
        sending = asyncio.create_task(tab.run())
        try:
            async with asyncio.timeout((session.expires - backend.clock()).total_seconds()):
                await _listen(socket, tab)
        except TimeoutError:
            await socket.close(code=4401, message=b"session over: log in again")
        finally:
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, Unavailable):
                await sending
    finally:
        backend.hub.leave(tab)
    return socket


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
        elif ask.feed is None:
            tab.tell({"t": "bye", "code": "malformed", "reason": f"{ask.t} needs a feed"})
        elif ask.t == "unsub":
            tab.unsubscribe(ask.feed)
        elif refusal := tab.subscribe(ask.feed, ask.after):
            tab.tell({"t": "bye", "feed": ask.feed, "code": "limit", "reason": refusal})
