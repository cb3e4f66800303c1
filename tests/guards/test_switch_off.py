"""Each guard is taken away in a copy of the tree, and its test fails for that reason: no test, no guard.

That the tests pass with all guards on is seen where they stand, in ``tests/integration/test_guards.py``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.guards.guards import GUARDS

ROOT = Path(__file__).parents[2]
SUITE = "tests/integration/test_guards.py"
WITHIN_S = "25"
"""How long a test waits for what must come, s; most see at once that it never will."""

LEFT = ("__pycache__", "node_modules", "static", "web", ".*", "data", "build", "dist")
"""What the tests do not need."""

CASES = [
    pytest.param(guard, tier, id=f"{guard.name}-{tier}", marks=[pytest.mark.real] if tier == "kafka" else [])
    for guard in GUARDS
    for tier in guard.tiers
]


@pytest.mark.slow
@pytest.mark.parametrize(("guard", "tier"), CASES)
def test_without_the_guard_its_test_fails(guard, tier, tmp_path):
    tree = tmp_path / "tree"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*LEFT), symlinks=True)
    file = tree / guard.file
    text = file.read_text()
    assert text.count(guard.on) == 1, f"{guard.file} has changed; say what the guard is now"
    file.write_text(text.replace(guard.on, guard.off))
    test = f"{SUITE}::{guard.test}[{tier}]"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", test],
        cwd=tree,
        env=os.environ
        | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "CHIPS_TEST_WITHIN_S": WITHIN_S},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    told = done.stdout + done.stderr
    # 1: tests failed. Any other status is a test that passed, or did not run.
    assert done.returncode == 1, told
    assert f"FAILED {test}" in told
    assert "1 failed" in told.splitlines()[-1], told
    why = [line for line in told.splitlines() if line.startswith(("E  ", ">  "))]
    assert any(guard.seen in line for line in why), f"it failed otherwise than by {guard.seen!r}:\n{told}"


def test_every_test_of_the_guards_has_a_guard():
    tests = {
        line.split("(")[0].removeprefix("async def ")
        for line in (ROOT / SUITE).read_text().splitlines()
        if line.startswith("async def test_")
    }
    assert tests == {guard.test for guard in GUARDS}
