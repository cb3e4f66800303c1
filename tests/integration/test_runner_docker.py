"""The runner with Docker Engine: confined, gone on with, swept, and clear about what is missing."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import uuid

import docker
import pytest
from docker.errors import NotFound

from agents.dispatch.runner import container_state
from agents.dispatch.runner.containers import DockerRuntime
from agents.dispatch.runner.steps import Step
from schemas.job import JobFailed, JobLeased, JobRunning, JobSucceeded
from streams.errors import Unavailable
from tests.integration.probing import RESOURCES, build_image, manifest
from tests.integration.running import Shop

pytestmark = [pytest.mark.real, pytest.mark.docker]


@pytest.fixture(scope="module")
def engine(docker_socket):
    client = docker.DockerClient(base_url=docker_socket)
    build_image(client, manifest().image)
    yield docker_socket, client
    client.close()


@pytest.fixture
async def shop(engine, tmp_path):
    address, client = engine
    runtimes, tag = [], uuid.uuid4().hex

    def make(**how):
        runtimes.append(DockerRuntime(address, 2))
        made = Shop(tmp_path, runtimes[-1], tag=tag, **how)
        made.client = client
        return made

    yield make
    for container in client.containers.list(all=True, filters={"label": "chips.job"}, ignore_removed=True):
        if any(mount["Source"].startswith(str(tmp_path)) for mount in container.attrs["Mounts"]):
            with contextlib.suppress(NotFound):
                container.remove(force=True)
    for runtime in runtimes:
        await runtime.close()


def name(order):
    return f"chips-{order.job}-1"


def left_step(tmp_path, says):
    """A step of a job that no runner here works on."""
    folder = tmp_path / "left"
    for part in ("input", "output"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "input" / "input.json").write_text('{"instances": [{"path": "says"}]}')
    (folder / "input" / "says").write_text(says)
    job = str(uuid.uuid4())
    return Step(project="default", job=job, attempt=1, plugin=manifest(), folder=folder, group=7)


async def test_a_step_ends_well_and_its_container_is_gone(shop):
    shop = shop()
    order = await shop.order("measure")
    (ended,) = await shop.finish()
    assert isinstance(ended, JobSucceeded)
    assert shop.blobs.path(order.project, ended.artefacts[0].blob).read_bytes() == b"volume of measure"
    (running,) = shop.bus.data("chips.job.v1", JobRunning)
    assert running.isolation == "docker"
    assert (1.0, "done") in shop.progress()
    with pytest.raises(NotFound):
        shop.client.containers.get(name(order))
    assert not list(shop.folder.glob("work/*"))


async def test_a_step_can_reach_nothing_but_its_output(shop):
    shop = shop(attempts=1)
    order = await shop.order("escape")
    (ended,) = await shop.finish()
    assert shop.failures() == []
    measured = {one.name: one.value for one in ended.measures}
    forks = measured.pop("forks")
    assert measured == {
        "network_errno": errno.ENETUNREACH,
        "interfaces_beside_lo": 0,
        "input_errno": errno.EROFS,
        "root_errno": errno.EROFS,
        "new_in_root_errno": errno.EROFS,
        "read_only_root": 1,
        "read_only_input": 1,
        "read_only_output": 0,
        "read_only_tmp": 0,
        "uid": 10_001,
        "capabilities_inh": 0,
        "capabilities_prm": 0,
        "capabilities_eff": 0,
        "capabilities_bnd": 0,
        "capabilities_amb": 0,
        "no_new_privileges": 1,
        "seccomp": 2,
        "forks_errno": errno.EAGAIN,
        "secrets": 0,
    }
    assert RESOURCES.pids - 8 < forks < RESOURCES.pids
    blob = shop.blobs.put(order.project, b"escape", "application/dicom")
    assert shop.blobs.path(order.project, blob).read_bytes() == b"escape"


def test_docker_has_understood_how_a_step_is_confined(shop, tmp_path):
    shop = shop()
    step = left_step(tmp_path, "sleep 60")
    container = shop.runtime._engine.find_or_start(step)
    container.reload()
    host = container.attrs["HostConfig"]
    asked = {
        "AutoRemove": False,
        "CapAdd": None,
        "CapDrop": ["ALL"],
        "Devices": None,
        "GroupAdd": [str(step.group)],
        "IpcMode": "none",
        "Memory": RESOURCES.memory_bytes,
        "MemorySwap": RESOURCES.memory_bytes,
        "NetworkMode": "none",
        "PidMode": "",
        "PidsLimit": RESOURCES.pids,
        "Privileged": False,
        "ReadonlyRootfs": True,
        "SecurityOpt": ["no-new-privileges:true"],
        "UsernsMode": "",
    }
    assert {name: host[name] for name in asked} == asked
    assert host["RestartPolicy"]["Name"] == "no"
    assert 0 < host["NanoCpus"] <= 2 * 10**9
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "4m", "max-file": "1"}}
    assert host["Tmpfs"] == {"/tmp": "rw,noexec,nosuid,nodev,size=16777216,mode=1777"}
    assert {one["Name"]: (one["Soft"], one["Hard"]) for one in host["Ulimits"]} == {
        "cpu": (2 * RESOURCES.seconds, 2 * RESOURCES.seconds + 5),
        "fsize": (RESOURCES.output_bytes, RESOURCES.output_bytes),
        "nofile": (1024, 1024),
        "core": (0, 0),
    }
    assert {one["Destination"]: (one["Type"], one["RW"]) for one in container.attrs["Mounts"]} == {
        "/input": ("bind", False),
        "/output": ("bind", True),
    }
    assert container.attrs["Config"]["User"] == "10001:10001"
    assert set(container.attrs["NetworkSettings"]["Networks"]) <= {"none"}


@pytest.mark.parametrize(
    ("says", "cause"),
    [
        ("crash", "exit status 1: the input is a teapot"),
        ("garbage", "breaks the contract"),
        ("memory", "out of memory: 256 MiB are allowed"),
        ("flood", "output limit"),
    ],
)
async def test_a_bad_end_has_its_cause(shop, says, cause):
    shop = shop(attempts=1)
    order = await shop.order(says)
    (ended,) = await shop.finish()
    assert isinstance(ended, JobFailed)
    assert cause in ended.cause
    with pytest.raises(NotFound):
        shop.client.containers.get(name(order))


async def test_a_step_that_takes_too_long_is_ended(shop):
    shop = shop(attempts=1, plugin=manifest(seconds=2))
    await shop.order("sleep 60")
    await shop.finish()
    assert shop.failures() == ["took longer than its limit of 2 s"]


async def test_a_container_that_never_gets_to_run_is_given_up(shop, tmp_path, monkeypatch):
    monkeypatch.setattr(container_state, "START_S", 0.1)
    shop = shop()
    step = left_step(tmp_path, "sleep 60")
    container = shop.runtime._engine._create(step)
    async with asyncio.timeout(30):
        cause = await shop.runtime._watch(container, step, step.folder / "output")
    assert cause.startswith("could not be started: created for more than")


async def test_a_missing_image_names_how_to_build_it(shop):
    shop = shop(attempts=1, plugin=manifest("absent"))
    await shop.order("measure")
    await shop.finish()
    assert "build it with" in shop.failures()[0]
    assert "chips-plugin-absent:1.0" in shop.failures()[0]


async def test_a_container_outlives_its_runner_and_is_gone_on_with(shop):
    shop = shop(lease_s=2.0)
    order = await shop.order("wait")
    first = shop.runner()
    stop = asyncio.Event()
    deciding = asyncio.create_task(shop.dispatch())
    dying = asyncio.create_task(first.run(stop))
    async with asyncio.timeout(60):
        while not list(shop.folder.glob("work/*/output/waiting")):
            await asyncio.sleep(0.05)
    container = shop.client.containers.get(name(order))
    # Killed: no lease is given back, nothing is tidied.
    for task in (*first._running.values(), dying):
        task.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    deciding.cancel()
    for output in shop.folder.glob("work/*/output"):
        (output / "go").write_text("x")
    (ended,) = await shop.finish()
    assert isinstance(ended, JobSucceeded)
    leases = [one.data for one in await shop.events(order) if isinstance(one.data, JobLeased)]
    assert [(one.fencing, one.attempt) for one in leases] == [(1, 1), (2, 1)]
    assert ended.fencing == 2
    with pytest.raises(NotFound):
        shop.client.containers.get(container.id)


async def test_containers_of_ended_jobs_are_swept_and_others_are_left(shop, tmp_path):
    shop = shop()
    steps = [left_step(tmp_path, "sleep 60") for _ in range(2)]
    for step in steps:
        shop.runtime._engine.find_or_start(step)

    async def is_over(_project, job):
        return job == steps[0].job

    assert await shop.runtime.sweep(is_over) >= 1
    with pytest.raises(NotFound):
        shop.client.containers.get(steps[0].name)
    assert shop.client.containers.get(steps[1].name)
    await shop.runtime.remove(steps[1])
    await shop.runtime.remove(steps[1])


async def test_an_engine_that_does_not_answer_is_unavailable(tmp_path):
    runtime = DockerRuntime(f"unix://{tmp_path}/no.sock", 1)
    with pytest.raises(Unavailable, match="Docker Engine"):
        await runtime.check()
    await runtime.close()
