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
POINTS = [
    "gateway.after_fsync_before_reply",
    "arrivals.after_fact_before_append",
    "arrivals.after_append_before_publish",
    "anonymization.after_effect_before_fact",
    "anonymization.after_manifest_before_publish",
    "anonymization.after_effect_before_ack",
    "dispatch.after_append_before_publish",
    "feeds.after_append_before_publish",
    "feeds.after_publish_before_ack",
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
    seed = int(os.environ.get("CHIPS_FAULT_SEED", time.time_ns() % 2**32))
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
@pytest.mark.parametrize("name", TIERS)
def test_kill_at_named_points(name, tmp_path):
    with tier(name, tmp_path) as engines:
        for number, point in enumerate(POINTS):
            studies, manifest = tmp_path / f"studies{number}", tmp_path / f"sent{number}.jsonl"
            write_studies(studies, seed=number, images=EACH, series=2)
            # A stack of its own for each point on the embedded tier; on the real one the engines are shared,
            # so that the cards of earlier points are there too.
            stack = Stack(
                tmp_path / (f"chips{number}" if name == "embedded" else "chips"),
                {**engines.environment, "CHIPS_ISOLATION": "subprocess", "CHIPS_CRASH_AT": f"{point}:2"},
            )
            stack.start()
            try:
                if name == "embedded" or number == 0:
                    stack.add_user("ana", "Ana Kim")
                sending = send(stack, studies, manifest)
                output, _ = sending.communicate(timeout=120)
                assert sending.returncode == 0, f"{point}: {output}"
                stack.until_logged("supervisor.ended", 60)
                stack.stop()
                del stack.environment["CHIPS_CRASH_AT"]
                stack.start()
                assert len(acknowledged(manifest)) == EACH
                wanted = EACH if name == "embedded" else EACH * (number + 1)
                stack.until(
                    lambda wanted=wanted, stack=stack: shown(stack) >= wanted, 120, f"cards after {point}"
                )
                wait_quiescent(stack, 120)
                assert shown(stack) == wanted, point
                assert "no difference" in stack.chips("replay", "diff", "card").stdout.lower(), point
            finally:
                stack.stop()


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
