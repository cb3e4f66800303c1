"""The fuzzer finds nothing within a minute; and what is wrong, it finds."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.driving import ROOT, RSS_MB, fuzz
from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS


def test_a_minute_finds_nothing():
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--seconds", "60", "--jobs", "1"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    runs = {
        name: int(count.replace(",", ""))
        for name, count in re.findall(r"(\w+): ([\d,]+) inputs", done.stdout)
    }
    assert runs.keys() == SEEDS.keys() == TARGETS.keys()
    assert all(count > 200 for count in runs.values()), done.stdout


@pytest.mark.parametrize(
    ("target", "says"),
    [("crash", "IndexError: a defect"), ("hang", "timeout after"), ("memory", "KiB more memory")],
)
def test_what_is_wrong_is_found_and_how_to_repeat_it_is_said(tmp_path, target, says):
    # As much as a process of many tests has had, and more than a target may have.
    assert bytearray(b"\x01") * ((RSS_MB + 64) * 2**20)
    (outcome,) = fuzz([target], 20, 1, tmp_path)
    assert says in outcome.problem
    written = re.search(r"--repeat (\S+) (\w+)$", outcome.problem)
    assert written
    assert written[2] == target
    assert Path(written[1]).read_bytes()[:1] == target[:1].encode()
