"""Who sends: as arrivals keeps it beside the streams. Nothing of the inner zone's own is asked."""

from __future__ import annotations

import msgspec
from aiohttp import web

from schemas.sources import FORMAT, RECORD, Sources, SourceView
from ui.backend import BACKEND
from ui.responses import reply


async def sources(request: web.Request) -> web.Response:
    """``GET /api/sources``: the sources of the project, and what the time is, for pages count by it."""
    backend = request.app[BACKEND]
    kept = await backend.store.records.get(RECORD, RECORD)
    found = [one for one in _decoded(kept.body) if one.project == backend.settings.project] if kept else []
    return reply({"now": backend.clock(), "sources": found})


def _decoded(body: bytes) -> list[SourceView]:
    """Read what is kept; nothing when a newer or older arrivals wrote it, which makes it anew."""
    try:
        found = msgspec.json.decode(body, type=Sources)
    except msgspec.DecodeError:
        return []
    return found.sources if found.format == FORMAT else []
