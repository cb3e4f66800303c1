"""One job under one lease: begin or go on with its attempt, report, and hold the lease until that is history.

Losing the lease ends it at once, wherever it is; what it might still report is refused for its fencing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import Literal, NamedTuple

import structlog

from agents.dispatch.agent import JOB_AGGREGATE
from agents.dispatch.runner.collecting import collect
from agents.dispatch.runner.planning import MAX_CAUSE, kills_runners, next_attempt
from agents.dispatch.runner.reporting import Reporter
from agents.dispatch.runner.steps import Ended, Runtime, Step
from agents.dispatch.runner.workplace import Workplace
from plugins.contract.errors import UnknownPlugin
from plugins.contract.registry import find_plugin
from plugins.contract.types import Manifest
from schemas.command import ReportJobFailed, ReportJobLeased, ReportJobRunning, ReportJobSucceeded
from schemas.identity import job_stream
from schemas.job import JobFailed, JobLeased, JobRunning, WorkOrder
from streams.aggregates.state import JobState
from streams.blobs import Blobs
from streams.bus import Producer
from streams.clock import Clock
from streams.crashpoints import crashpoint
from streams.errors import Poison, Unavailable
from streams.histories import Histories
from streams.store.api import Lease, Store

EFFECT_S = 600.0
"""How long a report may take to have its effect before the lease is given back, s."""

LOOK_S = 0.2
"""Between two looks whether it has, s."""

Outcome = Literal["succeeded", "failed", "lease_lost", "away"]
"""How an attempt ended for this runner; away: store, bus or engine were."""

log = structlog.get_logger()


def uncounted(_outcome: Outcome) -> None:
    """Count nothing."""


class Means(NamedTuple):
    """What every job of a runner works with."""

    store: Store
    producer: Producer
    blobs: Blobs
    clock: Clock
    runtime: Runtime
    workplace: Workplace
    registry: dict[str, Manifest]
    runner: str
    lease_s: float
    attempts: int
    counted: Callable[[Outcome], None] = uncounted


class JobRun:
    """Works on one job under one lease."""

    def __init__(self, means: Means, order: WorkOrder, lease: Lease) -> None:
        self._means = means
        self._order = order
        self._lease = lease
        self._stream = job_stream(order.project, order.job)
        self._jobs = Histories(
            means.store.events, JOB_AGGREGATE, consumer="runner", clock=means.clock, cached=1
        )
        self._log = log.bind(job=order.job, fencing=lease.fencing)

    async def run(self) -> bool:
        """Work until the job's attempt is decided or the lease is lost; then give the lease back.

        Returns
        -------
        bool
            False when the lease was lost.

        Raises
        ------
        streams.errors.Unavailable
            When store, bus or engine were away for too long.
        """
        working = asyncio.create_task(self._work())
        renewing = asyncio.create_task(self._renew())
        try:
            await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
                return True
            self._log.warning("runner.lease_lost")
            self._means.counted("lease_lost")
            return False
        finally:
            working.cancel()
            renewing.cancel()
            await asyncio.gather(working, renewing, return_exceptions=True)
            await asyncio.shield(self._release())

    async def _renew(self) -> None:
        """Hold the lease; return when it is lost, or can't be renewed before it ends."""
        lasts = timedelta(seconds=self._means.lease_s)
        period = self._means.lease_s / 3
        while True:
            await asyncio.sleep(period)
            try:
                async with asyncio.timeout(period):
                    renewed = await self._means.store.leases.renew(self._lease, self._means.clock() + lasts)
            except (Unavailable, TimeoutError):
                if self._means.clock() >= self._lease.expires:
                    return
                continue
            if renewed is None:
                return
            self._lease = renewed

    async def _release(self) -> None:
        # It ends by itself when this can't be said.
        with contextlib.suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(5):
                await self._means.store.leases.release(self._lease)

    async def _work(self) -> None:
        means, order = self._means, self._order
        state = await self._jobs.load(self._stream)
        if state.phase == "ended":
            await means.store.jobs.close(order.project, order.job)
            return
        attempt = next_attempt(state)
        correlation = await self._correlation()
        self._log = self._log.bind(correlationid=correlation)
        reporter = Reporter(
            means.producer, means.clock, order, fencing=self._lease.fencing, correlation=correlation
        )
        self._log.info("runner.leased", attempt=attempt)
        leased = JobLeased(
            project=order.project,
            job=order.job,
            runner=means.runner,
            fencing=self._lease.fencing,
            attempt=attempt,
        )
        await reporter.report(ReportJobLeased(report=leased), attempt)
        crashpoint("runner.after_leased_before_start")
        if kills_runners(state, means.attempts):
            cause = f"its runner vanished {state.leases} times: look at that machine's memory and log"
            await self._fail(reporter, attempt, cause, final=True)
            return
        await self._attempt(reporter, attempt)

    async def _attempt(self, reporter: Reporter, attempt: int) -> None:
        order, means = self._order, self._means
        try:
            plugin = find_plugin(means.registry, order.plugin, order.plugin_version)
        except UnknownPlugin as unknown:
            await self._fail(reporter, attempt, str(unknown))
            return
        try:
            laid = await asyncio.to_thread(
                means.workplace.lay_out,
                order,
                attempt,
                self._lease.fencing,
                linked=means.runtime.isolation == "docker",
            )
        except Poison as gone:
            await self._fail(reporter, attempt, str(gone), final=True)
            return
        step = Step(
            project=order.project,
            job=order.job,
            attempt=attempt,
            plugin=plugin,
            folder=laid.folder,
            group=laid.group,
        )
        ended = await self._follow(step, reporter)
        crashpoint("runner.after_end_before_report")
        await self._conclude(step, ended, reporter)
        await means.runtime.remove(step)
        for folder in {laid.folder, ended.output.parent}:
            await asyncio.to_thread(means.workplace.remove, folder)

    async def _follow(self, step: Step, reporter: Reporter) -> Ended:
        async def started() -> None:
            running = JobRunning(
                project=step.project,
                job=step.job,
                fencing=self._lease.fencing,
                attempt=step.attempt,
                isolation=self._means.runtime.isolation,
            )
            await reporter.report(ReportJobRunning(report=running), step.attempt)
            crashpoint("runner.after_start_before_end")

        telling = asyncio.create_task(reporter.tell_progress())
        try:
            return await self._means.runtime.run(step, reporter.heard, started)
        finally:
            telling.cancel()
            await reporter.flush()

    async def _conclude(self, step: Step, ended: Ended, reporter: Reporter) -> None:
        if ended.cause is not None:
            await self._fail(reporter, step.attempt, ended.cause)
            return
        try:
            succeeded = await asyncio.to_thread(
                collect,
                self._means.blobs,
                self._order,
                step.plugin,
                ended.output,
                fencing=self._lease.fencing,
                attempt=step.attempt,
                seconds=ended.seconds,
            )
        except Poison as invalid:
            await self._fail(reporter, step.attempt, str(invalid))
            return
        await reporter.report(ReportJobSucceeded(report=succeeded), step.attempt)
        self._means.counted("succeeded")
        crashpoint("runner.after_report_before_release")
        await self._effect(step.attempt)

    async def _fail(self, reporter: Reporter, attempt: int, cause: str, *, final: bool = False) -> None:
        self._log.warning("runner.attempt_failed", attempt=attempt, cause=cause)
        failed = JobFailed(
            project=self._order.project,
            job=self._order.job,
            fencing=self._lease.fencing,
            attempt=attempt,
            cause=cause[:MAX_CAUSE],
            final=final,
        )
        await reporter.report(ReportJobFailed(report=failed), attempt)
        self._means.counted("failed")
        await self._effect(attempt)

    async def _effect(self, attempt: int) -> None:
        """Hold the lease until the report is part of the job's history, so that nobody begins it again."""
        for _ in range(int(EFFECT_S / LOOK_S)):
            if _decided(await self._jobs.load(self._stream), attempt):
                return
            await asyncio.sleep(LOOK_S)

    async def _correlation(self) -> str:
        async for event in self._means.store.events.read(self._stream, limit=1):
            return event.correlationid or event.id
        return self._order.job


def _decided(state: JobState, attempt: int) -> bool:
    return state.phase == "ended" or state.failures >= attempt
