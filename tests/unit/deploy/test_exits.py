"""One table of exit statuses: what each error becomes, alike in every command and in the documentation."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.exits import Exit, finish, status_of, told
from deploy.images import EngineAway, NotBuilt
from gateway.errors import JournalDamaged
from schemas.envelope import InvalidEvent
from streams.errors import (
    Damaged,
    Misconfigured,
    NewerFormat,
    NoSpace,
    Poison,
    Refused,
    Rejected,
    Unavailable,
)

ROOT = Path(__file__).parents[3]

STATUSES = [
    (Rejected("r"), 64),
    (Misconfigured("m"), 78),
    (NewerFormat("n"), 78),
    (NotBuilt("b"), 78),
    (Refused("f"), 75),
    (Unavailable("u"), 75),
    (NoSpace("s"), 75),
    (EngineAway("e"), 75),
    (Poison("p"), 65),
    (Damaged("d"), 65),
    (JournalDamaged("d"), 65),
    (InvalidEvent("i"), 65),
]


@pytest.mark.parametrize(("error", "status"), STATUSES, ids=lambda one: type(one).__name__)
def test_an_error_of_a_family_is_a_line_and_a_status(capsys, error, status):
    def work() -> int:
        raise error

    async def coroutine() -> int:
        raise error

    assert status_of(error) == told(work) == finish(coroutine()) == status
    assert capsys.readouterr().err == 2 * f"chips: {error}\n"


def test_a_defect_is_told_with_its_traceback():
    def work() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        told(work)


def test_what_a_command_gives_is_its_status():
    async def nothing() -> None:
        return None

    async def differs() -> int:
        return Exit.NO

    assert finish(nothing()) == 0
    assert finish(differs()) == 1


def test_the_documented_table_is_this_one():
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\d+) \| (.+?) \|", text, re.MULTILINE))
    assert {int(number) for number in rows} == set(Exit)
    assert all(len(says) > 10 for says in rows.values())


PROCESS = """
import sys
from deploy import process
from gateway.errors import JournalDamaged
from schemas.envelope import InvalidEvent
from streams.errors import *
async def work(settings, *, stop, on_ready):
    raise {error}("for a test")
sys.exit(process.run("one", work))
"""


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("Unavailable", 75),
        ("Refused", 75),
        ("Rejected", 78),
        ("NewerFormat", 78),
        ("Poison", 65),
        ("Damaged", 65),
        ("InvalidEvent", 65),
    ],
)
def test_a_process_ends_with_one_line_of_json(tmp_path, error, status):
    done = run([sys.executable, "-c", PROCESS.format(error=error)], tmp_path)
    assert done.returncode == status
    (line,) = done.stderr.splitlines()
    found = json.loads(line)
    assert (found["process"], found["level"], found["status"]) == ("one", "error", status)
    assert found["error"] == "for a test"


@pytest.mark.parametrize(
    "arguments", [["gateway"], ["agents", "feeds"], ["runner"], ["ui"], ["up"], ["migrate"], ["status"],
                  ["demo"], ["config", "show"], ["user", "add", "ana"], ["replay", "diff", "card"],
                  ["replay", "dlq", "release", "feeds/0/0"], ["keys", "rotate"], ["plugins", "build"]]
)  # fmt: skip
def test_a_wrong_setting_is_78_everywhere(tmp_path, arguments):
    done = run(
        [sys.executable, "-m", "deploy.cli", *arguments], tmp_path, CHIPS_BUS="kafka://u:hunter2@127.0.0.1:1"
    )
    assert done.returncode == 78, done.stderr
    assert "CHIPS_BUS" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["up", "--nonsense"], ["agents", "nobody"], ["send", "x"], ["replay", "diff", "x"]],
)
def test_a_wrong_call_is_64(tmp_path, arguments):
    assert run([sys.executable, "-m", "deploy.cli", *arguments], tmp_path).returncode == 64


def run(command, folder, **environment):
    return subprocess.run(
        command,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
