"""Studies that can become an input of a feed."""

from __future__ import annotations

import msgspec
from aiohttp import web

from schemas.facts import FeedOfStudy, SeriesOfStudy, StudyOfProject
from ui.backend import BACKEND
from ui.responses import reply

MAX_STUDIES = 500


async def studies(request: web.Request) -> web.Response:
    """``GET /api/studies``: each with its series and the feeds that show it."""
    backend = request.app[BACKEND]
    facts, project = backend.store.facts, backend.settings.project
    told = []
    for fact in (await facts.all(project, "study", project))[:MAX_STUDIES]:
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
    return reply({"studies": told})
