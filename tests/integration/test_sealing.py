"""A person's words on a whole CHIPS: read by people, found nowhere on bus and store, gone with an erasure."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import aiohttp
import pytest
from cassandra.cluster import Cluster
from uuid_utils import uuid7

from schemas.catalogue import TOPICS
from schemas.identity import feed_stream
from streams.opening import open_tail
from streams.projections.views import VIEWS
from streams.store.opening import open_store
from tests.stack import PASSWORD, Session, Stack, running, wait_quiescent
from tests.tiers import TIERS, tier
from ui.subjects.keys import KNOWN_S

WORDS = "Kanarienvogel am oberen Pol, Größe geprüft"
EDITED = "Kanarienvogel am unteren Pol"
CANARY = b"Kanarienvogel"
TITLE = "Findling"
"""Stands clear beside the words, so that the search is seen to find what is there."""


def ask(session: Session, feed: str, kind: str, **body: Any) -> int:
    """Give the feed's version after a command; one that is not decided yet is sent again, as a page does."""
    wish = {"id": str(uuid7()), "feed": feed, "type": kind, "body": body}
    for _ in range(6):  # each waits 10 s at most; consumers of a new group begin late
        answer = session.post("/api/commands", wish)
        if answer:
            return answer["version"]
    raise AssertionError(f"{kind} was not decided")


@pytest.mark.slow
@pytest.mark.parametrize("name", TIERS)
def test_words_are_sealed_everywhere_and_an_erasure_takes_them_away(name, tmp_path):
    with tier(name, tmp_path) as engines:
        stack = Stack(tmp_path / "chips", {**engines.environment, "CHIPS_ISOLATION": "subprocess"})
        with running(stack):
            stack.add_user("ben", "Ben Ortiz")
            ana, ben = stack.session(), stack.session("ben")
            feed, comment = str(uuid7()), str(uuid7())
            assert ask(ana, feed, "create", title=TITLE) == 1
            asyncio.run(seen_live(stack, ana, feed, comment))
            ask(ana, feed, "edit_comment", comment=comment, text=EDITED)
            assert told(ben, feed) == told(ana, feed) == [EDITED, EDITED, WORDS]

            before = asyncio.run(rests(stack, feed))
            where = places(stack, engines.engines)
            assert_found(where, TITLE.encode(), {"bus", "store"})
            assert_found(where, CANARY, set())

            stack.chips("user", "erase", "ana", "--yes")
            erased_for_everyone(stack, ana, ben, feed)
            wait_quiescent(stack, 60)
            assert asyncio.run(rests(stack, feed)) == before
            for view in VIEWS:
                assert "no difference" in stack.chips("replay", "diff", view).stdout.lower()
                stack.chips("replay", "rebuild", view)
            assert asyncio.run(rests(stack, feed)) == before
            assert told(ben, feed) == [None] * 3


async def seen_live(stack: Stack, ana: Session, feed: str, comment: str) -> None:
    """Ben's page hears of the comment, in words, without asking again."""
    async with following(stack, feed) as events:
        await anext(events)  # the feed's first event: from here on it comes by the bus
        posted = await asyncio.to_thread(ask, ana, feed, "post_comment", comment=comment, text=WORDS)
        assert posted == 2
        async with asyncio.timeout(20):
            event = await anext(events)
    assert (event["type"], event["data"]["text"]) == ("chips.feed.comment.posted.v1", WORDS)


@contextlib.asynccontextmanager
async def following(stack: Stack, feed: str) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    jar = aiohttp.CookieJar(unsafe=True)  # the page's address is an IP
    async with aiohttp.ClientSession(cookie_jar=jar) as client:
        await client.post(f"{stack.url}/api/login", json={"name": "ben", "password": PASSWORD})
        async with client.ws_connect(f"{stack.url}/api/live", headers={"Origin": stack.url}) as socket:
            await socket.send_json({"t": "sub", "feed": feed, "after": 0})

            async def events() -> AsyncIterator[dict[str, Any]]:
                while True:
                    message = await socket.receive_json(timeout=30)
                    if message["t"] == "ev":
                        yield message["event"]

            yield events()


def told(session: Session, feed: str) -> list[str | None]:
    """Give the comment on the feed's page, and its two rows, newest first."""
    (comment,) = session.get(f"/api/feeds/{feed}")["detail"]["comments"]
    rows = session.get(f"/api/feeds/{feed}/timeline")["rows"]
    said = [row for row in rows if row["kind"] in {"comment", "edit"}]
    assert all(one.get("withheld") == (None if one["text"] else "erased") for one in [comment, *said])
    return [comment["text"], *(row["text"] for row in said)]


def erased_for_everyone(stack: Stack, ana: Session, ben: Session, feed: str) -> None:
    for refused in (lambda: ana.get("/api/me"), stack.session):
        with pytest.raises(HTTPError) as answer:
            refused()
        assert answer.value.code == 401
    stack.until(lambda: told(ben, feed) == [None] * 3, KNOWN_S + 10, "the erasure to take effect")
    assert [one["display_name"] for one in ben.get("/api/people")["people"]] == ["Ben Ortiz"]

    async def live() -> None:
        async with following(stack, feed) as events:
            heard = [await anext(events) for _ in range(3)]
        said = [(event["data"]["text"], event["data"]["withheld"]) for event in heard[1:]]
        assert said == [(None, "erased")] * 2

    asyncio.run(live())


async def rests(stack: Stack, feed: str) -> list[Any]:
    """Give what the log and the views hold of the feed."""
    store = await open_store(stack.settings)
    try:
        project = stack.settings.project
        log = [event async for event in store.events.read(feed_stream(project, feed))]
        views = {
            view: [await store.views.rows(view, project, scope) for scope in ("", feed)] for view in VIEWS
        }
        return [log, views]
    finally:
        await store.close()


def places(stack: Stack, engines: Any) -> dict[str, set[bytes]]:
    """Give all bytes of bus, store and logs."""
    found = {"log": {stack.log.read_bytes()}, "bus": set(), "store": set()}
    if engines is None:
        data = Path(stack.settings.data)
        for path in data.rglob("*"):
            if path.is_file():
                found["bus" if "bus" in path.parts else "store"].add(path.read_bytes())
        assert {path.name for path in data.iterdir()} >= {"store.db", "subjects.key", "bus"}
    else:
        found["bus"] = asyncio.run(messages(stack))
        found["store"] = table_rows(engines.cassandra.address)
    return found


async def messages(stack: Stack) -> set[bytes]:
    """Read every topic from its beginning to where it ends now."""
    tail = open_tail(stack.settings)
    try:
        ends = await tail.ends(list(TOPICS))
        left = {where for where, end in ends.items() if end}
        found: set[bytes] = set()
        async with asyncio.timeout(60):
            records = tail.records(list(TOPICS), start="beginning")
            async for record in records:
                found |= {record.value, *(value for _, value in record.headers)}
                if record.offset + 1 >= ends[record.topic, record.partition]:
                    left.discard((record.topic, record.partition))
                if not left:
                    return found
        raise AssertionError("the tail ended")
    finally:
        await tail.close()


def table_rows(address: str) -> set[bytes]:
    """Read every column of every row of every table."""
    host, _, port = address.rpartition(":")
    cluster = Cluster([host], port=int(port), control_connection_timeout=20)
    try:
        session = cluster.connect("chips")
        tables = cluster.metadata.keyspaces["chips"].tables
        assert {"event", "view_row", "record", "snapshot"} <= set(tables)
        return {
            value if isinstance(value, bytes) else str(value).encode()
            for table in tables
            for row in session.execute(f"SELECT * FROM {table}", timeout=60)
            for value in row
        }
    finally:
        cluster.shutdown()


def assert_found(where: dict[str, set[bytes]], what: bytes, expected: set[str]) -> None:
    found = {place for place, contents in where.items() if any(what in content for content in contents)}
    assert found == expected
