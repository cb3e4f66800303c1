"""The runner's loop: look at the open jobs when something happened, lease what is free, work in slots."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import msgspec
import structlog

from agents.dispatch.agent import JOB_AGGREGATE
from agents.dispatch.runner.engine_watch import EngineWatch
from agents.dispatch.runner.job_run import JobRun, Means
from agents.dispatch.runner.planning import ready_at, resource
from schemas.catalogue import JOB
from schemas.envelope import Event
from schemas.identity import job_stream
from schemas.job import JobFailed, WorkOrder
from streams.bus import Tail
from streams.errors import Unavailable
from streams.histories import Histories
from streams.store.api import Lease, OpenJob

POLL_S = 1.0
"""Between two looks when the bus says nothing, s."""

SWEEP_S = 60.0
"""Between two sweeps of what died runners left, s."""

REST_S = 5.0
"""How long a job rests for which engine, bus or disk were away, s."""

AWAY_S = 20.0
"""How long the store may be away before the process ends, to be started again, s."""

log = structlog.get_logger()


class Runner:
    """Works on open jobs, `slots` at a time."""

    def __init__(self, means: Means, tail: Tail, *, slots: int) -> None:
        self._means = means
        self._tail = tail
        self._slots = slots
        self._jobs = Histories(means.store.events, JOB_AGGREGATE, consumer="runner", clock=means.clock)
        self._running: dict[str, asyncio.Task[bool]] = {}
        self._resting: dict[str, datetime] = {}
        self._woken = asyncio.Event()
        self._engine = EngineWatch(means.runtime, self._woken.set)
        self._away_since: datetime | None = None

    @property
    def busy(self) -> int:
        """Slots with a job."""
        return len(self._running)

    def problems(self) -> list[str]:
        """Say what keeps it from working."""
        store = "The store does not answer" if self._away_since else None
        return [problem for problem in (store, self._engine.problem) if problem]

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; then leave containers to the next runner and end subprocesses.

        Raises
        ------
        streams.errors.Unavailable
            When store, bus or engine were away for too long.
        """
        beside = [asyncio.create_task(each()) for each in (self._listen, self._sweep, self._engine.run)]
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                self._woken.clear()
                try:
                    await self._look()
                    self._away_since = None
                except Unavailable:
                    now = self._means.clock()
                    self._away_since = self._away_since or now
                    if (now - self._away_since).total_seconds() > AWAY_S:
                        raise
                await self._pause(stopping, beside)
        finally:
            await _end([stopping, *beside, *self._running.values()])

    async def _pause(self, stopping: asyncio.Task[bool], beside: list[asyncio.Task[None]]) -> None:
        """Wait until something happened, a job ended, or it is time to look anyway."""
        woken = asyncio.create_task(self._woken.wait())
        await asyncio.wait(
            {woken, stopping, *beside, *self._running.values()},
            timeout=POLL_S,
            return_when=asyncio.FIRST_COMPLETED,
        )
        woken.cancel()
        for task in beside:
            if task.done():  # they end by a failure of ours alone, and it must not go unseen
                task.result()
        for job, run in list(self._running.items()):
            if run.done():
                del self._running[job]
                self._take(job, run)

    def _take(self, job: str, task: asyncio.Task[bool]) -> None:
        """Let a job rest that something was away for, or that was lost: another runner may do better.

        Any other failure is ours, and ends the process.
        """
        try:
            kept = task.result()
        except Unavailable as away:
            log.warning("runner.job_waits", job=job, reason=str(away))
            self._means.counted("away")
            self._engine.doubt()
            kept = False
        if not kept:
            rest = max(REST_S, 2 * self._means.lease_s)
            now = self._means.clock()
            resting = {other: until for other, until in self._resting.items() if until > now}
            self._resting = {**resting, job: now + timedelta(seconds=rest)}

    async def _look(self) -> None:
        """Lease free jobs while there are slots, and an engine to run them."""
        for job in await self._means.store.jobs.list():
            # A lease without an engine is one of the few that a job has.
            if len(self._running) >= self._slots or not self._engine.answers:
                return
            if job.job in self._running or not await self._is_ready(job):
                continue
            lease = await self._lease(job)
            if lease:
                order = msgspec.json.decode(job.body, type=WorkOrder)
                run = JobRun(self._means, order, lease).run()
                self._running[job.job] = asyncio.create_task(run, name=f"job {job.job}")

    async def _is_ready(self, job: OpenJob) -> bool:
        """Tell whether the back-off after its last failure, or its rest, is over."""
        rests_until = self._resting.get(job.job)
        if rests_until is not None:
            if self._means.clock() < rests_until:
                return False
            del self._resting[job.job]
        stream = job_stream(job.project, job.job)
        state = await self._jobs.load(stream)
        if state.phase != "failed":
            return True
        last = [event async for event in self._means.store.events.read(stream, after=state.version - 1)]
        return not last or self._means.clock() >= ready_at(state.failures, _failed_at(last[-1]))

    async def _lease(self, job: OpenJob) -> Lease | None:
        """Take the lease. Reading first spares the store a contest for what another holds."""
        leases, now = self._means.store.leases, self._means.clock()
        name = resource(job.project, job.job)
        holder = await leases.holder(name)
        if holder and holder.owner and holder.owner != self._means.runner and holder.expires > now:
            return None
        until = now + timedelta(seconds=self._means.lease_s)
        return await leases.acquire(name, self._means.runner, now, until)

    async def _listen(self) -> None:
        """Be woken by the bus; when it is away, polling goes on."""
        while True:
            try:
                async for _ in self._tail.records([JOB.name]):
                    self._woken.set()
            except Unavailable as away:
                log.warning("runner.bus_away", reason=str(away))
            await asyncio.sleep(POLL_S)

    async def _sweep(self) -> None:
        while True:
            try:
                await self.sweep()
            except Unavailable as away:
                log.warning("runner.sweep_failed", reason=str(away))
            await asyncio.sleep(SWEEP_S)

    async def sweep(self) -> None:
        """Remove containers and folders of jobs that have ended, whoever made them."""
        await self._means.runtime.sweep(self._is_over)
        for left in await asyncio.to_thread(lambda: list(self._means.workplace.left())):
            if left.job not in self._running and await self._is_over(left.project, left.job):
                await asyncio.to_thread(self._means.workplace.remove, left.folder)

    async def _is_over(self, project: str, job: str) -> bool:
        if job in self._running:
            return False
        return (await self._jobs.load(job_stream(project, job))).phase == "ended"


def _failed_at(event: Event) -> datetime:
    return (event.recordedtime or event.time) if isinstance(event.data, JobFailed) else event.time


async def _end(tasks: list[asyncio.Task[None] | asyncio.Task[bool]]) -> None:
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            log.warning("runner.ended_with", reason=str(outcome))
