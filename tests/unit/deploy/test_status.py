"""What `chips status` finds, what of it needs a person, and that one part away hides no other."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from aiohttp import web

from deploy.migrate import apply
from deploy.ports import PROCESSES
from deploy.status import engines, machine
from deploy.status.command import gather
from deploy.status.report import (
    Agent,
    Disk,
    Format,
    Jobs,
    Journal,
    Process,
    Report,
    counted,
    needs_a_person,
)
from deploy.status.table import show
from gateway.journal import Journal as GatewaysJournal
from schemas.catalogue import AGENTS
from streams.settings import Settings
from streams.store.api import OpenJob
from streams.store.opening import open_store
from streams.store.stamp import KEY, KIND, Stamp
from tests.engines.ports import free_port

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WELL = Report(
    at=NOW,
    bus="embedded://bus",
    store="sqlite://store.db",
    processes=[
        Process(name="gateway", port=9110, state="ok"),
        Process(name="runner", port=9115, state="away"),
        Process(name="feeds", port=0, state="unknown"),
    ],
    agents=[Agent(name="feeds", waiting={"chips.image.v1": 3, "chips.job.v1": 4}, letters=0, parked=0)],
    jobs=Jobs(open=2, oldest=NOW - timedelta(seconds=90)),
    journal=Journal(backlog=5),
    disks=[Disk(what=["data", "vault"], path="/d", free_bytes=2**31, total_bytes=2**33, low=False)],
    format=Format(found=1, ours=1, written_by="0.1.0"),
    versions={"CHIPS": "0.1.0", "Docker Engine": "27.0"},
    troubles=[],
)


def changed(**changes):
    return msgspec.structs.replace(WELL, **changes)


def test_nothing_needs_a_person_when_all_is_well_also_with_processes_elsewhere():
    assert not list(needs_a_person(WELL))
    assert not list(needs_a_person(changed(journal=Journal(backlog=None))))


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (changed(troubles=["lag: no broker answers"], agents=[]), "lag: no broker answers"),
        (changed(format=Format(found=2, ours=1, written_by="9.9.9")), "written by CHIPS 9.9.9"),
        (changed(format=Format(found=None, ours=1)), "chips migrate"),
        (changed(format=Format(found=1, ours=2)), "chips migrate"),
        (
            changed(processes=[Process(name="gateway", port=1, state="waiting", says=["bus away"])]),
            "gateway is not ready: bus away",
        ),
        (
            changed(disks=[Disk(what=["blobs"], path="/b", free_bytes=1, total_bytes=9, low=True)]),
            "The disk of blobs",
        ),
        (changed(agents=[Agent(name="feeds", letters=1, parked=0)]), "feeds has 1 dead letters"),
        (changed(agents=[Agent(name="feeds", letters=0, parked=1)]), "1 parked keys"),
        (changed(agents=[Agent(name="feeds", letters=1000, parked=1)]), "1000 or more dead letters"),
    ],
)
def test_what_needs_a_person_is_told(report, told):
    (line,) = needs_a_person(report)
    assert told in line


def test_a_count_that_stops_says_so():
    assert (counted(999, 1000), counted(1000, 1000)) == ("999", "1000 or more")


def test_the_tables_say_it_all(capsys):
    show(WELL, [])
    told = capsys.readouterr().out
    for part in ("gateway", "9110", "away", "chips.image.v1 3, chips.job.v1 4", " 7 ",
                 "the oldest for 0:01:30", "acknowledged, not yet on the bus", "data, vault", "2.0", "8.0", "embedded://bus",
                 "sqlite://store.db", "1 (this CHIPS: 1), written by CHIPS 0.1.0", "27.0",
                 "Nothing needs a person."):  # fmt: skip
        assert part in told, part
    show(changed(jobs=None, journal=Journal(backlog=None), format=None), ["the disk is full"])
    told = capsys.readouterr().out
    assert "not visible here" in told
    assert "! the disk is full" in told


@pytest.fixture
async def settings(tmp_path):
    settings = Settings(
        data=str(tmp_path / "data"), blobs=str(tmp_path / "blobs"), health_port=0, http_port=free_port(),
        docker_host=f"unix://{tmp_path}/nobody.sock", disk_reserve_mb=0,
    )  # fmt: skip
    await apply(settings)
    return settings


async def test_a_fresh_one_is_well_and_tells_zeros(settings):
    report = await gather(settings)
    assert not list(needs_a_person(report))
    assert [agent.name for agent in report.agents] == list(AGENTS)
    assert all(agent.letters == agent.parked == 0 for agent in report.agents)
    assert all(agent.waiting and not any(agent.waiting.values()) for agent in report.agents)
    assert report.jobs == Jobs(open=0, oldest=None)
    assert report.journal == Journal(backlog=0)
    assert {what for disk in report.disks for what in disk.what} == {"data", "vault", "blobs", "bus", "store"}
    assert report.format
    assert report.format.found == 1
    assert report.versions["Docker Engine"] == "does not answer"
    assert json.loads(msgspec.json.encode(report))["agents"][0]["name"] == "arrivals"


async def test_jobs_and_journal_are_counted(settings):
    journal = GatewaysJournal(settings.path("vault") / "journal")
    journal.append([b"one", b"two"])
    journal.close()
    store = await open_store(settings)
    try:
        for number in range(3):
            opened = NOW + timedelta(seconds=number)
            await store.jobs.open(OpenJob("default", f"job-{number}", opened, b"{}"))
    finally:
        await store.close()
    report = await gather(settings)
    assert report.journal == Journal(backlog=2)
    assert report.jobs == Jobs(open=3, oldest=NOW)


async def test_data_of_a_newer_chips_hides_nothing_else(settings):
    store = await open_store(settings)
    try:
        stamp = Stamp(format=99, written_by="9.9.9", migrated=NOW)
        await store.records.put(KIND, KEY, msgspec.json.encode(stamp))
    finally:
        await store.close()
    report = await gather(settings)
    assert report.format == Format(found=99, ours=1, written_by="9.9.9")
    assert any("written by CHIPS 9.9.9" in line for line in needs_a_person(report))
    assert report.jobs is None
    assert report.disks
    assert "pydicom" in report.versions
    assert all(agent.waiting for agent in report.agents)


async def test_an_engine_that_is_away_hides_nothing_else(tmp_path):
    settings = Settings(data=str(tmp_path / "nothing"), health_port=0, http_port=free_port())
    report = await gather(settings)
    assert any("chips migrate" in line for line in report.troubles)
    assert report.disks
    assert [process.state for process in report.processes] == ["unknown"] * len(PROCESSES) + ["away"]


async def test_processes_tell_how_they_are_at_their_ports(settings):
    async def waits(_):
        return web.json_response({"status": "waiting", "problems": ["no bus"]}, status=503)

    async def other(_):
        return web.Response(text="<html>")

    app = web.Application()
    app.add_routes([web.get("/readyz", waits)])
    strange = web.Application()
    strange.add_routes([web.get("/readyz", other)])
    for answering, state in ((app, "waiting"), (strange, "unknown")):
        runner = web.AppRunner(answering)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", settings.http_port).start()
        try:
            found = {process.name: process for process in await machine.processes(settings)}
        finally:
            await runner.cleanup()
        assert found["ui"].state == state
        assert found["gateway"].state == "unknown"


@pytest.mark.real
async def test_real_engines_say_what_they_are(kafka_bootstrap, cassandra_contact):
    found = await engines.versions(
        Settings(bus=f"kafka://{kafka_bootstrap}", store=f"cassandra://{cassandra_contact}/chips")
    )
    assert found["Kafka"].endswith("brokers 1")
    assert found["Cassandra"].startswith("5.")
