"""CHIPS stops as a whole, asked or killed."""

from __future__ import annotations

import os
import signal

import pytest

from tests.faults.test_kill import PROCESSES
from tests.stack import Stack


def pids_of(stack) -> list[int]:
    pids = [int(file.read_text()) for file in (stack.folder / "data" / "run").glob("*.pid")]
    assert len(pids) == len(PROCESSES)
    return pids


def lives(pid) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.timeout(120)
def test_ctrl_c_stops_every_process(tmp_path):
    stack = Stack(tmp_path / "chips")
    stack.start()
    pids = pids_of(stack)
    stack.process.send_signal(signal.SIGINT)
    assert stack.process.wait(60) == 0
    assert not any(map(lives, pids))


@pytest.mark.timeout(120)
def test_a_killed_supervisor_takes_its_processes_with_it(tmp_path):
    stack = Stack(tmp_path / "chips")
    stack.start()
    pids = pids_of(stack)
    assert all(map(lives, pids))
    stack.process.kill()
    stack.process.wait(10)
    stack.until(lambda: not any(map(lives, pids)), 60, "the end of its processes")
