"""``python -m tests.layers``: every layer of tests, on one set of engines, with one closing line.

All layers run even when one fails. A folder of which no test ran, and a test that was skipped, are failures:
the run has not shown what it is there to show. Unit and contract tests run side by side; what starts a whole
CHIPS, or kills it, has the machine for itself.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from tests.engines.run import TestRun

ROOT = Path(__file__).parent.parent
REPORTS = ROOT / "build" / "tests"
SIDE_BY_SIDE = ("--numprocesses=2", "--dist=loadfile")
# Each of these waits most of the time, and no two of a file share anything.
CROWDED = ("--numprocesses=4", "--dist=load")
STOP_S = 60
"""How long a layer that took too long may take to say where it was, and to put away what it started, s."""


class Layer(NamedTuple):
    """Folders of tests that run as one, within so many minutes."""

    folders: tuple[str, ...]
    minutes: float
    options: tuple[str, ...] = ()


LAYERS = {
    "unit": Layer(("tests/unit", "tests/contract"), 25, SIDE_BY_SIDE),
    "integration": Layer(("tests/integration",), 25, SIDE_BY_SIDE),
    "guards": Layer(("tests/guards",), 10, CROWDED),
    "e2e": Layer(("tests/e2e",), 10),
    "faults": Layer(("tests/faults",), 20),
}


def main() -> int:
    begun = time.monotonic()
    REPORTS.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    failed: list[str] = []
    run = TestRun()
    try:
        for name, layer in LAYERS.items():
            print(f"== {name}", flush=True)
            report = REPORTS / f"{name}.xml"
            report.unlink(missing_ok=True)
            command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *layer.options]
            status = bounded([*command, *layer.folders], 60 * layer.minutes)
            problems = list(lacking(report, layer.folders))
            for problem in problems:
                print(f"== {name}: {problem}", flush=True)
            if status != 0 or problems:
                failed.append(name)
            counts.update(counted(report))
    finally:
        run.end()
    if failed:
        print(f"== failed: {', '.join(failed)}")
    print(closing(counts, time.monotonic() - begun, complete=not failed), flush=True)
    return 1 if failed else 0


def bounded(command: Sequence[str], seconds: float) -> int | None:
    """Run a command; give its status, None when it took too long. Nothing of it is left."""
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True) as process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            print(f"== not done within {seconds:g} s", flush=True)
            return None
        finally:
            # Interrupted, pytest says where it was and puts away what it started.
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(STOP_S)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def lacking(report: Path, folders: Sequence[str]) -> Iterator[str]:
    """Say which folders had no test that ran, and which tests were skipped."""
    cases = list(ET.parse(report).getroot().iter("testcase")) if report.exists() else []
    skipped = [case for case in cases if case.find("skipped") is not None]
    for folder in folders:
        inside = f"{folder.replace('/', '.')}."
        ran = (
            case for case in cases if case not in skipped and f"{case.get('classname')}.".startswith(inside)
        )
        if next(ran, None) is None:
            yield f"no test of {folder} ran"
    for case in skipped:
        yield f"{case.get('classname')}::{case.get('name')} was skipped: nothing is skipped here"


def counted(report: Path) -> Counter[str]:
    """Count a layer's outcomes; a layer that ended without a report is an error."""
    if not report.exists():
        return Counter(errors=1)
    suite = ET.parse(report).getroot()[0]
    failed, errors, skipped = (int(suite.get(kind, "0")) for kind in ("failures", "errors", "skipped"))
    passed = int(suite.get("tests", "0")) - failed - errors - skipped
    return Counter(passed=passed, failed=failed, errors=errors, skipped=skipped)


def closing(counts: Counter[str], seconds: float, *, complete: bool) -> str:
    """Say it as pytest does."""
    kinds = ("failed", "passed", "skipped", "errors")
    said = ", ".join(f"{counts[kind]} {kind}" for kind in kinds if counts[kind] or kind == "passed")
    if not complete and not counts["failed"] and not counts["errors"]:
        said = f"1 errors, {said}"
    text = f" {said} in {seconds:.2f}s ({timedelta(seconds=int(seconds))}) "
    return text.center(100, "=")


if __name__ == "__main__":
    raise SystemExit(main())
