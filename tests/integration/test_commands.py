"""The operator's commands on a running CHIPS, as they are typed."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from contextlib import ExitStack

import pytest

from schemas.catalogue import COMMAND
from streams.bus import Message
from streams.opening import open_producer
from streams.replay.dead_letters import NO_KEY
from tests.engines.ports import ports_in_a_row
from tests.phantoms import write_studies
from tests.stack import Stack, running, wait_quiescent
from tests.tiers import TIERS, tier

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

IMAGES = 12


@pytest.fixture(scope="module", params=TIERS)
def stack(request, tmp_path_factory):
    """A CHIPS that has measured one series, with its health ports."""
    folder = tmp_path_factory.mktemp(f"commands-{request.param}")
    with ExitStack() as held:
        engines = held.enter_context(tier(request.param, folder))
        stack = Stack(
            folder / "chips",
            {
                **engines.environment,
                "CHIPS_ISOLATION": "subprocess",
                "CHIPS_HEALTH_PORT": str(ports_in_a_row(6)),
                "CHIPS_DISK_RESERVE_MB": "1",
            },
        )
        held.enter_context(running(stack))
        write_studies(folder / "studies", seed=5, images=IMAGES, series=1)
        stack.chips("send", str(folder / "studies"), f"127.0.0.1:{stack.dicom_port}")
        stack.until(lambda: any(card["measured"] for card in stack.session().cards()), 90, "a measured card")
        wait_quiescent(stack, 60)
        yield stack


def report(stack, status):
    done = stack.chips("status", "--json", check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_status_tells_that_all_is_well(stack):
    found = report(stack, 0)
    assert {process["name"]: process["state"] for process in found["processes"]} == dict.fromkeys(
        ["gateway", "arrivals", "anonymization", "dispatch", "feeds", "runner", "ui"], "ok"
    )
    assert all(agent["letters"] == 0 and not any(agent["waiting"].values()) for agent in found["agents"])
    assert found["jobs"] == {"open": 0, "oldest": None}
    assert found["journal"] == {"backlog": 0}
    assert found["format"]["found"] == found["format"]["ours"]
    real = "Kafka" in found["versions"]
    assert real == found["bus"].startswith("kafka:")
    assert not real or found["versions"]["Cassandra"].startswith("5.")
    shown = stack.chips("status").stdout
    for part in (
        "Processes on this machine",
        "dead letters",
        "Room",
        "data format",
        "Nothing needs a person.",
    ):
        assert part in shown


def test_config_show_tells_what_takes_effect_and_from_where(stack):
    lines = stack.chips("config", "show").stdout.splitlines()
    shown = {line.split()[0]: line.split()[1:] for line in lines}
    assert shown["dicom_port"] == [str(stack.dicom_port), "CHIPS_DICOM_PORT"]
    assert shown["bus"][0] == stack.settings.bus_url
    assert shown["attempts"] == ["3", "default"]


def test_tail_prints_events_one_a_line_and_filters(stack):
    whole = stack.chips("replay", "tail", "--beginning", "--no-follow").stdout.splitlines()
    types = [json.loads(line)["type"] for line in whole]
    assert types.count("chips.pacs.instance.stored.v1") == IMAGES
    jobs = stack.chips(
        "replay", "tail", "--beginning", "--no-follow", "--type", "chips.job"
    ).stdout.splitlines()
    assert jobs
    assert {json.loads(line)["type"].rsplit(".", 2)[0] for line in jobs} == {"chips.job"}
    assert len(jobs) == sum(one.startswith("chips.job.") for one in types)


def test_views_are_made_again_and_do_not_differ(stack):
    before = stack.session().cards()
    for view in ("card", "feed", "timeline"):
        told = stack.chips("replay", "rebuild", view).stdout
        assert re.search(rf"{view}, generation \d+: [1-9]\d* rows from [1-9]\d* events of 1 feeds", told)
        assert "No difference." in stack.chips("replay", "diff", view).stdout
    assert stack.session().cards() == before


def test_keys_are_rotated_while_it_runs(stack):
    master = (stack.folder / "vault" / "master.key").read_text()
    assert "new master key" in stack.chips("keys", "rotate").stdout
    assert (stack.folder / "vault" / "master.key").read_text() != master
    folder = stack.folder.parent / "more"
    write_studies(folder, seed=6, images=IMAGES, series=1)
    stack.chips("send", str(folder), f"127.0.0.1:{stack.dicom_port}")
    stack.until(lambda: len(stack.session().cards()) == 2, 60, "a second card")
    wait_quiescent(stack, 60)


def test_a_second_one_on_the_folder_is_refused_and_the_first_goes_on(stack):
    done = stack.chips("up", check=False, timeout=60)
    assert done.returncode == 78
    assert f"already (process {stack.process.pid})" in done.stderr
    assert stack.ready()


def test_a_taken_port_is_told_before_anything_starts(stack):
    elsewhere = {**stack.environment, "CHIPS_DATA": str(stack.folder / "other")}
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "up"],
        env=elsewhere, cwd=stack.folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 78
    for port, setting in ((stack.dicom_port, "CHIPS_DICOM_PORT"), (stack.http_port, "CHIPS_HTTP_PORT")):
        assert f"127.0.0.1:{port} is taken (set {setting})" in done.stderr
    assert "CHIPS_HEALTH_PORT" in done.stderr
    assert not list((stack.folder / "other" / "run").glob("*.pid"))


async def plant(stack, key):
    producer = open_producer(stack.settings)
    try:
        await producer.send(Message(COMMAND.name, key, b'{"no": "event"}'))
    finally:
        await producer.close()


def poison(stack):
    """Name the dead letters that were not released."""
    listed = stack.chips("replay", "dlq", "list").stdout
    return set(re.findall(r"((?:feeds|dispatch)/\d+/\d+)\s+│ poison\s", listed))


def test_dead_letters_are_listed_shown_and_released(stack):
    assert not poison(stack)
    for number, key in enumerate(("feed/default/nobody", NO_KEY), start=1):
        asyncio.run(plant(stack, key))
        stack.until(lambda n=number: len(poison(stack)) == 2 * n, 60, "a letter of each that reads commands")
    found = report(stack, 1)
    assert {agent["name"]: agent["letters"] for agent in found["agents"]} == {
        "arrivals": 0,
        "anonymization": 0,
        "dispatch": 2,
        "feeds": 2,
    }
    assert any("chips replay dlq list" in line for line in found["needs_a_person"])
    first = poison(stack)
    for name in first:
        shown = stack.chips("replay", "dlq", "show", name).stdout
        assert '{"no": "event"}' in shown
        assert f"{name}: poison" in shown
    released = min(first)
    assert "1 messages sent again" in stack.chips("replay", "dlq", "release", released).stdout
    # What is poison stays so: it dies again, under a new name.
    stack.until(lambda: poison(stack) - first, 60, "the released one to die again")
    assert released not in poison(stack)
    again = stack.chips("replay", "dlq", "release", released, check=False)
    assert again.returncode == 64
    assert "released already" in again.stderr
