from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.catalogue import AGENTS
from streams.crashpoints import POINTS, arm
from streams.errors import Rejected

ROOT = Path(__file__).parents[3]
ROOMS = ("schemas", "streams", "plugins", "gateway", "agents", "ui", "deploy")
HERE, ELSEWHERE = "gateway.after_fsync_before_reply", "gateway.before_publish"


def test_a_point_does_nothing_unless_it_is_named():
    deaths = []
    for environment in ({}, {"CHIPS_CRASH_AT": ""}, {"CHIPS_CRASH_AT": ELSEWHERE}):
        point = arm(environment, lambda: deaths.append(1))
        point(HERE)
    assert deaths == []


def test_the_named_pass_dies_and_only_that():
    deaths = []
    point = arm({"CHIPS_CRASH_AT": f"{HERE}:3"}, lambda: deaths.append(seen))
    for seen in range(1, 6):  # noqa: B007 - read by the closure above
        point(ELSEWHERE)
        point(HERE)
    assert deaths == [3]


def test_with_a_folder_a_death_is_noted_and_not_repeated_by_the_next_life(tmp_path):
    environment = {"CHIPS_CRASH_AT": f"{HERE}:2,{ELSEWHERE}", "CHIPS_CRASH_DEATHS": str(tmp_path)}
    lives = []
    for life in range(3):
        point = arm(environment, lambda life=life: lives.append(life))
        point(HERE)
        assert (tmp_path / HERE).exists() == (life > 0)
        point(HERE)
    assert lives == [0]
    assert [file.name for file in tmp_path.iterdir()] == [HERE]
    arm(environment, lambda: lives.append("elsewhere"))(ELSEWHERE)
    assert lives == [0, "elsewhere"]


@pytest.mark.parametrize("text", [f"{HERE}:0", f"{HERE}:x", f"{HERE}:-1"])
def test_a_senseless_pass_is_refused(text):
    with pytest.raises(Rejected, match="NAME:PASS"):
        arm({"CHIPS_CRASH_AT": text}, lambda: None)


def test_a_point_that_is_not_there_is_refused():
    with pytest.raises(Rejected, match="no such point"):
        arm({"CHIPS_CRASH_AT": f"{HERE},gateway.after_fsync"}, lambda: None)


def test_the_points_are_those_of_the_code():
    found = set()
    files = (file for room in ROOMS for file in (ROOT / room).rglob("*.py"))
    for node in (node for file in files for node in ast.walk(ast.parse(file.read_text()))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "crashpoint":
            match node.args[0]:
                case ast.JoinedStr(values=[_, ast.Constant(value=place)]):  # the loop's, of every agent
                    found |= {f"{agent}{place}" for agent in AGENTS}
                case name:
                    found.add(ast.literal_eval(name))
    assert found == POINTS


def test_the_process_dies_by_sigkill():
    code = (
        "from streams.crashpoints import crashpoint\n"
        f"crashpoint({ELSEWHERE!r}); crashpoint({HERE!r}); print('alive')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"CHIPS_CRASH_AT": HERE},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, b"")
