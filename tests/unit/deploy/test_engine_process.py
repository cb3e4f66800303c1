"""A detached process is found by its lock, whoever asks, and never mistaken for another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from deploy.engines.process import DetachedProcess
from streams.errors import Unavailable

WAITS = ["/bin/sh", "-c", "echo ready; exec sleep 600"]
DEAF = [
    sys.executable,
    "-c",
    "import signal; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); signal.pause()",
]


@pytest.fixture
def process(tmp_path):
    made = DetachedProcess("sleeper", tmp_path / "sleeper.pid", tmp_path / "sleeper.log")
    yield made
    made.kill()


def said(tmp_path, word):
    return lambda: word in (tmp_path / "sleeper.log").read_text()


def test_it_runs_until_it_is_killed(process, tmp_path):
    assert process.pid() is None
    assert process.start(WAITS)
    process.wait_until(said(tmp_path, "ready"), 10)
    pid = process.pid()
    assert pid is not None
    os.kill(pid, 0)
    process.kill()
    assert process.pid() is None


def test_a_second_start_is_refused_and_the_first_goes_on(process, tmp_path):
    assert process.start(WAITS)
    first = process.pid()
    other = DetachedProcess("sleeper", tmp_path / "sleeper.pid", tmp_path / "sleeper.log")
    assert not other.start(WAITS)
    assert other.pid() == process.pid() == first


def test_somebody_elses_process_id_is_not_ours(process, tmp_path):
    with subprocess.Popen(["/bin/sleep", "600"]) as somebody:
        (tmp_path / "sleeper.pid").write_text(str(somebody.pid))
        assert process.pid() is None
        process.kill()
        assert somebody.poll() is None
        somebody.send_signal(signal.SIGKILL)


def test_a_killed_one_starts_again(process):
    assert process.start(WAITS)
    before = process.pid()
    process.kill()
    assert process.start(WAITS)
    assert process.pid() not in (None, before)


def test_one_that_does_not_listen_is_killed_in_the_end(process, tmp_path):
    process.start(DEAF)
    process.wait_until(said(tmp_path, "deaf"), 10)
    process.stop(0.3)
    assert process.pid() is None


def test_its_end_while_starting_is_told_with_its_log(process):
    process.start(["/bin/sh", "-c", "echo no room for me; exit 3"])
    with pytest.raises(Unavailable, match="no room for me"):
        process.wait_until(lambda: False, 10)


def test_waiting_is_bounded(process):
    process.start(WAITS)
    with pytest.raises(Unavailable, match=r"did not answer within 0\.2 s"):
        process.wait_until(lambda: False, 0.2)


def test_a_large_log_is_moved_aside(process, tmp_path):
    (tmp_path / "sleeper.log").write_bytes(b"x" * (16 * 2**20 + 1))
    process.start(WAITS)
    process.wait_until(said(tmp_path, "ready"), 10)
    assert (tmp_path / "sleeper.log").stat().st_size < 100
    assert (tmp_path / "sleeper.log.1").stat().st_size > 16 * 2**20
