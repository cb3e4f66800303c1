from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agents.transport.ownership import Ownership
from streams.errors import Rejected

ROOT = Path(__file__).parents[4]
HOLD = """
import sys
from pathlib import Path
from agents.transport.ownership import Ownership
Ownership(Path(sys.argv[1]), "chips-x").take()
print("taken", flush=True)
sys.stdin.read()
"""


def test_a_second_worker_is_refused_by_the_name_of_the_first(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert holder.stdout.readline() == b"taken\n"
    with pytest.raises(Rejected, match=f"Process {holder.pid} already consumes as chips-x"):
        Ownership(tmp_path, "chips-x").take()
    Ownership(tmp_path, "chips-y").take()
    holder.kill()
    holder.communicate()
    ours = Ownership(tmp_path, "chips-x")
    ours.take()
    assert (tmp_path / "chips-x.lock").read_text() == f"{os.getpid()}\n"
    ours.release()
    again = Ownership(tmp_path, "chips-x")
    again.take()
    again.release()
