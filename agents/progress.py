"""Live counts of series: at most one message a series and period, and the last one is always sent."""

from __future__ import annotations

import asyncio
import contextlib
from typing import NamedTuple

from schemas.catalogue import LIVE
from schemas.envelope import encode
from schemas.identity import series_stream
from schemas.live import SeriesProgress
from schemas.make import first
from streams.bus import Message, Producer
from streams.clock import Clock
from streams.errors import Unavailable
from streams.ids import fresh_id
from streams.store.api import Facts

PERIOD_S = 0.25
"""Between two messages about one series, s."""

MAX_WAITING = 10_000
"""Series that changed and wait for their message; beyond it the oldest is let go."""


class Counted(NamedTuple):
    """A series whose counts changed."""

    project: str
    study: str
    series: str


class Progress:
    """Counts facts and tells them; what it tells may be lost, so no failure of it stops anything.

    Parameters
    ----------
    kinds
        Fact kinds to count: of stored, anonymized, quarantined.
    source
        Who tells, ``/chips/agents/<agent>``.
    """

    def __init__(
        self, facts: Facts, producer: Producer, clock: Clock, *, kinds: tuple[str, ...], source: str
    ) -> None:
        self._facts = facts
        self._producer = producer
        self._clock = clock
        self._kinds = kinds
        self._source = source
        self._changed: dict[Counted, None] = {}

    def changed(self, project: str, study: str, series: str) -> None:
        """Note that a series has new facts."""
        if len(self._changed) >= MAX_WAITING:
            self._changed.pop(next(iter(self._changed)))
        self._changed[Counted(project, study, series)] = None

    async def run(self) -> None:
        """Tell what changed, every period, until cancelled."""
        while True:
            await asyncio.sleep(PERIOD_S)
            await self.flush()

    async def flush(self) -> None:
        """Tell every series that changed since the last time."""
        changed, self._changed = self._changed, {}
        # Live counts may be dropped: the next change, or the durable event, brings the page up to date.
        with contextlib.suppress(Unavailable):
            await self._producer.send_all([await self._message(series) for series in changed])

    async def _message(self, counted: Counted) -> Message:
        counts = {
            kind: await self._facts.count(counted.project, kind, counted.series) for kind in self._kinds
        }
        event = first(
            SeriesProgress(project=counted.project, study=counted.study, series=counted.series, **counts),
            event_id=fresh_id(),
            source=self._source,
            subject=series_stream(counted.project, counted.series),
            time=self._clock(),
        )
        return Message(LIVE.name, event.partitionkey, encode(event))
