"""What a runner says: reports as commands, which must arrive, and progress, which may be lost."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec
import stamina

from plugins.contract.results import parse_progress
from schemas.command import ReportJobFailed, ReportJobLeased, ReportJobRunning, ReportJobSucceeded
from schemas.identity import derived_id, job_stream, series_stream
from schemas.job import WorkOrder
from schemas.live import JobProgress
from schemas.make import first
from streams.bus import Producer
from streams.clock import Clock
from streams.errors import Unavailable
from streams.ids import fresh_id
from streams.publishing import publish

SOURCE = "/chips/runner"
SEND_S = 600.0
"""How long a report is tried again while the bus is away, s; the lease is renewed meanwhile."""

PERIOD_S = 0.25
"""Between two messages of progress of one job, s."""

Report = ReportJobLeased | ReportJobRunning | ReportJobSucceeded | ReportJobFailed


class Reporter:
    """Speaks for one job under one lease."""

    def __init__(
        self, producer: Producer, clock: Clock, order: WorkOrder, *, fencing: int, correlation: str
    ) -> None:
        self._producer = producer
        self._clock = clock
        self._order = order
        self._fencing = fencing
        self._correlation = correlation
        self._said: JobProgress | None = None

    async def report(self, report: Report, attempt: int) -> None:
        """Send a report until the bus has it; its id is the same when it is sent again.

        Raises
        ------
        streams.errors.Unavailable
            When the bus was away all the time.
        """
        subject = job_stream(self._order.project, self._order.job)
        event = first(
            report,
            event_id=derived_id("runner", subject, f"{self._fencing} {attempt} {type(report).__name__}"),
            source=SOURCE,
            subject=subject,
            time=self._clock(),
        )
        event = msgspec.structs.replace(event, correlationid=self._correlation)
        async for once in stamina.retry_context(on=Unavailable, attempts=None, timeout=SEND_S, wait_max=5.0):
            with once:
                await publish(self._producer, [event])

    def heard(self, line: bytes) -> None:
        """Take a line of the step's output; what is no progress is let go."""
        progress = parse_progress(line)
        if progress:
            self._said = JobProgress(
                project=self._order.project,
                study=self._order.study,
                series=self._order.series,
                job=self._order.job,
                fraction=progress.progress,
                step=progress.step,
            )

    async def tell_progress(self) -> None:
        """Tell the newest progress every period, until cancelled."""
        while True:
            await asyncio.sleep(PERIOD_S)
            await self.flush()

    async def flush(self) -> None:
        """Tell the newest progress, if there is one that was not told."""
        said, self._said = self._said, None
        if said is None:
            return
        event = first(
            said,
            event_id=fresh_id(),
            source=SOURCE,
            subject=series_stream(said.project, said.series),
            time=self._clock(),
        )
        with contextlib.suppress(Unavailable):  # the next one, or the durable event, says more
            await publish(self._producer, [event])
