from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
import uuid_utils
from aiohttp import WSCloseCode, WSMsgType, WSServerHandshakeError
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from schemas.catalogue import COMMAND, decode
from schemas.command import CommandAccepted, CommandRejected
from schemas.envelope import encode
from schemas.feed import FeedTagged
from schemas.identity import BlobRef, derived_id
from schemas.image import SeriesAttributes
from schemas.job import Artefact
from schemas.make import derived, first
from schemas.views import Card, FeedDetail, RunView, SeriesView
from streams.blobs import Blobs
from streams.bus import Message, Position, Record
from streams.clock import utc_now
from streams.errors import Unavailable
from streams.settings import Settings
from streams.store.api import Row
from streams.store.memory.store import MemoryStore
from streams.store.stamp import KEY, KIND
from ui import requests
from ui.auth.accounts import Accounts
from ui.auth.attempts import PER_ADDRESS, PER_NAME
from ui.auth.limit import LoginLimit
from ui.auth.sessions import COOKIE, Sessions
from ui.backend import Backend
from ui.live import socket as socket_module
from ui.live.hub import Hub
from ui.live.socket import SESSION_OVER
from ui.proxies import networks
from ui.server import build

FEED = derived_id("test", "feed")
SERIES = "a" * 32
PASSWORD = "correct horse battery"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Bus:
    """A producer and a tail over one list; decides commands when told how."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.records_: asyncio.Queue[Record] = asyncio.Queue()
        self.decide = None

    async def send(self, message: Message) -> Position:
        self.sent.append(message)
        if self.decide:
            event = decode(message.value)
            answer = derived(
                self.decide(event), cause=event, consumer="feeds", subject=event.subject, recorded=event.time
            )
            self.tell("chips.reply.v1", encode(answer))
        return Position(message.topic, 0, len(self.sent))

    def tell(self, topic: str, value: bytes) -> None:
        self.records_.put_nowait(Record(topic, 0, 0, 0, None, value))

    async def ends(self, topics):
        return {}

    async def records(self, topics, *, start):
        while True:
            yield await self.records_.get()

    async def close(self) -> None:
        pass


@pytest.fixture
async def backend(tmp_path):
    store, bus = MemoryStore(), Bus()
    await store.migrate()
    backend = Backend(
        settings=Settings(data=str(tmp_path), http_port=1),
        store=store,
        producer=bus,
        blobs=Blobs(tmp_path / "blobs"),
        accounts=Accounts(store.records, hasher=PasswordHasher(time_cost=1, memory_cost=64)),
        sessions=Sessions(store.records, utc_now),
        limit=LoginLimit(store.records, utc_now),
        hub=Hub(store, lambda: bus, "default", CollectorRegistry()),
        clock=utc_now,
    )
    await backend.accounts.add("ana", "Ana Kim", PASSWORD, ["member"], NOW)
    return backend


@pytest.fixture
async def client(backend):
    relaying = asyncio.create_task(backend.hub.run())
    async with TestClient(TestServer(build(backend, CollectorRegistry()))) as client:
        yield client
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)


async def login(client, password=PASSWORD, name="ana"):
    answer = await client.post("/api/login", json={"name": name, "password": password})
    if answer.status == 200:
        client.session.headers["X-CSRF-Token"] = (await answer.json())["csrf"]
    return answer


async def put_feed(backend, picture: BlobRef) -> None:
    artefact = Artefact(name="key.webp", role="key_slice", blob=picture)
    card = Card(
        project="default",
        feed=FEED,
        version=3,
        title="A study",
        tags=[],
        state="done",
        created=NOW,
        updated=NOW,
        patients=["b" * 32],
        studies=1,
        series=[SERIES],
        modalities=["MR"],
        attributes=SeriesAttributes(),
        anonymized=1,
        quarantined=0,
        conflicts=0,
        measured=1,
        not_volumes=0,
        failed=0,
        comments=0,
        people=[],
        pictures=[artefact],
        steps=["succeeded"],
    )
    run = RunView(
        job=derived_id("test", "job"), plugin="volumetry", state="succeeded", version=1, artefacts=[artefact]
    )
    series = SeriesView(study="c" * 32, series=SERIES, modality="MR", version=1, anonymized=1, run=run)
    detail = FeedDetail(card=card, inputs=[], series=[series], comments=[])
    for view, body in (("card", card), ("feed", detail)):
        await backend.store.views.put(view, 1, [Row("default", "", FEED, 3, msgspec.json.encode(body))])


async def test_nothing_of_the_api_is_open_without_a_session(client):
    for path in ("/api/me", "/api/feeds", f"/api/feeds/{FEED}", "/api/studies", "/api/people", "/api/live"):
        answer = await client.get(path)
        assert answer.status == 401, path
        assert (await answer.json()) == {"error": "Log in first."}
    assert (await client.post("/api/commands", json={})).status == 401


async def test_a_login_gives_a_cookie_that_scripts_cannot_read_and_other_sites_cannot_send(client):
    answer = await login(client)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    me = await (await client.get("/api/me")).json()
    assert me["user"]["display_name"] == "Ana Kim"
    assert "password" not in str(me)


async def test_a_wrong_name_and_a_wrong_password_answer_alike(client):
    wrong = [await login(client, password="x" * 12), await login(client, name="nobody")]
    assert {answer.status for answer in wrong} == {401}
    assert len({await answer.text() for answer in wrong}) == 1


async def test_too_many_failures_make_one_wait_even_with_the_right_password(client):
    for _ in range(PER_NAME):
        assert (await login(client, password="wrong password")).status == 401
    answer = await login(client)
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) > 0


async def test_guesses_at_once_are_no_more_than_guesses_in_a_row(client):
    answers = await asyncio.gather(*(login(client, password=f"wrong password {i}") for i in range(30)))
    assert sorted(answer.status for answer in answers) == [401] * PER_NAME + [429] * (30 - PER_NAME)


async def test_behind_a_proxy_each_client_has_its_own_limit(backend):
    backend = replace(backend, proxies=networks("127.0.0.1"))

    async def guess(client, sender: str, name: str):
        headers = {"X-Forwarded-For": f"198.51.100.1, {sender}"}
        asked = {"name": name, "password": "wrong password"}
        return (await client.post("/api/login", json=asked, headers=headers)).status

    async with TestClient(TestServer(build(backend, CollectorRegistry()))) as client:
        for index in range(PER_ADDRESS):
            assert await guess(client, "203.0.113.5", f"name{index}") == 401
        assert await guess(client, "203.0.113.5", "another") == 429
        assert await guess(client, "203.0.113.6", "another") == 401


async def test_who_is_no_trusted_proxy_cannot_choose_an_address(client):
    for index in range(PER_ADDRESS):
        asked = {"name": f"name{index}", "password": "wrong password"}
        sender = {"X-Forwarded-For": f"203.0.113.{index}"}
        assert (await client.post("/api/login", json=asked, headers=sender)).status == 401
    assert (await login(client)).status == 429


async def test_logins_that_succeed_are_not_limited(client):
    for _ in range(PER_NAME + 1):
        assert (await login(client)).status == 200


async def test_a_new_login_ends_the_session_that_the_browser_had(client, backend):
    token = (await login(client)).cookies[COOKIE].value
    assert (await login(client)).status == 200
    assert await backend.sessions.find(token) is None


async def raw(client, method: str, path: str, **headers: bytes) -> bytes:
    """Send headers that no client would, and give the answer's status line."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: x", b"Connection: close"]
    lines += [name.replace("_", "-").encode() + b": " + value for name, value in headers.items()]
    writer.write(b"\r\n".join([*lines, b"", b""]))
    status = await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    return status.split()[1]


async def test_a_cookie_or_a_token_that_is_no_text_is_a_wrong_one(client):
    session = f"{COOKIE}={(await login(client)).cookies[COOKIE].value}".encode()
    assert await raw(client, "GET", "/api/me", Cookie=f"{COOKIE}=x".encode() + b"\xff") == b"401"
    assert await raw(client, "POST", "/api/logout", Cookie=session, X_CSRF_Token=b"\xff") == b"403"


async def test_a_login_from_another_origin_is_refused(client):
    answer = await client.post(
        "/api/login", json={"name": "ana", "password": PASSWORD}, headers={"Origin": "http://evil.example"}
    )
    assert answer.status == 403


async def test_what_changes_something_needs_the_token_of_the_session(client):
    await login(client)
    answer = await client.post("/api/logout", headers={"X-CSRF-Token": "another"})
    assert answer.status == 403
    assert (await client.post("/api/logout")).status == 200
    assert (await client.get("/api/me")).status == 401


def wish(kind="post_comment", **body):
    return {"id": str(uuid_utils.uuid7()), "feed": FEED, "type": kind, "body": body}


async def test_a_command_travels_with_its_author_and_its_answer_comes_back(client, backend):
    await login(client)
    backend.producer.decide = lambda event: CommandAccepted(command=event.id, stream=event.subject, version=4)
    asked = wish(comment=str(uuid_utils.uuid7()), text="Look here")
    answer = await client.post("/api/commands", json=asked)
    assert (answer.status, await answer.json()) == (200, {"version": 4})
    (message,) = backend.producer.sent
    event = decode(message.value)
    account = (await backend.accounts.everyone())[0]
    assert (message.topic, message.key, event.id) == (COMMAND.name, f"feed/default/{FEED}", asked["id"])
    assert (event.authtype, event.authid, event.data.text) == ("app_user", account.id, "Look here")


async def test_a_refused_command_says_why(client, backend):
    await login(client)
    backend.producer.decide = lambda event: CommandRejected(
        command=event.id, stream=event.subject, reason="Only its author may edit a comment."
    )
    answer = await client.post("/api/commands", json=wish("rename", title="x"))
    assert (answer.status, await answer.json()) == (409, {"error": "Only its author may edit a comment."})


@pytest.mark.parametrize(
    "body",
    [
        wish("post_comment", comment="no uuid", text="x"),
        wish("post_comment", comment=str(uuid_utils.uuid7()), text=""),
        wish("tag", tag=" leading blank"),
        wish("fly"),
        {"id": "x"},
        [],
    ],
)
async def test_a_malformed_command_is_refused_before_the_bus(client, backend, body):
    await login(client)
    answer = await client.post("/api/commands", json=body)
    assert answer.status in {400, 422}
    assert backend.producer.sent == []


async def test_a_file_is_served_when_the_feed_shows_it_and_not_otherwise(client, backend):
    shown = backend.blobs.put("default", b"RIFF....WEBP", "image/webp")
    hidden = backend.blobs.put("default", b"another", "image/webp")
    await put_feed(backend, shown)
    await login(client)
    answer = await client.get(f"/api/feeds/{FEED}/files/{shown.sha256}")
    assert (answer.status, answer.content_type, await answer.read()) == (200, "image/webp", b"RIFF....WEBP")
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert (await client.get(f"/api/feeds/{FEED}/files/{hidden.sha256}")).status == 404
    assert (await client.get(f"/api/feeds/{FEED}/files/..%2f..%2fetc")).status == 404


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


async def test_a_failure_is_told_as_json_and_logged_without_what_it_quotes(
    client, backend, monkeypatch, caplog
):
    async def broken(*_args, **_options):
        raise RuntimeError("Doe^Jane")

    await login(client)
    monkeypatch.setattr(backend.store.views, "row", broken)
    with capture_logs() as lines:
        answer = await client.get(f"/api/feeds/{FEED}")
    assert (answer.status, answer.content_type) == (500, "application/json")
    told = (await answer.json())["error"]
    (line,) = lines
    assert (line["event"], line["route"], line["error"]) == (
        "http.failed",
        "/api/feeds/{feed}",
        "RuntimeError",
    )
    assert "feeds.py" in line["place"]
    assert "Doe" not in told + str(line) + caplog.text


async def test_a_store_that_is_away_is_told_with_when_to_come_again(client, backend, monkeypatch):
    async def away(*_args, **_options):
        raise Unavailable("the store is away")

    await login(client)
    monkeypatch.setattr(backend.store.views, "row", away)
    answer = await client.get(f"/api/feeds/{FEED}")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert "try again" in (await answer.json())["error"]


@pytest.mark.parametrize("path", ["/%00", "/" + "x" * 300, "/..%2f..%2fpyproject.toml"])
async def test_a_path_that_can_be_no_file_gets_the_page(client, path):
    assert await raw(client, "GET", path) == await raw(client, "GET", "/")


async def test_a_body_that_does_not_come_is_not_waited_for(client, monkeypatch):
    monkeypatch.setattr(requests, "BODY_TIMEOUT_S", 0.01)
    status = await raw(client, "POST", "/api/login", Content_Type=b"application/json", Content_Length=b"10")
    assert status == b"408"


async def test_an_answer_to_a_wrong_method_has_our_headers_too(client):
    answer = await client.post("/healthz")
    assert answer.status == 405
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("decided", "outcome"),
    [
        (lambda event: CommandAccepted(command=event.id, stream=event.subject, version=4), "accepted"),
        (lambda event: CommandRejected(command=event.id, stream=event.subject, reason="No."), "rejected"),
    ],
)
async def test_a_command_is_logged_under_its_own_id_without_its_text(client, backend, decided, outcome):
    await login(client)
    backend.producer.decide = decided
    asked = wish(comment=str(uuid_utils.uuid7()), text="The patient is Jane Doe")
    with capture_logs() as lines:
        await client.post("/api/commands", json=asked)
    (line,) = [line for line in lines if line["event"] == "command.answered"]
    assert (line["correlationid"], line["outcome"]) == (asked["id"], outcome)
    assert "Jane" not in str(lines)


async def test_readiness_says_what_is_missing(client, backend):
    assert (await client.get("/healthz")).status == 200
    assert (await client.get("/readyz")).status == 200
    await backend.store.records.delete(KIND, KEY)
    answer = await client.get("/readyz")
    assert answer.status == 503
    assert "chips migrate" in (await answer.json())["problems"][0]


async def test_pages_may_run_only_our_own_scripts(client):
    answer = await client.get("/")
    assert "script-src 'self' 'wasm-unsafe-eval'" in answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
