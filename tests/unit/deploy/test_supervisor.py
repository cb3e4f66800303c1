from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

import deploy.supervisor
from deploy.supervisor import Child, Supervisor
from streams.errors import Misconfigured

CHILD = """
import os, signal, sys, time
from pathlib import Path
log = Path(os.environ["LIVES"])
with log.open("a") as file:
    file.write(f"{os.getpid()}\\n")
fd = int(os.environ["CHIPS_READY_FD"])
os.write(fd, b"1")
signal.pause()
"""


@pytest.fixture
def child(tmp_path, monkeypatch):
    """A child whose `deploy.cli` is a stand-in that only says that it lives."""
    package = tmp_path / "package" / "deploy"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "cli.py").write_text(CHILD)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(package.parent),
        "LIVES": str(tmp_path / "lives"),
    }
    monkeypatch.chdir(package.parent)
    return Child("one", ["one"], environment)


def lives(tmp_path: Path) -> list[int]:
    file = tmp_path / "lives"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_child_that_is_killed_is_started_again_and_all_stop(child, tmp_path):
    stop, ready = asyncio.Event(), asyncio.Event()
    supervisor = Supervisor([child], tmp_path / "run")
    running = asyncio.create_task(supervisor.run(stop=stop, on_ready=ready.set))
    await asyncio.wait_for(ready.wait(), 20)
    first = lives(tmp_path)[0]
    assert (tmp_path / "run" / "one.pid").read_text() == str(first)
    os.kill(first, signal.SIGKILL)
    await until(lambda: len(lives(tmp_path)) == 2)
    stop.set()
    await asyncio.wait_for(running, 20)
    for pid in lives(tmp_path):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert not (tmp_path / "run" / "one.pid").exists()


async def test_a_child_that_will_not_stop_is_killed(child, tmp_path, monkeypatch):
    monkeypatch.setattr(deploy.supervisor, "STOP_S", 0.2)
    cli = Path(child.environment["PYTHONPATH"]) / "deploy" / "cli.py"
    cli.write_text("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + CHILD)
    stop, ready = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(Supervisor([child], tmp_path / "run").run(stop=stop, on_ready=ready.set))
    await asyncio.wait_for(ready.wait(), 20)
    stop.set()
    await asyncio.wait_for(running, 20)
    with pytest.raises(ProcessLookupError):
        os.kill(lives(tmp_path)[0], 0)


def replace_child(child, code):
    (Path(child.environment["PYTHONPATH"]) / "deploy" / "cli.py").write_text(code)


REFUSES = """
import os, sys
if sys.argv[1] == "wrong":
    os.write(int(os.environ["CHIPS_READY_FD"]), b"the setting is wrong")
    sys.exit(78)
"""


async def test_a_child_that_refuses_its_settings_stops_all_and_is_not_started_again(child, tmp_path):
    replace_child(child, REFUSES + CHILD)
    wrong = Child("two", ["wrong"], child.environment)
    stop = asyncio.Event()
    supervisor = Supervisor([child, wrong], tmp_path / "run")
    with pytest.raises(Misconfigured, match="two can't start: the setting is wrong"):
        await asyncio.wait_for(supervisor.run(stop=stop), 30)
    assert stop.is_set()
    for pid in lives(tmp_path):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_a_child_that_was_ready_is_started_again_whatever_it_ends_with(child, tmp_path):
    replace_child(child, CHILD.replace("signal.pause()", "sys.exit(78)"))
    stop = asyncio.Event()
    running = asyncio.create_task(Supervisor([child], tmp_path / "run").run(stop=stop))
    await until(lambda: len(lives(tmp_path)) == 2)
    stop.set()
    await asyncio.wait_for(running, 20)
