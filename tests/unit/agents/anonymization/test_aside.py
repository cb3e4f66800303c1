"""Work in a process of its own: what it gives, raises, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from agents.anonymization import aside as module
from agents.anonymization.aside import Failed, NoAnswer, aside
from streams.errors import Unavailable


def echo(content):
    return os.getpid(), content


def away():
    raise Unavailable("The disk is away.")


def defect():
    raise ValueError("a value of a patient")


def die(notes):
    with Path(notes).open("a") as file:
        file.write(f"{os.getpid()}\n")
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(notes):
    first = not Path(notes).exists()
    Path(notes).touch()
    if first:
        os.kill(os.getpid(), signal.SIGKILL)
    return "second"


def hang(notes):
    # Under its name only when it is whole.
    Path(f"{notes}.new").write_text(str(os.getpid()))
    Path(f"{notes}.new").rename(notes)
    time.sleep(600)


def alive(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


async def test_it_works_elsewhere_on_more_than_a_pipe_takes():
    content = [bytes([number]) * 1000 for number in range(256)] * 8
    pid, found = await aside(echo, content, limit_s=120)
    assert pid != os.getpid()
    assert found == content
    assert not alive(pid)


async def test_what_is_away_is_told_as_that_and_a_defect_without_its_text():
    with pytest.raises(Unavailable, match=r"^The disk is away\.$"):
        await aside(away, limit_s=120)
    with pytest.raises(Failed, match=r"^ValueError at test_aside\.py:\d+ defect$"):
        await aside(defect, limit_s=120)


async def test_a_process_that_dies_gets_a_second_try_and_no_third(tmp_path):
    assert await aside(die_once, str(tmp_path / "once"), limit_s=120) == "second"
    with pytest.raises(NoAnswer) as caught:
        await aside(die, str(tmp_path / "notes"), limit_s=120)
    assert not caught.value.late
    assert len((tmp_path / "notes").read_text().splitlines()) == 2


async def test_what_takes_too_long_is_killed(tmp_path):
    started = asyncio.create_task(aside(hang, str(tmp_path / "pid"), limit_s=2))
    with pytest.raises(NoAnswer) as caught:
        await started
    assert caught.value.late
    if (tmp_path / "pid").exists():  # on a machine so busy that it never began there is nothing to kill
        assert not alive(int((tmp_path / "pid").read_text()))


async def test_who_stops_waiting_kills_it(tmp_path):
    waiting = asyncio.create_task(aside(hang, str(tmp_path / "pid"), limit_s=600))
    async with asyncio.timeout(60):
        while not (tmp_path / "pid").exists():
            await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not alive(int((tmp_path / "pid").read_text()))


async def test_without_a_process_it_is_tried_later(monkeypatch):
    def none(_process):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(module.multiprocessing.get_context("spawn").Process, "start", none)
    with pytest.raises(Unavailable, match="No process can be started"):
        await aside(echo, 1, limit_s=60)
