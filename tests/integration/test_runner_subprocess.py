"""The runner with limited subprocesses: each way a step can end, and what is left of it."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from agents.dispatch.runner.processes import SubprocessRuntime
from schemas.job import JobFailed, JobLeased, JobRunning, JobSucceeded
from streams.errors import Unavailable
from tests.integration.probing import manifest, write_package
from tests.integration.running import Shop

ROOT = Path(__file__).parents[2]


@pytest.fixture
def shop(tmp_path):
    write_package(tmp_path / "code")
    runtime = SubprocessRuntime(f"{tmp_path / 'code'}{os.pathsep}{ROOT}")

    def make(**how):
        return Shop(tmp_path, runtime, **how)

    return make


async def test_a_step_ends_well_and_nothing_of_it_is_left(shop):
    shop = shop()
    order = await shop.order("measure")
    (ended,) = await shop.finish()
    assert isinstance(ended, JobSucceeded)
    (volume,) = ended.artefacts
    assert shop.blobs.path(order.project, volume.blob).read_bytes() == b"volume of measure"
    kinds = [type(one.data).__name__ for one in await shop.events(order)]
    assert kinds == ["JobRequested", "JobLeased", "JobRunning", "JobSucceeded"]
    assert {one.correlationid for one in await shop.events(order)} == {order.job}
    (running,) = shop.bus.data("chips.job.v1", JobRunning)
    assert running.isolation == "subprocess"
    assert (1.0, "done") in shop.progress()
    assert not list(shop.folder.glob("work/*"))
    assert (await shop.holder(order)).owner == ""


@pytest.mark.parametrize(
    ("says", "cause"),
    [
        ("crash", "exit status 1: the input is a teapot"),
        ("garbage", "breaks the contract"),
        ("silent", "can't be read"),
        ("memory", "MemoryError"),
    ],
)
async def test_a_bad_end_has_its_cause_and_is_tried_again(shop, says, cause):
    shop = shop(attempts=2)
    await shop.order(says)
    (ended,) = await shop.finish()
    assert isinstance(ended, JobFailed)
    assert len(shop.failures()) == 2
    assert all(cause in said for said in shop.failures())


async def test_a_step_that_takes_too_long_is_ended(shop):
    shop = shop(attempts=1, plugin=manifest(seconds=2))
    await shop.order("sleep 60")
    await shop.finish()
    assert shop.failures() == ["took longer than its limit of 2 s"]


async def test_a_step_that_writes_too_much_is_ended(shop):
    shop = shop(attempts=1)
    await shop.order("flood")
    await shop.finish()
    assert "output limit" in shop.failures()[0]


async def test_a_step_cannot_change_its_blob_nor_see_our_environment(shop, monkeypatch):
    monkeypatch.setenv("CHIPS_VAULT", "/vault")
    shop = shop(attempts=1)
    order = await shop.order("escape")
    (ended,) = await shop.finish()
    measured = {one.name: one.value for one in ended.measures}
    assert measured["secrets"] == 0
    if os.geteuid() == 0:  # as another user it depends on the kernel's setting for user namespaces
        assert measured["network_errno"] == errno.ENETUNREACH
    blob = shop.blobs.put(order.project, b"escape", "application/dicom")
    assert shop.blobs.path(order.project, blob).read_bytes() == b"escape"


async def test_a_plugin_that_is_not_installed_here_is_a_cause(shop):
    shop = shop(attempts=1)
    await shop.order("measure")
    means = shop.means()._replace(registry={})
    runner = shop.runner()
    runner._means = means
    await shop.until(shop.finished, runner)
    assert "not installed here" in shop.failures()[0]


async def test_a_missing_blob_fails_for_good(shop):
    shop = shop(attempts=3)
    order = await shop.order("measure")
    shop.blobs.path(order.project, order.manifest).unlink()
    await shop.finish()
    assert len(shop.failures()) == 1
    assert "No blob" in shop.failures()[0]


async def test_a_runner_that_loses_its_lease_stops_and_the_job_ends_elsewhere_once(shop):
    shop = shop(lease_s=1.0)
    order = await shop.order("sleep 2")
    first = shop.runner()

    class Frozen:
        """Leases that the first runner can no longer renew, as if it were cut off."""

        def __init__(self, leases):
            self._leases = leases

        def __getattr__(self, name):
            return getattr(self._leases, name)

        async def renew(self, _lease, _expires):
            raise Unavailable("cut off")

    class Cut:
        def __init__(self, store):
            self._store, self.leases = store, Frozen(store.leases)

        def __getattr__(self, name):
            return getattr(self._store, name)

    first._means = first._means._replace(store=Cut(shop.store))

    async def leased():
        return bool(shop.bus.data("chips.job.v1", JobRunning))

    stop = asyncio.Event()
    deciding, cut_off = asyncio.create_task(shop.dispatch()), asyncio.create_task(first.run(stop))
    async with asyncio.timeout(30):
        while not await leased():
            await asyncio.sleep(0.05)
    deciding.cancel()
    (ended,) = await shop.finish()
    stop.set()
    await cut_off
    assert isinstance(ended, JobSucceeded)
    leases = [one.data for one in await shop.events(order) if isinstance(one.data, JobLeased)]
    assert {one.attempt for one in leases} == {1}
    assert [one.fencing for one in leases] == sorted(one.fencing for one in leases)
    assert ended.fencing == leases[-1].fencing


async def test_several_jobs_and_runners_each_job_once(shop):
    shop = shop()
    orders = [await shop.order(f"sleep 0.{number}") for number in range(4)]
    ended = await shop.finish(4, runners=3)
    assert sorted(one.job for one in ended) == sorted(one.job for one in orders)


async def test_a_stopped_runner_gives_its_lease_back(shop):
    shop = shop(lease_s=60)
    order = await shop.order("sleep 30")

    async def running():
        return bool(shop.bus.data("chips.job.v1", JobRunning))

    await shop.until(running, shop.runner())
    assert (await shop.holder(order)).owner == ""
