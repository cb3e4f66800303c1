"""Targets fuzzed by libFuzzer, a process each, and what came of them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.fuzz.seeds import SEEDS

ROOT = Path(__file__).parent.parent.parent
CORPUS = Path(__file__).parent / "corpus"
BUILD = ROOT / "build" / "fuzz"

HANG_S = 2
"""How long an input may take, s."""
RSS_MB = 512
"""Of a process, of which Python and its libraries are 120."""
LONGEST = 4096
"""Bytes of an input, but where the corpus has longer ones."""
_START_S = 60
"""What a process may take beyond its time, to start and to end, s."""
_LINE = 200
_LINES = 30


class Outcome(NamedTuple):
    """What came of a target."""

    target: str
    said: str
    """One line for people."""
    problem: str
    """What went wrong and how to repeat it; empty when nothing did."""


def fuzz(targets: Sequence[str], seconds: float, jobs: int, build: Path = BUILD) -> list[Outcome]:
    """Fuzz targets for so many seconds in all, `jobs` of them at once; what is found lies below `build`."""
    at_once = min(jobs, len(targets))
    each = max(1, round(seconds * at_once / len(targets)))
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda target: _fuzz_one(target, each, build), targets))


def keep(target: str, build: Path = BUILD) -> None:
    """Make a target's corpus anew: of what it has and what was found the least that reaches as much."""
    merged = build / f"{target}.merged"
    shutil.rmtree(merged, ignore_errors=True)
    merged.mkdir(parents=True)
    _libfuzzer(target, "-merge=1", merged, CORPUS / target, build / target).check_returncode()
    shutil.rmtree(CORPUS / target)
    shutil.move(merged, CORPUS / target)
    for name, data in SEEDS[target]().items():
        (CORPUS / target / name).write_bytes(data)


def _fuzz_one(target: str, seconds: int, build: Path) -> Outcome:
    fresh, found, corpus = build / target, build / "found", CORPUS / target
    for folder in (fresh, found):
        folder.mkdir(parents=True, exist_ok=True)
    kept = [corpus] if corpus.exists() else []
    longest = max((file.stat().st_size for folder in kept for file in folder.iterdir()), default=0)
    limits = (
        f"-max_total_time={seconds}",
        f"-timeout={HANG_S}",
        f"-rss_limit_mb={RSS_MB}",
        f"-max_len={max(LONGEST, longest)}",
        f"-artifact_prefix={found}/{target}-",
    )
    try:
        done = _libfuzzer(target, *limits, fresh, *kept, timeout_s=seconds + _START_S)
    except subprocess.TimeoutExpired as error:
        return Outcome(target, "did not end", f"{target} did not end:\n{_end_of(error.stdout or b'')}")
    text = done.stdout.decode(errors="replace")
    last = re.findall(r"^#(\d+)\s+DONE\s+cov: (\d+) ft: \d+ corp: (\d+)", text, re.MULTILINE)
    if done.returncode == 0 and last:
        runs, edges, inputs = last[-1]
        return Outcome(target, f"{int(runs):,} inputs, {edges} edges, {inputs} inputs worth keeping", "")
    (written,) = re.findall(r"Test unit written to (\S+)", text)[-1:] or ("",)
    repeat = f"Repeat it: python -m tests.fuzz --repeat {written} {target}" if written else ""
    return Outcome(target, "failed", f"{target} failed:\n{_end_of(done.stdout)}\n{repeat}")


def _libfuzzer(
    target: str, *arguments: str | Path, timeout_s: float | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run libFuzzer by a shell that forks.

    Over an exec Linux keeps the highest memory that the process had: a target that the tests' own process
    started would begin with theirs, over its limit at once.
    """
    command = ["sh", "-c", '"$@"; exit $?', "sh", sys.executable, "-m", "tests.fuzz.one", target]
    with subprocess.Popen(
        [*command, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            raise subprocess.TimeoutExpired(command, timeout_s or 0, output) from None
    return subprocess.CompletedProcess(command, process.returncode, output)


def _end_of(output: bytes) -> str:
    """Give the end of what libFuzzer says, without notices and the input, whose lines are long."""
    lines = [
        line
        for line in output.decode(errors="replace").splitlines()
        if len(line) < _LINE and not line.startswith(("INFO:", "WARNING:", "#"))
    ]
    return "\n".join(lines[-_LINES:])
