"""Studies that can become an input of a feed."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiohttp import web

from schemas.facts import FeedOfStudy, SeriesOfStudy, StudyOfProject
from schemas.identity import default_feed
from streams.store.api import Fact
from ui.api.newest import pages
from ui.backend import BACKEND
from ui.responses import reply

MAX_STUDIES = 500
"""Studies that a page is given to choose from."""
NEVER = datetime.min.replace(tzinfo=UTC)


async def studies(request: web.Request) -> web.Response:
    """``GET /api/studies``: those that came last, each with its series and the feeds that show it.

    `more`, when there, is how many studies are not among them.
    """
    backend = request.app[BACKEND]
    facts, project = backend.store.facts, backend.settings.project
    came: dict[str, datetime] = {}
    async for page in pages(backend.store.views, project):
        came |= {head.feed: head.created for head, _ in page}
    arrived = await facts.all(project, "study", project)
    # In a thread: a project may have 200,000 studies, and an id is hashed for each.
    shown = await asyncio.to_thread(_newest, arrived, came)
    told: list[dict[str, Any]] = []
    for fact in shown:
        study = msgspec.json.decode(fact.body, type=StudyOfProject)
        series = [
            msgspec.json.decode(row.body, type=SeriesOfStudy)
            for row in await facts.all(project, "series", study.study)
        ]
        feeds = [
            msgspec.json.decode(row.body, type=FeedOfStudy).feed
            for row in await facts.all(project, "feed_of_study", study.study)
        ]
        told.append(
            {
                "study": study.study,
                "patient": study.patient,
                "series": [{"series": one.series, "modality": one.modality} for one in series],
                "feeds": feeds,
            }
        )
    more = len(arrived) - len(shown)
    return reply({"studies": told, "more": more} if more else {"studies": told})


def _newest(studies: list[Fact], came: Mapping[str, datetime]) -> list[Fact]:
    """Give the newest studies: a study came when the default rule opened its feed; one without comes last."""
    return heapq.nlargest(
        MAX_STUDIES, studies, key=lambda fact: came.get(default_feed(fact.project, fact.key), NEVER)
    )
