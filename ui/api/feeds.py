"""Feeds as pages read them: cards, one feed, its timeline, its files."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from schemas.views import FeedDetail, SeriesCounts
from streams.store.api import Row
from ui.api.newest import newest
from ui.backend import BACKEND, Backend
from ui.errors import Refused
from ui.requests import digest, feed_id, number
from ui.responses import bodies, reply

MAX_CARDS = 2_000
"""Cards that a home page is given."""
SHOWN_TYPES = frozenset({"image/webp", "image/png", "image/jpeg", "application/gzip", "application/json"})
"""Media types that a browser may be given as what they are; others come as a download."""


async def cards(request: web.Request) -> web.Response:
    """``GET /api/feeds``: the cards that changed last, with live counts of those still receiving.

    `more`, when there, is how many cards (at least) are not among them.
    """
    backend = request.app[BACKEND]
    found = await newest(backend.store.views, backend.settings.project, MAX_CARDS)
    receiving = [series for head, _ in found.cards if head.state == "receiving" for series in head.series]
    told: dict[str, Any] = {"counts": await _counts(backend, receiving)}
    if found.more:
        told["more"] = found.more
    return bodies("cards", [body for _, body in found.cards], **told)


async def detail(request: web.Request) -> web.Response:
    """``GET /api/feeds/{feed}``: the feed's page, with live counts of its series."""
    backend = request.app[BACKEND]
    row = await _feed_row(backend, feed_id(request))
    feed = msgspec.json.decode(row.body, type=FeedDetail)
    return reply(
        {"detail": await backend.texts.detail(feed), "counts": await _counts(backend, feed.card.series)}
    )


async def timeline(request: web.Request) -> web.Response:
    """``GET /api/feeds/{feed}/timeline?before=SEQ&limit=N``: newest first."""
    backend = request.app[BACKEND]
    feed = feed_id(request)
    limit = number(request, "limit", 100, least=1, most=500)
    before = number(request, "before", 10**16 - 1, least=1, most=10**16 - 1)
    rows = await backend.store.views.rows(
        "timeline", backend.settings.project, feed, after=f"{before:016d}", limit=limit, descending=True
    )
    return bodies("rows", await backend.texts.rows(feed, [row.body for row in rows]))


async def file(request: web.Request) -> web.StreamResponse:
    """``GET /api/feeds/{feed}/files/{sha256}``: an artefact that this feed shows, and nothing else."""
    backend = request.app[BACKEND]
    row = await _feed_row(backend, feed_id(request))
    wanted = digest(request)
    feed = msgspec.json.decode(row.body, type=FeedDetail)
    artefacts = [artefact for series in feed.series if series.run for artefact in series.run.artefacts]
    found = next((a for a in [*artefacts, *feed.card.pictures] if a.blob.sha256 == wanted), None)
    if found is None:
        raise Refused(404, "This feed shows no such file.")
    shown = found.blob.media_type in SHOWN_TYPES
    headers = {
        "Content-Type": found.blob.media_type if shown else "application/octet-stream",
        "Cache-Control": "private, max-age=31536000, immutable",
        "ETag": f'"{wanted}"',
    }
    if not shown:
        headers["Content-Disposition"] = "attachment"
    return web.FileResponse(backend.blobs.path(backend.settings.project, found.blob), headers=headers)


async def _feed_row(backend: Backend, feed: str) -> Row:
    row = await backend.store.views.row("feed", backend.settings.project, "", feed)
    if row is None:
        raise Refused(404, "There is no such feed.")
    return row


async def _counts(backend: Backend, series: list[str]) -> list[SeriesCounts]:
    facts, project = backend.store.facts, backend.settings.project
    return [
        SeriesCounts(
            series=key,
            stored=await facts.count(project, "stored", key),
            anonymized=await facts.count(project, "anonymized", key),
            quarantined=await facts.count(project, "quarantined", key),
        )
        for key in series
    ]
