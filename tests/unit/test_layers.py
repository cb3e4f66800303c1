from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.layers import LAYERS, ROOT, bounded, counted, lacking

PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]


@pytest.fixture
def report_of(tmp_path):
    """Run tests of a tree of their own; give pytest's report."""

    def run(**files):
        for name, text in files.items():
            file = tmp_path / "tests" / name.replace("__", "/") / "test_one.py"
            file.parent.mkdir(parents=True)
            file.write_text(text)
        report = tmp_path / "report.xml"
        command = [*PYTEST, "--import-mode=importlib", "--rootdir=.", f"--junitxml={report}", "tests"]
        subprocess.run(command, cwd=tmp_path, check=False, timeout=60, capture_output=True)
        return report

    return run


RAN = "def test_it(): pass"
SKIPPED = "import pytest\n@pytest.mark.skip\ndef test_it(): pass"


def test_a_layer_whose_folders_all_had_tests_lacks_nothing(report_of):
    report = report_of(one=RAN, two__deeper=RAN)
    assert list(lacking(report, ["tests/one", "tests/two"])) == []
    assert counted(report) == {"passed": 2, "failed": 0, "errors": 0, "skipped": 0}


def test_a_folder_without_tests_is_told(report_of):
    report = report_of(one=RAN, twofold=RAN)
    assert list(lacking(report, ["tests/one", "tests/two"])) == ["no test of tests/two ran"]


def test_a_skipped_test_is_told(report_of):
    told = list(lacking(report_of(one=RAN, two=SKIPPED), ["tests/one", "tests/two"]))
    assert told[0] == "no test of tests/two ran"
    assert "tests.two.test_one::test_it was skipped" in told[1]


def test_a_layer_that_died_without_a_report_lacks_everything(tmp_path):
    assert list(lacking(tmp_path / "none.xml", ["tests/one"])) == ["no test of tests/one ran"]
    assert counted(tmp_path / "none.xml") == {"errors": 1}


def test_every_folder_with_tests_is_in_a_layer():
    folders = {file.relative_to(ROOT).parts[1] for file in (ROOT / "tests").glob("*/**/test_*.py")}
    assert {f"tests/{folder}" for folder in folders} == {
        folder for layer in LAYERS.values() for folder in layer.folders
    }


def test_what_takes_too_long_is_ended_with_all_that_it_started(tmp_path):
    pid = tmp_path / "pid"
    # Deaf to the interrupt, and with a child that is, too.
    code = (
        "import pathlib, signal, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(pid)!r}).write_text(str(child.pid))\n"
        "time.sleep(600)"
    )
    assert bounded([sys.executable, "-c", code], 3) is None
    deadline = time.monotonic() + 10
    while alive(int(pid.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(pid):
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 - a zombie is gone
            return stat.read().split()[2] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_the_status_is_the_commands():
    assert bounded([sys.executable, "-c", "raise SystemExit(3)"], 60) == 3
    assert (
        bounded([sys.executable, "-c", f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})"], 60) == -9
    )
