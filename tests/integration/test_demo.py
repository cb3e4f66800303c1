"""`chips demo --once`, as a new user meets it, with containers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest

from tests.engines.ports import free_port
from tests.stack import ROOT

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def environment(docker_socket):
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("CHIPS_")},
        "PYTHONPATH": str(ROOT),
        "CHIPS_DICOM_PORT": str(free_port()),
        "CHIPS_HTTP_PORT": str(free_port()),
        "CHIPS_HEALTH_PORT": "0",
        "CHIPS_ISOLATION": "docker",
        "CHIPS_DOCKER_HOST": docker_socket,
        "CHIPS_PLUGIN_BASE": "chips-base:bookworm",
    }


def demo(environment, folder, *options):
    return subprocess.Popen(
        [sys.executable, "-m", "deploy.cli", "demo", "--keep", str(folder / "demo"), *options],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_all_that_is_sent_arrives_and_the_phantom_is_right(environment, tmp_path):
    running = demo(environment, tmp_path, "--once")
    try:
        told, _ = running.communicate(timeout=800)
    finally:
        running.kill()
    log = (tmp_path / "demo" / "chips.log").read_text(errors="replace")
    assert running.returncode == 0, f"{told}\n{log[-4000:]}"
    assert "LOST" not in told
    assert re.search(r"The phantom \(seed \d+, .*\) has .* mL and was measured as .* mL: right", told)
    (studies, series, images, anonymized, quarantined, measured) = map(
        int,
        re.search(
            r"(\d+) studies, (\d+) series, (\d+) images: (\d+) anonymized, (\d+) quarantined, "
            r"(\d+) series measured",
            told,
        ).groups(),
    )
    assert anonymized + quarantined == images
    assert 3 <= measured < series
    assert studies > 10
    assert "not a volume: " in told
    assert "quarantined: " in told
    (password,) = set(re.findall(r"login demo, password (\S+?)\)?$", told, re.MULTILINE))
    assert (tmp_path / "demo" / "login").read_text().strip() == password
    assert (tmp_path / "demo" / "login").stat().st_mode & 0o077 == 0


def test_one_that_is_interrupted_says_so(environment, tmp_path):
    environment["CHIPS_ISOLATION"] = "subprocess"
    running = demo(environment, tmp_path, "--once")
    try:
        for line in running.stdout:
            if "Watch it arrive" in line:
                break
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=100)
    finally:
        running.kill()
    assert running.returncode == 130
