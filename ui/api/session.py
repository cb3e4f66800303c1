"""Logging in and out."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from aiohttp import web

from streams.version import version
from ui.auth.accounts import MAX_PASSWORD, Account
from ui.auth.sessions import LIFETIME
from ui.backend import BACKEND
from ui.errors import Refused
from ui.middleware import SESSION
from ui.proxies import client
from ui.requests import body
from ui.responses import reply


class Login(msgspec.Struct, frozen=True):
    """A login."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_PASSWORD)]


async def login(request: web.Request) -> web.Response:
    """``POST /api/login``: answers 401 alike for a wrong name and a wrong password, 429 after too many."""
    backend = request.app[BACKEND]
    origin = request.headers.get("Origin")
    if origin is not None and origin != backend.origin:
        raise Refused(
            403, f"Logins come from {backend.origin}: open that address, or set public_url to this one."
        )
    given = await body(request, Login)
    admitted = await backend.limit.admit(given.name, _sender(request))
    try:
        account = await backend.accounts.authenticate(given.name, given.password)
    except Refused:
        await backend.limit.refund(admitted)
        raise
    if account is None:
        raise Refused(401, "Name or password is wrong.")
    await backend.limit.refund(admitted)
    if old := request.cookies.get(backend.cookie):
        await backend.sessions.close(old)  # this browser forgets it now: nobody should have it any longer
    token, session = await backend.sessions.open(account.id)
    if await backend.accounts.by_id(account.id) is None:  # erased meanwhile, and its sessions closed
        await backend.sessions.close(token)
        raise Refused(401, "Name or password is wrong.")
    response = reply({"user": public(account), "csrf": session.csrf})
    response.set_cookie(
        backend.cookie,
        token,
        httponly=True,
        samesite="Strict",
        secure=backend.secure,
        path="/",
        max_age=int(LIFETIME.total_seconds()),
    )
    return response


async def logout(request: web.Request) -> web.Response:
    """``POST /api/logout``."""
    backend = request.app[BACKEND]
    await backend.sessions.close(request.cookies[backend.cookie])
    response = reply({})
    response.del_cookie(backend.cookie, path="/", secure=backend.secure)
    return response


async def me(request: web.Request) -> web.Response:
    """``GET /api/me``: who is logged in, the CSRF token of the session, and where images are sent to."""
    backend = request.app[BACKEND]
    session = request[SESSION]
    account = await backend.accounts.by_id(session.account)
    if account is None:
        raise Refused(401, "Log in first.")
    return reply(
        {
            "user": public(account),
            "csrf": session.csrf,
            "version": version(),
            "dicom": {
                "ae": backend.settings.dicom_ae,
                "host": backend.settings.dicom_host,
                "port": backend.settings.dicom_port
                if backend.settings.dicom_plain
                else backend.settings.dicom_tls_port,
            },
        }
    )


async def people(request: web.Request) -> web.Response:
    """``GET /api/people``: names for the opaque ids in events."""
    everyone = await request.app[BACKEND].accounts.everyone()
    return reply({"people": [{"id": one.id, "display_name": one.display_name} for one in everyone]})


def _sender(request: web.Request) -> str:
    forwarded = request.headers.getall("X-Forwarded-For", [])
    return client(request.remote, forwarded, request.app[BACKEND].proxies)


def public(account: Account) -> dict[str, Any]:
    """Give what a page may know of an account."""
    return {
        "id": account.id,
        "name": account.name,
        "display_name": account.display_name,
        "roles": account.roles,
    }
