"""The WebSocket, over HTTP."""

from __future__ import annotations

import pytest
from aiohttp import WSCloseCode, WSMsgType, WSServerHandshakeError

from schemas.catalogue import decode
from schemas.command import CommandAccepted
from schemas.envelope import encode
from schemas.feed import FeedTagged
from schemas.make import derived, first
from streams.errors import Unavailable
from tests.unit.ui.serving import FEED, NOW, login, put_feed, wish
from ui.live import socket as socket_module
from ui.live.socket import SESSION_OVER


async def test_the_socket_is_for_our_own_pages(client):
    await login(client)
    with pytest.raises(WSServerHandshakeError) as refused:
        await client.ws_connect("/api/live", headers={"Origin": "http://evil.example"})
    assert refused.value.status == 403


async def test_the_home_page_hears_of_a_changed_card_and_of_progress(client, backend):
    await put_feed(backend, backend.blobs.put("default", b"x", "image/webp"))
    await login(client)
    async with client.ws_connect("/api/live", headers={"Origin": backend.origin}) as socket:
        await socket.send_json({"t": "home"})
        assert await socket.receive_json(timeout=5) == {"t": "home"}
        backend.producer.decide = lambda event: CommandAccepted(
            command=event.id, stream=event.subject, version=4
        )
        answer = await client.post("/api/commands", json=wish("tag", tag="seen"))
        assert answer.status == 200
        told = await socket.receive_json(timeout=5)
        assert (told["t"], told["accepted"], told["version"]) == ("reply", True, 4)
        command = decode(backend.producer.sent[-1].value)
        event = derived(
            FeedTagged(tag="seen"),
            cause=command,
            consumer="feeds",
            subject=command.subject,
            recorded=NOW,
            version=4,
        )
        backend.producer.tell("chips.feed.v1", encode(event))
        card = await socket.receive_json(timeout=5)
        assert (card["t"], card["card"]["feed"]) == ("card", FEED)


async def test_a_tab_that_cannot_be_caught_up_is_closed_so_that_it_connects_again(
    client, backend, monkeypatch
):
    async def away(_stream):
        raise Unavailable("the store is away")

    await login(client)
    async with client.ws_connect("/api/live", headers={"Origin": backend.origin}) as socket:
        monkeypatch.setattr(backend.store.events, "version", away)
        await socket.send_json({"t": "sub", "feed": FEED, "after": 0})
        closed = await socket.receive(timeout=5)
        assert (closed.type, closed.data) == (WSMsgType.CLOSE, WSCloseCode.INTERNAL_ERROR)


async def test_the_sockets_of_a_session_end_with_it(client, backend, monkeypatch):
    monkeypatch.setattr(socket_module, "SESSION_EVERY_S", 0.01)
    await login(client)
    async with client.ws_connect("/api/live", headers={"Origin": backend.origin}) as socket:
        assert (await client.post("/api/logout")).status == 200
        closed = await socket.receive(timeout=5)
        assert (closed.type, closed.data) == (WSMsgType.CLOSE, SESSION_OVER)


async def test_rubbish_on_the_bus_stops_nothing(client, backend):
    await login(client)
    backend.producer.tell("chips.feed.v1", b"rubbish")
    stray = first(
        FeedTagged(tag="x"), event_id=FEED, source="/chips/test", subject="no stream of ours", time=NOW
    )
    backend.producer.tell("chips.feed.v1", encode(stray))
    backend.producer.decide = lambda event: CommandAccepted(command=event.id, stream=event.subject, version=1)
    assert (await client.post("/api/commands", json=wish("rename", title="x"))).status == 200


async def test_rubbish_from_a_tab_is_answered_and_the_tab_stays(client, backend):
    await login(client)
    async with client.ws_connect("/api/live", headers={"Origin": backend.origin}) as socket:
        for rubbish in ("{", '{"t":"fly"}', '{"t":"sub"}', '{"t":"sub","feed":"x"}'):
            await socket.send_str(rubbish)
            assert (await socket.receive_json(timeout=5))["code"] == "malformed"
        await socket.send_json({"t": "home"})
        assert (await socket.receive_json(timeout=5))["t"] == "home"
