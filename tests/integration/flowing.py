"""All agents on one store and one bus in memory, with a clock that the test moves."""

from __future__ import annotations

import random

import msgspec

from agents.anonymization.agent import Anonymization
from agents.anonymization.outcome import Anonymized, Quarantine
from agents.arrivals.agent import arrivals_agent
from agents.arrivals.sweeper import Sweeper
from agents.dispatch.agent import dispatch_agent
from agents.feeds.agent import feeds_agent
from agents.progress import Progress
from agents.spec import AgentSpec
from schemas import make
from schemas.command import ReportJobLeased, ReportJobRunning, ReportJobSucceeded
from schemas.identity import default_feed, derived_id, job_stream
from schemas.image import SeriesAttributes
from schemas.job import Artefact, JobLeased, JobRunning, JobSucceeded, WorkOrder
from schemas.views import FeedDetail
from streams.blobs import Blobs
from streams.publishing import message
from streams.store.memory.store import MemoryStore
from tests.integration.probing import manifest
from tests.unit.agents.flowing import PROJECT, Bus, Crash, Group, Ticking


def verdict(data):
    """Judge without DICOM: every instance whose number ends in 7 stays in quarantine."""
    if data.instance.endswith("7"):
        return Quarantine(reason="ultrasound", message="Ultrasound may show names.", policy="basic")
    content = b"clean " + data.digest.encode()
    return Anonymized(
        output=content,
        patient=data.patient,
        study=data.study,
        series=data.series,
        instance=data.instance,
        sop_class_uid=data.sop_class_uid,
        transfer_syntax_uid=data.transfer_syntax_uid,
        modality=data.modality,
        instance_number=1,
        number_of_frames=1,
        attributes=SeriesAttributes(patient_sex="F"),
        policy="basic",
        counts={},
    )


async def no_faces(images):
    raise AssertionError(f"{len(images)} images wait for their series")


class Hospital:
    """Events in, cards out."""

    def __init__(self, folder, *, judge=verdict, take_faces=no_faces, seed=None, registry=None, clock=None):
        self.store, self.bus, self.clock = MemoryStore(), Bus(), clock or Ticking()
        self.blobs, self.judge, self.take_faces = Blobs(folder), judge, take_faces
        self.registry = registry or {"probe": manifest()}
        self.chance = None if seed is None else random.Random(seed)
        self.group = None
        self.restart()

    def restart(self):
        """Begin as new processes do: nothing is remembered but what is stored."""
        progress = Progress(
            self.store.facts, self.bus, self.clock, kinds=("anonymized",), source="/chips/agents/x"
        )
        cleaning = Anonymization(
            self.store,
            self.bus,
            self.clock,
            progress,
            blobs=self.blobs,
            judge=self.judge,
            take_faces=self.take_faces,
        )
        specs = [
            arrivals_agent(self.store, self.bus, self.clock, quiet_s=10, settle_s=1),
            AgentSpec("anonymization", ("chips.pacs.v1",), cleaning.handle),
            dispatch_agent(
                self.store, self.bus, self.clock, blobs=self.blobs, registry=self.registry, attempts=2
            ),
            feeds_agent(self.store, self.bus, self.clock),
        ]
        positions = self.group.positions if self.group else {}
        self.group = Group(self.bus, specs, repeat=self._repeats)
        self.group.positions = positions
        self.sweeper = Sweeper(self.store.deadlines, self.bus, self.clock)

    def _repeats(self):
        return self.chance.choice([0, 0, 0, 1, 2]) if self.chance else 0

    async def send(self, *events):
        for event in events:
            await self.bus.send(message(event))

    async def pass_time(self, seconds):
        self.clock.move(seconds)
        await self.sweeper.sweep()
        await self.group.settle()

    async def work(self):
        """Do what runners do with the jobs that are open: report, always in the same words."""
        for open_job in await self.store.jobs.list():
            order = msgspec.json.decode(open_job.body, type=WorkOrder)
            who = {"project": PROJECT, "job": order.job, "fencing": 1, "attempt": 1}
            volume = self.blobs.put(PROJECT, order.job.encode(), "application/gzip")
            made = [Artefact(name="v", role="volume", blob=volume)]
            reports = [
                ReportJobLeased(report=JobLeased(**who, runner="r")),
                ReportJobRunning(report=JobRunning(**who, isolation="subprocess")),
                ReportJobSucceeded(
                    report=JobSucceeded(
                        **who, outcome="measured", seconds=1, artefacts=made, measures=[], findings=[]
                    )
                ),
            ]
            stream = job_stream(PROJECT, order.job)
            for number, report in enumerate(reports):
                await self.send(
                    make.first(
                        report,
                        event_id=derived_id("runner", stream, number),
                        source="/chips/runner",
                        subject=stream,
                        time=self.clock(),
                    )
                )
        await self.group.settle()

    async def rest(self):
        """Let everything come to its end."""
        self.bus.crash_after = None
        for _ in range(6):
            await self.group.settle()
            await self.pass_time(45)
            await self.work()

    async def storm(self, rounds):
        """Crash, restart, repeat; time goes on meanwhile."""
        for _ in range(rounds):
            self.bus.crash_after = self.chance.choice([None, 0, 1, 2, 3, 5, 8])
            try:
                await self.group.settle()
                await self.pass_time(self.chance.choice([0, 1, 5, 12]))
                await self.work()
            except Crash:
                self.restart()

    async def page(self, study):
        row = await self.store.views.row("feed", PROJECT, "", default_feed(PROJECT, study))
        return msgspec.json.decode(row.body, type=FeedDetail)
