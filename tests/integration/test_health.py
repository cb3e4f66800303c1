"""Health, readiness and metrics of every process, and one story followed through their logs."""

from __future__ import annotations

import asyncio
import json
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from deploy.health import Health
from deploy.ports import PROCESSES
from schemas.catalogue import AGENTS, PACS, decode
from streams.opening import open_tail
from tests.engines.ports import free_port, ports_in_a_row
from tests.phantoms import write_studies
from tests.stack import Stack, running, wait_quiescent

IMAGES = 12


def answer(port: int, path: str) -> str:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as found:
        return found.read().decode()


def metrics(port: int) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer(port, "/metrics"))
        for sample in family.samples
    }


async def first_story(stack: Stack) -> str:
    """Give the correlation id of the first image that the gateway published: its association's."""
    tail = open_tail(stack.settings)
    try:
        async for record in tail.records([PACS.name], start="beginning"):
            event = decode(record.value)
            if event.type == "chips.pacs.instance.stored.v1":
                assert event.correlationid == event.data.association
                return event.correlationid
    finally:
        await tail.close()
    raise AssertionError("the gateway published nothing")


@pytest.mark.slow
def test_every_process_tells_how_it_is_and_a_story_is_followed(tmp_path):
    first = ports_in_a_row(len(PROCESSES))
    stack = Stack(
        tmp_path / "chips",
        {"CHIPS_ISOLATION": "subprocess", "CHIPS_HEALTH_PORT": str(first), "CHIPS_LOG_LEVEL": "debug"},
    )
    studies = write_studies(tmp_path / "studies", seed=11, images=IMAGES, series=1)
    assert len(studies) == IMAGES
    with running(stack):
        ports = {name: first + number for number, name in enumerate(PROCESSES)}
        stack.chips("send", str(tmp_path / "studies"), f"127.0.0.1:{stack.dicom_port}")
        stack.until(lambda: any(card["measured"] for card in stack.session().cards()), 60, "a measured card")
        wait_quiescent(stack, 60)
        for name, port in {**ports, "ui": stack.http_port}.items():
            assert json.loads(answer(port, "/healthz")) == {"status": "ok"}, name
            assert json.loads(answer(port, "/readyz")) == {"status": "ok", "problems": []}, name
        in_use = ("chips_runner_slots_in_use", frozenset())
        # A job is closed before its slot is given back.
        stack.until(lambda: metrics(ports["runner"])[in_use] == 0, 10, "the slot's return")
        gateway, runner = metrics(ports["gateway"]), metrics(ports["runner"])
        assert gateway["chips_gateway_stored_total", frozenset()] == IMAGES
        assert gateway["chips_gateway_journal_backlog", frozenset()] == 0
        assert runner["chips_runner_attempts_total", frozenset({("outcome", "succeeded")})] == 1
        assert runner["chips_runner_slots", frozenset()] == 1
        for name in AGENTS:
            seen = metrics(ports[name])
            agent = ("agent", name)
            done = seen["chips_agents_handled_total", frozenset({agent, ("outcome", "done")})]
            assert done >= (IMAGES if AGENTS[name] == "inner" else 1), name
            assert seen["chips_agents_handler_seconds_count", frozenset({agent})] >= done
            assert seen["chips_agents_in_flight", frozenset({agent})] == 0
        assert metrics(stack.http_port)["chips_ui_tabs", frozenset()] == 0
        story = asyncio.run(first_story(stack))
    told = {}
    for line in stack.log.read_text().splitlines():
        if line.startswith("{") and story in line:
            entry = json.loads(line)
            assert entry["correlationid"] == story
            told.setdefault(entry["process"], set()).add(entry.get("type", entry["event"]))
    stored, pacs = "chips.pacs.instance.stored.v1", "chips.pacs.series"
    assert told["gateway"] == {"association.established", stored, "association.ended"}
    assert told["arrivals"] >= {stored, "chips.pacs.association.ended.v1", f"{pacs}.due.v1"}
    assert told["anonymization"] >= {stored, f"{pacs}.settled.v1"}
    assert told["dispatch"] >= {"chips.image.series.anonymized.v1", "chips.command.job.report_succeeded.v1"}
    assert told["feeds"] >= {"chips.image.series.receiving.v1", "chips.job.succeeded.v1"}
    assert "runner" in told


async def test_what_is_not_ready_says_why():
    port = free_port()
    problems, notes = ["It does not consume yet"], ["The journal waits for the bus"]
    health = Health("127.0.0.1", port, CollectorRegistry(), lambda: problems, lambda: notes)
    await health.start()
    try:
        with pytest.raises(HTTPError) as refused:
            await asyncio.to_thread(answer, port, "/readyz")
        assert refused.value.code == 503
        assert json.load(refused.value) == {"status": "waiting", "problems": problems, "notes": notes}
        assert "ok" in await asyncio.to_thread(answer, port, "/healthz")
        problems.clear()
        ready = json.loads(await asyncio.to_thread(answer, port, "/readyz"))
        assert ready == {"status": "ok", "problems": [], "notes": notes}
    finally:
        await health.stop()
