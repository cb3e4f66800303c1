"""Dispatch: one job for the same images, a list for runners, a history that repeats do not change."""

from __future__ import annotations

import msgspec
import pytest

from agents.dispatch.agent import dispatch_agent
from agents.dispatch.policy import work_orders
from plugins.contract.types import Manifest, Resources
from schemas import make
from schemas.command import (
    CommandRejected,
    ReportJobFailed,
    ReportJobLeased,
    ReportJobRunning,
    ReportJobSucceeded,
    RequestJob,
)
from schemas.identity import derived_id, job_stream, series_stream
from schemas.image import ManifestEntry, SeriesAnonymized, SeriesAttributes, SeriesManifest
from schemas.job import JobFailed, JobLeased, JobRequested, JobRunning, JobSucceeded, ResultPublished
from schemas.pacs import Completeness
from streams.blobs import Blobs
from streams.errors import Poison
from streams.publishing import message
from streams.store.memory.store import MemoryStore
from tests.unit.agents.flowing import PATIENT, PROJECT, Bus, Crash, Group, Ticking, key, uuid

JOB, RESULT, REPLY, COMMAND = "chips.job.v1", "chips.result.v1", "chips.reply.v1", "chips.command.v1"

RESOURCES = Resources(memory_bytes=2**30, pids=64, seconds=60, output_bytes=2**30)
REGISTRY = {
    "volumetry": Manifest(
        name="volumetry", version="1.0", title="V", description="d", modalities=["CT"], resources=RESOURCES
    )
}


def anonymized(blobs, *, version=1, images=2, modality="CT"):
    blob = blobs.put(PROJECT, b"image", "application/dicom")
    manifest = SeriesManifest(
        project=PROJECT,
        series=key(1),
        instances=[ManifestEntry(instance=key(n), blob=blob) for n in range(images)],
    )
    return SeriesAnonymized(
        project=PROJECT,
        patient=PATIENT,
        study=key(1),
        series=key(1),
        modality=modality,
        version=version,
        anonymized=images,
        quarantined=0,
        conflicts=0,
        manifest=blobs.put(PROJECT, msgspec.json.encode(manifest), "application/json") if images else None,
        policy="basic",
        attributes=SeriesAttributes(),
        reasons=[],
    )


def event(data, *, ident="e", subject=None):
    return make.first(
        data,
        event_id=uuid(ident),
        source="/chips/test",
        subject=subject or series_stream(PROJECT, key(1)),
        time=Ticking().now,
    )


class Desk:
    def __init__(self, tmp_path, attempts=2):
        self.store, self.bus, self.clock, self.blobs = MemoryStore(), Bus(), Ticking(), Blobs(tmp_path)
        self.attempts = attempts
        self.restart()

    def restart(self):
        self.spec = dispatch_agent(
            self.store,
            self.bus,
            self.clock,
            blobs=self.blobs,
            registry=REGISTRY,
            attempts=self.attempts,
        )
        self.group = Group(self.bus, [self.spec])

    async def settle_series(self, **how):
        await self.bus.send(message(event(anonymized(self.blobs, **how), ident=f"series{how}")))
        await self.group.settle()
        return self.bus.data(JOB, JobRequested)[-1].order


REPORTS = {
    ReportJobLeased: JobLeased,
    ReportJobRunning: JobRunning,
    ReportJobSucceeded: JobSucceeded,
    ReportJobFailed: JobFailed,
}


async def report(desk, kind, order, ident, **data):
    data = {"project": PROJECT, "job": order.job, "fencing": 1, "attempt": 1} | data
    command = kind(report=REPORTS[kind](**data))
    await desk.bus.send(message(event(command, ident=ident, subject=job_stream(PROJECT, order.job))))
    await desk.group.settle()


WELL = {"outcome": "measured", "seconds": 1.0, "artefacts": [], "measures": [], "findings": []}


def test_only_what_was_anonymized_and_is_accepted_makes_work(tmp_path):
    blobs = Blobs(tmp_path)
    assert len(work_orders(anonymized(blobs), REGISTRY)) == 1
    assert work_orders(anonymized(blobs, images=0), REGISTRY) == []
    assert work_orders(anonymized(blobs, modality="US"), REGISTRY) == []


@pytest.mark.parametrize(
    ("grade", "accepts", "runs"),
    [
        (None, False, True),
        ("complete_expected", False, True),
        ("complete_assumed", False, True),
        ("partial", False, False),
        ("partial", True, True),
        ("quiescent", False, False),
        ("quiescent", True, False),
    ],
)
def test_nothing_runs_on_a_partial_series_unless_the_plugin_accepts_it(tmp_path, grade, accepts, runs):
    registry = {"volumetry": msgspec.structs.replace(REGISTRY["volumetry"], accepts_partial=accepts)}
    completeness = grade and Completeness(grade=grade, received=2)
    series = msgspec.structs.replace(anonymized(Blobs(tmp_path)), completeness=completeness)
    assert bool(work_orders(series, registry)) == runs


def test_the_same_images_are_the_same_job_and_others_are_not(tmp_path):
    blobs = Blobs(tmp_path)
    first, again, more = (
        work_orders(anonymized(blobs, version=version, images=images), REGISTRY)[0]
        for version, images in ((1, 2), (2, 2), (2, 3))
    )
    assert first.job == again.job != more.job


async def test_a_job_is_listed_once_and_taken_off_when_it_ends(tmp_path):
    desk = Desk(tmp_path)
    order = await desk.settle_series()
    await desk.settle_series(version=2)
    assert len(desk.bus.data(JOB, JobRequested)) == 1
    (row,) = await desk.store.jobs.list()
    assert msgspec.json.decode(row.body, type=type(order)) == order
    await report(desk, ReportJobLeased, order, "l", runner="r")
    await report(desk, ReportJobRunning, order, "r", isolation="docker")
    await report(desk, ReportJobSucceeded, order, "s", **WELL)
    assert await desk.store.jobs.list() == []
    (result,) = desk.bus.data(RESULT, ResultPublished)
    assert (result.instances, result.plugin, result.job) == (2, "volumetry", order.job)


async def test_a_failed_attempt_leaves_it_listed_until_none_is_left(tmp_path):
    desk = Desk(tmp_path, attempts=2)
    order = await desk.settle_series()
    for attempt in (1, 2):
        assert len(await desk.store.jobs.list()) == 1
        await report(
            desk, ReportJobLeased, order, f"l{attempt}", runner="r", fencing=attempt, attempt=attempt
        )
        failed = {"fencing": attempt, "attempt": attempt, "cause": "exit 1", "final": False}
        await report(desk, ReportJobFailed, order, f"f{attempt}", **failed)
    assert [one.final for one in desk.bus.data(JOB, JobFailed)] == [False, True]
    assert await desk.store.jobs.list() == []


async def test_a_stale_runner_is_told_and_changes_nothing(tmp_path):
    desk = Desk(tmp_path)
    order = await desk.settle_series()
    await report(desk, ReportJobLeased, order, "l1", runner="a", fencing=1)
    await report(desk, ReportJobLeased, order, "l2", runner="b", fencing=2)
    await report(desk, ReportJobSucceeded, order, "s", fencing=1, **WELL)
    assert desk.bus.data(JOB, JobSucceeded) == []
    (refused,) = desk.bus.data(REPLY, CommandRejected)
    assert "Fencing number 1" in refused.reason


async def test_a_command_with_a_wrong_target_is_poison(tmp_path):
    desk = Desk(tmp_path)
    order = work_orders(anonymized(desk.blobs), REGISTRY)[0]
    for subject in ("nonsense", f"feed/{PROJECT}/{order.job}"):
        with pytest.raises(Poison, match=r"stream|feed"):
            await desk.spec.handle(event(RequestJob(order=order), subject=subject))


@pytest.mark.parametrize("sends", range(3))
async def test_a_crash_before_any_send_leaves_the_same_end(tmp_path, sends):
    desk = Desk(tmp_path)
    order = await desk.settle_series()
    await report(desk, ReportJobLeased, order, "l", runner="r")
    command = event(
        ReportJobSucceeded(report=JobSucceeded(project=PROJECT, job=order.job, fencing=1, attempt=1, **WELL)),
        ident="s",
        subject=job_stream(PROJECT, order.job),
    )
    desk.bus.crash_after = sends
    for _ in range(2):
        try:
            await desk.spec.handle(command)
        except Crash:
            desk.restart()
    desk.bus.crash_after = None
    await desk.spec.handle(command)
    ends = [one for one in desk.bus.events(JOB) if isinstance(one.data, JobSucceeded)]
    assert {one.id for one in ends} == {derived_id("dispatch", command.id, 0)}
    assert len({one.id for one in desk.bus.events(RESULT)}) == 1
    assert await desk.store.events.version(job_stream(PROJECT, order.job)) == 3
    assert await desk.store.jobs.list() == []
