"""The sweeper: a passed deadline becomes an event under the series' key, where it is decided on in order."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from schemas.envelope import Event, parse_stream
from schemas.identity import derived_id
from schemas.make import first
from schemas.pacs import SeriesDue
from streams.bus import Producer
from streams.clock import Clock
from streams.errors import Unavailable
from streams.publishing import publish
from streams.store.api import Deadline, Deadlines

DEADLINE_KIND = "series"
PERIOD_S = 0.25
AGAIN = timedelta(seconds=30)
"""After so long a deadline that nobody cleared is told again: its event may wait behind many others."""

BATCH = 1000

log = logging.getLogger(__name__)


class Sweeper:
    """Tells of passed deadlines. Several at once are harmless: they make the same events."""

    def __init__(self, deadlines: Deadlines, producer: Producer, clock: Clock) -> None:
        self._deadlines = deadlines
        self._producer = producer
        self._clock = clock
        self._told: dict[tuple[str, datetime], datetime] = {}

    async def run(self) -> None:
        """Sweep every period until cancelled; store or bus being away makes it wait."""
        while True:
            try:
                await self.sweep()
            except Unavailable as away:
                log.warning("Deadlines wait: %s", away)
            await asyncio.sleep(PERIOD_S)

    async def sweep(self) -> int:
        """Tell of every deadline that has passed and was not told lately; return how many."""
        now = self._clock()
        passed = await self._deadlines.due(DEADLINE_KIND, now, BATCH)
        fresh = [one for one in passed if now - self._told.get((one.key, one.due), now - AGAIN) >= AGAIN]
        await publish(self._producer, [_event(one) for one in fresh])
        # Only what is still listed is remembered, so that this stays as small as the list.
        told = {(one.key, one.due): self._told.get((one.key, one.due), now) for one in passed}
        self._told = told | {(one.key, one.due): now for one in fresh}
        return len(fresh)


def deadline_of(stream: str, due: datetime, cause: Event) -> Deadline:
    """Make the deadline that an event sets for its series; it keeps the event's story for what follows."""
    return Deadline(DEADLINE_KIND, stream, due, (cause.correlationid or cause.id).encode())


def _event(deadline: Deadline) -> Event:
    _, project, series = parse_stream(deadline.key)
    return first(
        SeriesDue(project=project, series=series, due=deadline.due),
        event_id=derived_id("arrivals.sweeper", deadline.key, deadline.due.isoformat()),
        source="/chips/agents/arrivals",
        subject=deadline.key,
        time=deadline.due,
        correlationid=deadline.body.decode() or None,
    )
