"""Reading requests: parsed once, at the edge."""

from __future__ import annotations

import asyncio
import re
from typing import TypeVar

import msgspec
from aiohttp import web

from ui.errors import Refused

T = TypeVar("T")

BODY_TIMEOUT_S = 10.0
"""How long a body may take to come, s."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


async def body(request: web.Request, shape: type[T]) -> T:
    """Decode a JSON body.

    Raises
    ------
    ui.errors.Refused
        When it does not come in time or is not JSON of this shape; names the place.
    """
    if request.content_type != "application/json":
        raise Refused(415, "Send application/json.")
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            sent = await request.read()
    except TimeoutError as late:
        raise Refused(408, f"A body comes within {BODY_TIMEOUT_S:.0f} s.") from late
    except web.RequestPayloadError as broken:
        raise Refused(400, "This body broke off.") from broken
    try:
        return msgspec.json.decode(sent, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(400, f"This body does not fit: {error}") from error


def feed_id(request: web.Request) -> str:
    """Give the feed of the path; 404 when it can't be one."""
    return _matched(request, "feed", _UUID)


def digest(request: web.Request) -> str:
    """Give the digest of the path; 404 when it can't be one."""
    return _matched(request, "sha256", _DIGEST)


def number(request: web.Request, name: str, default: int, *, least: int, most: int) -> int:
    """Give a whole number of the query."""
    text = request.query.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise Refused(400, f"{name} is a whole number from {least} to {most}.")
    return int(text)


def _matched(request: web.Request, name: str, shape: re.Pattern[str]) -> str:
    text = request.match_info[name]
    if not shape.fullmatch(text):
        raise Refused(404, f"There is no such {name}.")
    return text
