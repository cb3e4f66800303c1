"""Answers as JSON: structs by msgspec, plain values by orjson."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import orjson
from aiohttp import web


def reply(
    body: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Answer with JSON that no cache keeps."""
    return web.Response(
        body=orjson.dumps(body, default=msgspec.to_builtins),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def bodies(name: str, rows: list[bytes], **others: Any) -> web.Response:
    """Answer with encoded rows as they rest in a view, without decoding them, and other plain values."""
    rest = orjson.dumps(others, default=msgspec.to_builtins)[1:-1]
    joined = b'{"%s":[%s]%s%s}' % (name.encode(), b",".join(rows), b"," if rest else b"", rest)
    return web.Response(body=joined, content_type="application/json", headers={"Cache-Control": "no-store"})
