"""Logging in, sessions, and the limit on attempts, over HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry

from streams.settings import Settings
from tests.unit.ui.serving import PASSWORD, login, raw
from ui.auth.attempts import PER_ADDRESS, PER_NAME
from ui.auth.sessions import COOKIE, SECURE_COOKIE
from ui.proxies import networks
from ui.server import build


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


async def test_over_https_the_cookie_is_for_this_host_alone_and_no_other_can_set_it(backend):
    backend = replace(backend, settings=Settings(data=backend.settings.data, public_url="https://chips.test"))
    async with TestClient(TestServer(build(backend, CollectorRegistry()))) as client:
        answer = await login(client)
        set_to = answer.headers["Set-Cookie"]
        token = answer.cookies[SECURE_COOKIE].value
        assert set_to.startswith("__Host-")
        assert "Secure" in set_to
        assert "Path=/" in set_to
        assert "Domain" not in set_to
        assert (await client.get("/api/me", headers={"Cookie": f"{COOKIE}={token}"})).status == 401
        ours = {"Cookie": f"{SECURE_COOKIE}={token}"}
        assert (await client.get("/api/me", headers=ours)).status == 200
        gone = await client.post("/api/logout", headers=ours)
        assert "Secure" in gone.headers["Set-Cookie"]  # without it browsers keep what has this prefix
        assert (await client.get("/api/me", headers=ours)).status == 401


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
