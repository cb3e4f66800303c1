"""``python -m tests.layers``: every layer of tests, on one set of engines, with one closing line.

All layers run even when one fails, and a folder without tests yet is passed over. Unit and contract tests run
side by side; what starts a whole CHIPS, or kills it, has the machine for itself.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.engines.run import TestRun

ROOT = Path(__file__).parent.parent
REPORTS = ROOT / "build" / "tests"
SIDE_BY_SIDE = ["--numprocesses=2", "--dist=loadfile"]
LAYERS: dict[str, tuple[list[str], list[str]]] = {
    "unit": (["tests/unit", "tests/contract"], SIDE_BY_SIDE),
    "integration": (["tests/integration", "tests/guards"], SIDE_BY_SIDE),
    "e2e": (["tests/e2e"], []),
    "faults": (["tests/faults"], []),
}


def main() -> int:
    begun = time.monotonic()
    REPORTS.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    failed: list[str] = []
    run = TestRun()
    try:
        for name, (folders, options) in LAYERS.items():
            present = [folder for folder in folders if any((ROOT / folder).rglob("test_*.py"))]
            if not present:
                print(f"== {name}: no tests yet", flush=True)
                continue
            print(f"== {name}", flush=True)
            report = REPORTS / f"{name}.xml"
            report.unlink(missing_ok=True)
            command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *options, *present]
            if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
                failed.append(name)
            counts.update(counted(report))
    finally:
        run.end()
    if failed:
        print(f"== failed: {', '.join(failed)}")
    print(closing(counts, time.monotonic() - begun, complete=not failed), flush=True)
    return 1 if failed else 0


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
