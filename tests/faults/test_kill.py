"""Everything is killed, again and again, while images arrive: nothing acknowledged is lost or shown twice.

The last study is sent when everything has died that should: whatever dies, dies while images arrive.
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from http.client import HTTPException

import pytest

from streams.clock import utc_now
from streams.crashpoints import DEATHS, POINTS, VARIABLE
from tests.faults.accounts import (
    acknowledged,
    acknowledged_at,
    announce_sent,
    assert_kept_once,
    assert_shown_once,
    expected,
)
from tests.faults.sending import finish, sending
from tests.phantoms import write_studies
from tests.stack import Stack, running, wait_quiescent
from tests.tiers import TIERS, tier

IMAGES, STUDIES = 2_000, 20
KILLS = 2
"""How often a process is killed; an engine, which takes longer to come back, once."""
PROCESSES = ["gateway", "arrivals", "anonymization", "dispatch", "feeds", "runner", "ui"]
ENGINES = ["kafka", "cassandra"]
WORKERS = 2
"""Of the gateway."""

PASSES = {
    "gateway.before_publish": 5,
    "gateway.after_publish_before_confirm": 10,
    "gateway.after_fsync_before_reply": 100,
    "gateway.after_blob_before_journal": 150,
    "arrivals.after_fact_before_append": 50,
    "arrivals.after_effect_before_ack": 100,
    "anonymization.after_effect_before_fact": 50,
    "anonymization.after_effect_before_ack": 100,
    "feeds.after_append_before_publish": 5,
    "feeds.after_publish_before_ack": 7,
    "feeds.after_effect_before_ack": 9,
}
"""At which pass of its life a process dies at a point, where not at the first."""


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", TIERS)
def test_kill_at_random_while_images_arrive(name, tmp_path, capsys):
    seed = int(os.environ.get("CHIPS_FAULT_SEED", time.time_ns() % 2**32))
    with capsys.disabled():
        print(f"\n{name}: CHIPS_FAULT_SEED={seed}", flush=True)
    chance = random.Random(seed)
    studies, manifest = written(tmp_path, seed), tmp_path / "sent.jsonl"
    with tier(name, tmp_path) as engines:
        stack = Stack(tmp_path / "chips", {**engines.environment, "CHIPS_ISOLATION": "subprocess"})
        enough = threading.Event()
        with running(stack), ThreadPoolExecutor(1) as pool:
            killing = pool.submit(kill_all, stack, engines.engines, chance, enough)
            try:
                with sending(stack, studies[:-1], manifest) as process:
                    finish(process, 400)
                killed = killing.result(200)
            finally:
                enough.set()
            with sending(stack, studies, manifest) as process:
                finish(process, 60)
            told = acknowledged_at(manifest)
            for victim, deaths in killed.items():
                assert len(deaths) == (1 if victim in ENGINES else KILLS)
                assert all(told[0] < death < told[-1] for death in deaths), f"{victim} died at another time"
            assert_all_there(stack, manifest)


def kill_all(stack, engines, chance, enough) -> dict[str, list[datetime]]:
    """Kill every process and engine at random times, until each has died often enough; give when."""
    victims = PROCESSES + (ENGINES if engines else [])
    killed: dict[str, list[datetime]] = {victim: [] for victim in victims}
    # Nobody has died before the first image is in.
    manifest = stack.folder.parent / "sent.jsonl"
    stack.until(lambda: acknowledged_at(manifest) or enough.is_set(), 60, "the first image")
    left = [victim for victim in victims for _ in range(1 if victim in ENGINES else KILLS)]
    chance.shuffle(left)
    while left and not enough.wait(chance.uniform(0.4, 1.2)):
        victim = left[-1]
        if victim in ENGINES:
            engine = getattr(engines, victim)
            engine.kill()
            killed[victim].append(utc_now())
            engine.start()
        elif stack.kill(victim):
            killed[victim].append(utc_now())
        else:  # it is dead already: another's turn, and its own later
            left.insert(0, left.pop())
            continue
        left.pop()
    return killed


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", TIERS)
def test_kill_at_named_points(name, tmp_path):
    studies, manifest = written(tmp_path, 1), tmp_path / "sent.jsonl"
    deaths = tmp_path / "deaths"
    deaths.mkdir()
    assert PASSES.keys() <= POINTS
    points = {
        VARIABLE: ",".join(f"{point}:{PASSES.get(point, 1)}" for point in sorted(POINTS)),
        DEATHS: str(deaths),
        "CHIPS_DICOM_PROCESSES": str(WORKERS),
        "CHIPS_ISOLATION": "subprocess",
    }
    with tier(name, tmp_path) as engines:
        stack = Stack(tmp_path / "chips", {**engines.environment, **points})
        with running(stack):
            with sending(stack, studies[:-1], manifest) as process:
                finish(process, 400)
            stack.until(lambda: died(deaths) == POINTS, 200, "a death at every point")
            with sending(stack, studies, manifest) as process:
                finish(process, 60)
            for process in {point.partition(".")[0] for point in POINTS}:
                ends = sum(point.startswith(f"{process}.") for point in POINTS)
                # Workers may die at a point side by side, before one of them has left its mark.
                most = ends * WORKERS if process == "gateway" else ends
                assert ends <= ended_by_sigkill(stack, process) <= most
            assert_all_there(stack, manifest)


def written(folder, seed):
    """Write the studies; give the folder of each."""
    write_studies(folder / "studies", seed=seed, images=IMAGES, series=STUDIES)
    return sorted((folder / "studies").iterdir())


def died(deaths) -> set[str]:
    return {file.name for file in deaths.iterdir()}


def ended_by_sigkill(stack, process) -> int:
    """Count how often the supervisor saw a process die so, or the gateway one of its workers."""
    lines = stack.log.read_text(errors="replace").splitlines()
    by_supervisor = sum(
        "supervisor.ended" in line and f'"child":"{process}"' in line and '"status":-9' in line
        for line in lines
    )
    by_process = sum(
        f"{process}.worker_died" in line and f'"process":"{process}"' in line and '"code":-9' in line
        for line in lines
    )
    return by_supervisor + by_process


def shown(stack) -> int:
    """Count the images on all cards; -1 while the page's server is on its way back."""
    try:
        return sum(card["anonymized"] + card["quarantined"] for card in stack.session().cards())
    except (OSError, HTTPException):
        return -1


def assert_all_there(stack, manifest) -> None:
    """Wait until all is done; compare what the sender's log says with what is kept and shown."""
    wanted = expected(stack, acknowledged(manifest))
    assert wanted.count == IMAGES
    asyncio.run(announce_sent(stack, wanted))
    stack.until(lambda: shown(stack) >= IMAGES, 300, "every image on its card")
    wait_quiescent(stack, 120)
    asyncio.run(assert_kept_once(stack, wanted))
    assert_shown_once(stack, wanted)
    for view in ("card", "feed", "timeline"):
        assert "no difference" in stack.chips("replay", "diff", view).stdout.lower()
