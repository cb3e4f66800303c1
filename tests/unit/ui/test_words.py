"""A person's words through the server: sealed on their way in, opened on every way out, gone when erased."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
import uuid_utils

from schemas.catalogue import decode
from schemas.command import CommandAccepted
from schemas.envelope import encode
from schemas.feed import CommentPosted
from schemas.make import derived
from schemas.sealed import MAX_CLEAR
from schemas.views import CommentView
from streams.projections.timeline import timeline_row
from streams.store.api import Row
from tests.unit.ui.serving import FEED, NOW, PASSWORD, login, put_feed, wish
from ui.subjects import erasing


async def say(client, backend, text):
    """Let a logged-in person comment, and write what the feeds agent would; give the event."""
    backend.producer.decide = lambda event: CommandAccepted(command=event.id, stream=event.subject, version=4)
    asked = wish(comment=str(uuid_utils.uuid7()), text=text)
    assert (await client.post("/api/commands", json=asked)).status == 200
    cause = decode(backend.producer.sent[-1].value)
    posted = CommentPosted(comment=cause.data.comment, text=cause.data.text)
    event = derived(
        posted, cause=cause, consumer="feeds", subject=cause.subject, recorded=cause.time, version=4
    )
    said = CommentView(comment=posted.comment, author=cause.authid, posted=cause.time, text=posted.text)
    await put_feed(backend, backend.blobs.put("default", b"x", "image/webp"), [said])
    row = Row("default", FEED, "0000000000000004", 4, msgspec.json.encode(timeline_row(event)))
    await backend.store.views.put("timeline", 1, [row])
    return event


async def shown(client, backend, event):
    """Give the (text, withheld) of a comment by each way that it has to a page."""
    detail = (await (await client.get(f"/api/feeds/{FEED}")).json())["detail"]
    rows = (await (await client.get(f"/api/feeds/{FEED}/timeline")).json())["rows"]
    async with client.ws_connect("/api/live", headers={"Origin": backend.origin}) as socket:
        await socket.send_json({"t": "home"})
        await socket.send_json({"t": "sub", "feed": FEED, "after": 3})
        assert (await socket.receive_json(timeout=5))["t"] == "home"
        while not any(tab.follows(FEED) for tab in backend.hub._tabs):
            await asyncio.sleep(0)
        backend.producer.tell("chips.feed.v1", encode(event))
        told = await socket.receive_json(timeout=5)
        while told["t"] != "ev":
            told = await socket.receive_json(timeout=5)
    found = [*detail["comments"], *rows, told["event"]["data"]]
    assert len(found) == 3
    return {(one["text"], one.get("withheld")) for one in found}


async def test_what_is_said_is_read_on_every_way_to_a_page_until_its_author_is_erased(client, backend):
    await login(client)
    event = await say(client, backend, "Größe prüfen 🩻")
    rests = [event.data.text, *(await rows_of(backend))]
    assert await shown(client, backend, event) == {("Größe prüfen 🩻", None)}

    await backend.accounts.add("ben", "Ben Ortiz", PASSWORD, ["member"], NOW)
    closed = await erasing.erase("ana", backend.store.records, backend.accounts, backend.sessions)
    assert closed == 1
    assert (await client.get("/api/me")).status == 401
    assert (await login(client)).status == 401
    await login(client, name="ben")
    backend.texts._keys._known.clear()  # as when KNOWN_S have passed
    assert await shown(client, backend, event) == {(None, "erased")}
    people = (await (await client.get("/api/people")).json())["people"]
    assert [one["display_name"] for one in people] == ["Ben Ortiz"]
    assert [event.data.text, *(await rows_of(backend))] == rests


async def rows_of(backend):
    views = backend.store.views
    return [
        *(row.body for row in await views.rows("timeline", "default", FEED)),
        *(row.body for row in await views.rows("feed", "default", "")),
    ]


async def test_a_login_that_an_erasure_overtakes_opens_nothing(client, backend, monkeypatch):
    opening = backend.sessions.open

    async def late(account):
        await erasing.erase("ana", backend.store.records, backend.accounts, backend.sessions)
        return await opening(account)

    monkeypatch.setattr(backend.sessions, "open", late)
    assert (await login(client)).status == 401
    assert await backend.store.records.list("session") == []


@pytest.mark.parametrize("text", ["   ", "x" * (MAX_CLEAR + 1)])
async def test_what_sealing_would_hide_is_refused_before(client, backend, text):
    await login(client)
    answer = await client.post("/api/commands", json=wish(comment=str(uuid_utils.uuid7()), text=text))
    assert answer.status == 422
    assert backend.producer.sent == []
