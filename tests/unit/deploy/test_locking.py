"""One `chips up` a data folder, also when one was killed and its processes still end."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys

import pytest

from deploy.locking import only_here
from streams.errors import Misconfigured

# A stand-in for `chips up`: it locks, starts a process that shares the lock, says so, and waits.
HOLDER = """
import asyncio, pathlib, subprocess, sys
from deploy.locking import only_here
async def main():
    async with only_here(pathlib.Path(sys.argv[1]), print) as lock:
        child = subprocess.Popen(["/bin/sleep", "600"], pass_fds=[lock])
        print(child.pid, flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    child = int(process.stdout.readline())
    yield process, child
    process.kill()
    process.wait()
    process.stdout.close()
    try:
        os.kill(child, signal.SIGKILL)
    except ProcessLookupError:
        return


async def test_a_second_one_is_refused_and_the_first_one_named(tmp_path, holder):
    process, _ = holder
    with pytest.raises(
        Misconfigured, match=rf"on {re.escape(str(tmp_path))} already \(process {process.pid}\)"
    ):
        async with only_here(tmp_path, print):
            pass


async def test_the_processes_of_a_killed_one_are_waited_for(tmp_path, holder):
    process, child = holder
    process.kill()
    process.wait()
    told, entered = [], asyncio.Event()

    async def enter():
        async with only_here(tmp_path, told.append):
            entered.set()

    entering = asyncio.create_task(enter())
    async with asyncio.timeout(20):
        while not told:
            await asyncio.sleep(0.01)
    assert not entered.is_set()
    os.kill(child, signal.SIGKILL)
    await asyncio.wait_for(entering, 20)
    assert entered.is_set()
    assert len(told) == 1


async def test_it_is_free_again_afterwards(tmp_path):
    for _ in range(2):
        async with only_here(tmp_path, print):
            assert (tmp_path / "run" / "up.lock").read_text() == f"{os.getpid()}\n"
