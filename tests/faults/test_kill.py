"""Everything is killed, again and again, while images arrive: nothing acknowledged is lost or shown twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from http.client import HTTPException

import pytest

from tests.phantoms import write_studies
from tests.stack import Stack, running, wait_quiescent
from tests.tiers import TIERS, tier

IMAGES = 2_000
EACH = 40
KILLS = 2
"""How often a process is killed; an engine, which takes longer to come back, once."""
PROCESSES = ["gateway", "arrivals", "anonymization", "dispatch", "feeds", "runner", "ui"]
# One point a process. The gateway dies late, so that the sender gets through; the others die again at each
# restart, until they are started without the points.
FIRST = {"gateway", "arrivals", "anonymization"}
"""Processes that reach their point whatever the others do; the rest may wait for one that keeps dying."""
EARLY = [
    "gateway.after_fsync_before_reply:30",
    "arrivals.after_fact_before_append:2",
    "anonymization.after_effect_before_fact:2",
    "dispatch.after_append_before_publish",
    "feeds.after_append_before_publish:2",
    "runner.after_start_before_end",
]
LATE = [
    "gateway.after_blob_before_journal:30",
    "anonymization.after_manifest_before_publish",
    "dispatch.after_publish_before_ack",
    "feeds.after_publish_before_ack:2",
    "runner.after_end_before_report",
]


def acknowledged(manifest) -> set[str]:
    """SOP Instance UIDs that the other side said success for, by the sender's own log."""
    lines = manifest.read_text().splitlines() if manifest.exists() else []
    entries = [json.loads(line) for line in lines]
    return {entry["sop_instance_uid"] for entry in entries if int(entry["status"], 16) == 0}


def shown(stack: Stack) -> int:
    """Count the images on all cards; -1 while the page's server is on its way back."""
    try:
        return sum(card["anonymized"] + card["quarantined"] for card in stack.session().cards())
    except (OSError, HTTPException):
        return -1


def assert_all_there(stack: Stack, manifest, expected: int) -> None:
    told = acknowledged(manifest)
    assert len(told) == expected
    assert shown(stack) == len(told)
    assert not any(card["conflicts"] for card in stack.session().cards())
    for view in ("card", "feed", "timeline"):
        assert "no difference" in stack.chips("replay", "diff", view).stdout.lower()


def send(stack: Stack, folder, manifest) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable, "-m", "deploy.cli", "send", str(folder), f"127.0.0.1:{stack.dicom_port}",
            "--manifest", str(manifest), "--associations", "2", "--retries", "200",
        ],
        env=stack.environment,
        cwd=stack.folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", TIERS)
def test_kill_at_random_while_images_arrive(name, tmp_path):
    seed = int(os.environ.get("CHIPS_TEST_FAULT_SEED", time.time_ns() % 2**32))
    print(f"\nseed {seed}")
    chance = random.Random(seed)
    studies, manifest = tmp_path / "studies", tmp_path / "sent.jsonl"
    write_studies(studies, seed=seed, images=IMAGES, series=20)
    with tier(name, tmp_path) as engines:
        stack = Stack(tmp_path / "chips", {**engines.environment, "CHIPS_ISOLATION": "subprocess"})
        with running(stack):
            sending = send(stack, studies, manifest)
            done = threading.Event()
            victims = PROCESSES + (["kafka", "cassandra"] if engines.engines else [])
            killed = dict.fromkeys(victims, 0)

            def kill() -> None:
                while not done.wait(chance.uniform(0.4, 1.2)) and min(killed.values()) < KILLS:
                    left = [one for one in killed if killed[one] < KILLS]
                    victim = chance.choice(left)
                    if victim in {"kafka", "cassandra"}:
                        engine = getattr(engines.engines, victim)
                        engine.kill()
                        engine.start()
                        killed[victim] = KILLS
                    elif stack.kill(victim):
                        killed[victim] += 1

            killer = threading.Thread(target=kill)
            killer.start()
            try:
                output, _ = sending.communicate(timeout=500)
                # The work goes on when the last image is in, and so does the killing.
                killer.join(200)
            finally:
                done.set()
                killer.join()
            print(f"killed {killed}")
            assert sending.returncode == 0, output
            assert min(killed.values()) == KILLS
            stack.until(lambda: shown(stack) >= IMAGES, 300, "every image on its card")
            wait_quiescent(stack, 120)
            assert_all_there(stack, manifest, IMAGES)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("points", [EARLY, LATE], ids=["early", "late"])
@pytest.mark.parametrize("name", TIERS)
def test_kill_at_named_points(name, points, tmp_path):
    studies, manifest = tmp_path / "studies", tmp_path / "sent.jsonl"
    write_studies(studies, seed=1, images=EACH, series=2)
    with tier(name, tmp_path) as engines:
        crashing = {"CHIPS_ISOLATION": "subprocess", "CHIPS_CRASH_AT": ",".join(points)}
        stack = Stack(tmp_path / "chips", {**engines.environment, **crashing})
        stack.start()
        try:
            stack.add_user("ana", "Ana Kim")
            output, _ = (sending := send(stack, studies, manifest)).communicate(timeout=200)
            assert sending.returncode == 0, output
            for process in {point.partition(".")[0] for point in points} & FIRST:
                stack.until(lambda process=process: ended(stack, process), 90, f"the end of {process}")
            stack.stop()
            del stack.environment["CHIPS_CRASH_AT"]
            stack.start()
            stack.until(lambda: shown(stack) >= EACH, 200, "every image on its card")
            wait_quiescent(stack, 120)
            assert_all_there(stack, manifest, EACH)
        finally:
            stack.stop()


def ended(stack: Stack, process: str) -> bool:
    """Tell whether the supervisor has seen a process end by itself."""
    lines = stack.log.read_text(errors="replace").splitlines()
    return any("supervisor.ended" in line and f'"child":"{process}"' in line for line in lines)


@pytest.mark.timeout(120)
def test_ctrl_c_stops_every_process(tmp_path):
    stack = Stack(tmp_path / "chips")
    stack.start()
    pids = [int(file.read_text()) for file in (stack.folder / "data" / "run").glob("*.pid")]
    assert len(pids) == len(PROCESSES)
    stack.process.send_signal(signal.SIGINT)
    assert stack.process.wait(60) == 0
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_killed_supervisor_takes_its_processes_with_it(tmp_path):
    stack = Stack(tmp_path / "chips")
    stack.start()
    pids = [int(file.read_text()) for file in (stack.folder / "data" / "run").glob("*.pid")]
    stack.process.kill()
    stack.process.wait(10)

    def gone() -> bool:
        for pid in pids:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                continue
            return False
        return True

    stack.until(gone, 60, "the end of its processes")
