from __future__ import annotations

import pytest
import uuid_utils
from structlog.testing import capture_logs

from schemas.catalogue import COMMAND, decode
from schemas.command import CommandAccepted, CommandRejected
from schemas.sealed import is_sealed
from streams.errors import Unavailable
from streams.store.stamp import KEY, KIND
from tests.unit.ui.serving import FEED, login, put_feed, raw, wish
from ui import requests


async def test_nothing_of_the_api_is_open_without_a_session(client):
    for path in ("/api/me", "/api/feeds", f"/api/feeds/{FEED}", "/api/studies", "/api/people", "/api/live"):
        answer = await client.get(path)
        assert answer.status == 401, path
        assert (await answer.json()) == {"error": "Log in first."}
    assert (await client.post("/api/commands", json={})).status == 401


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
    assert (event.authtype, event.authid) == ("app_user", account.id)
    assert is_sealed(event.data.text)
    assert b"Look here" not in message.value
    await client.post("/api/commands", json=asked)
    assert decode(backend.producer.sent[1].value).data == event.data  # sent again, it is the same


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
