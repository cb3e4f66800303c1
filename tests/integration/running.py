"""A runner with everything around it in memory: dispatch decides, the bus is a list, blobs are real."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec

from agents.dispatch.agent import dispatch_agent
from agents.dispatch.runner.job_run import Means
from agents.dispatch.runner.planning import resource
from agents.dispatch.runner.runner import Runner
from agents.dispatch.runner.workplace import Workplace
from schemas import make
from schemas.command import RequestJob
from schemas.identity import derived_id, job_stream
from schemas.image import ManifestEntry, SeriesManifest
from schemas.job import JobFailed, JobSucceeded, WorkOrder
from schemas.live import JobProgress
from streams.blobs import Blobs
from streams.clock import utc_now
from streams.publishing import message
from streams.store.memory.store import MemoryStore
from tests.integration.probing import manifest
from tests.unit.agents.flowing import PROJECT, Bus, Group, key

LIMIT_S = 120


class NoTail:
    """A bus that wakes nobody: the runner polls."""

    async def records(self, _topics, *, start="end"):
        await asyncio.Event().wait()
        yield start


class Shop:
    """Jobs, and as many runners as a test starts."""

    def __init__(self, folder, runtime, *, plugin=None, attempts=2, lease_s=3.0, tag=""):
        self.folder, self.runtime, self.plugin = folder, runtime, plugin or manifest()
        self.attempts, self.lease_s, self.tag = attempts, lease_s, tag
        self.store, self.bus, self.blobs = MemoryStore(), Bus(), Blobs(folder / "blobs")
        spec = dispatch_agent(
            self.store,
            self.bus,
            utc_now,
            blobs=self.blobs,
            registry={self.plugin.name: self.plugin},
            attempts=attempts,
        )
        self.group = Group(self.bus, [spec])
        self.number = 0
        self.orders = []

    def means(self, runtime=None):
        self.number += 1
        return Means(
            store=self.store,
            producer=self.bus,
            blobs=self.blobs,
            clock=utc_now,
            runtime=runtime or self.runtime,
            workplace=Workplace(self.folder / "work", self.blobs),
            registry={self.plugin.name: self.plugin},
            runner=f"runner-{self.number}",
            lease_s=self.lease_s,
            attempts=self.attempts,
        )

    def runner(self, *, runtime=None, slots=1):
        return Runner(self.means(runtime), NoTail(), slots=slots)

    async def order(self, says):
        """Ask for a job whose step does what `says` says."""
        blob = self.blobs.put(PROJECT, says.encode(), "application/dicom")
        listed = SeriesManifest(
            project=PROJECT, series=key(1), instances=[ManifestEntry(instance=key(1), blob=blob)]
        )
        manifest_blob = self.blobs.put(PROJECT, msgspec.json.encode(listed), "application/json")
        job = derived_id("job", f"{self.tag}{says}", str(self.folder))
        order = WorkOrder(
            project=PROJECT,
            job=job,
            study=key(1),
            series=key(1),
            version=1,
            modality="CT",
            plugin=self.plugin.name,
            plugin_version=self.plugin.version,
            manifest=manifest_blob,
        )
        self.orders.append(order)
        stream = job_stream(PROJECT, job)
        asked = make.first(
            RequestJob(order=order), event_id=job, source="/chips/test", subject=stream, time=utc_now()
        )
        await self.bus.send(message(asked))
        await self.group.settle()
        return order

    async def dispatch(self):
        """Decide on reports as they come, as the agent would."""
        while True:
            await self.group.settle()
            await asyncio.sleep(0.02)

    async def until(self, condition, *runners):
        """Run until a condition holds."""
        stop = asyncio.Event()
        deciding = asyncio.create_task(self.dispatch())
        running = [asyncio.create_task(runner.run(stop)) for runner in runners]
        try:
            async with asyncio.timeout(LIMIT_S):
                while not await condition():
                    for task in (deciding, *running):
                        if task.done():
                            task.result()
                    await asyncio.sleep(0.05)
        finally:
            stop.set()
            async with asyncio.timeout(20):
                stopped = await asyncio.gather(*running, return_exceptions=True)
            deciding.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await deciding
        for outcome in stopped:
            if outcome is not None:
                raise outcome

    def ends(self):
        """Give the final events of all jobs."""
        return [
            one
            for one in self.bus.data("chips.job.v1")
            if isinstance(one, JobSucceeded) or (isinstance(one, JobFailed) and one.final)
        ]

    def failures(self):
        return [one.cause for one in self.bus.data("chips.job.v1", JobFailed)]

    async def finished(self, count=1):
        """Tell whether so many jobs have ended and every runner has tidied up after them."""
        holders = [await self.holder(order) for order in self.orders]
        return (
            len(self.ends()) >= count
            and not await self.store.jobs.list()
            and not any(holder and holder.owner for holder in holders)
        )

    async def finish(self, count=1, *, runners=1):
        async def done():
            return await self.finished(count)

        await self.until(done, *[self.runner() for _ in range(runners)])
        return self.ends()

    async def holder(self, order):
        return await self.store.leases.holder(resource(PROJECT, order.job))

    async def events(self, order):
        return [one async for one in self.store.events.read(job_stream(PROJECT, order.job))]

    def progress(self):
        return [(one.fraction, one.step) for one in self.bus.data("chips.live.v1", JobProgress)]
