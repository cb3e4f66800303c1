"""Anonymizing CT files: CHIPS beside a plain copy, pydicom and other tools, same files, same run.

Each tool runs in a process of its own, and the other anonymizers in environments of their own
(`tests.bench.peers`). The tools take turns, so that what else the machine does meets all of them.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.bench.ct_series import Slice, left_in, write_slices
from tests.bench.figures import Spread, number, ranged, spread, table
from tests.bench.peers import PEERS, python_with

FILES = 300
FEW = 40
"""Files of the tools that take long."""
ROUNDS = 3
ROOT = Path(__file__).parent.parent.parent
WORKER = Path(__file__).parent / "anonymizers.py"
TITLE = "Anonymizing images"
ABOUT = (
    f"A series of {FILES} CT of 0.5 MB and 286 elements, two thirds of them private, with nested sequences, "
    f"in memory (/dev/shm); the slower tools get the first {FEW}. One process, once over the files. Rates "
    "are of the processor's time, which neighbours disturb less than the clock; both are compared with the "
    "copy's. *Leaking* counts files in which one of 17 planted values is found again, as ASCII or UTF-16: "
    "names, ids and UIDs at the top, in sequences, in private elements, in a curve, in file meta and "
    "preamble. CHIPS leaves pixels to the kernel's copy, and reads once what slices share: the first ones of "
    "another patient cost it 3 ms more. With a digest every byte passes through the process. Its careful way "
    "takes what the fast one does not. Nothing is synced."
)


class Tool(NamedTuple):
    """A row to be: its name, what it is called in the table, whether it gets few files."""

    name: str
    title: str
    slow: bool = False


TOOLS = (
    Tool("copy", "a plain copy (shutil.copyfile)"),
    Tool("chips", "CHIPS, policy basic"),
    Tool("chips-digest", "CHIPS, policy basic, digest in the same pass"),
    Tool("chips-research", "CHIPS, policy research"),
    Tool("chips-careful", "CHIPS, policy basic, careful way", slow=True),
    Tool("pydicom", "pydicom, read and write", slow=True),
    Tool("deid", "deid, default recipe", slow=True),
    Tool("dicognito", "dicognito", slow=True),
    Tool("dicom-anonymizer", "dicom-anonymizer", slow=True),
)


class Row(NamedTuple):
    """What a tool did; `left` says which planted values it left, by their place. No files: not measured."""

    title: str
    files_per_s: Spread
    mb_per_s: Spread
    of_copy: float
    of_copy_by_clock: float
    leaking: int
    files: int
    left: list[str]


class Run(NamedTuple):
    """Seconds of processor and clock for each file, and the places of what was left in each."""

    cpu: float
    wall: float
    left: list[set[str]]


def measure(rounds: int = ROUNDS, files: int = FILES, few: int = FEW) -> list[Row]:
    """Run all tools in turn, `rounds` times."""
    memory = Path("/dev/shm")  # where there is one, a disk's speed stays out of the figures
    pythons = {tool: _python(tool) for tool in TOOLS}
    with tempfile.TemporaryDirectory(
        prefix="chips-bench-", dir=memory if memory.is_dir() else None
    ) as folder:
        source = Path(folder) / "in"
        source.mkdir()
        slices = write_slices(source, files)
        runs: dict[Tool, list[Run]] = {tool: [] for tool in TOOLS}
        for _ in range(rounds):
            for tool, python in pythons.items():
                if python is not None:
                    given = slices[:few] if tool.slow else slices
                    runs[tool].append(_run(tool, python, Path(folder) / "out", given))
        size = statistics.mean(one.path.stat().st_size for one in slices)
    return [_row(tool, found, runs[TOOLS[0]], size) for tool, found in runs.items()]


def _row(tool: Tool, runs: list[Run], copies: list[Run], size: float) -> Row:
    named = f"{tool.title} ({PEERS[tool.name].version})" if tool.name in PEERS else tool.title
    if not runs:
        return Row(named, spread([0.0]), spread([0.0]), 0.0, 0.0, 0, 0, [])
    rates = [1 / run.cpu for run in runs]
    return Row(
        title=named,
        files_per_s=spread(rates),
        mb_per_s=spread(size * rate / 1e6 for rate in rates),
        of_copy=statistics.median(run.cpu for run in copies) / statistics.median(run.cpu for run in runs),
        of_copy_by_clock=statistics.median(run.wall for run in copies)
        / statistics.median(run.wall for run in runs),
        leaking=sum(map(bool, runs[-1].left)),
        files=len(runs[-1].left),
        left=sorted(set().union(*runs[-1].left)),
    )


def _python(tool: Tool) -> Path | None:
    return python_with(PEERS[tool.name]) if tool.name in PEERS else Path(sys.executable)


def _run(tool: Tool, python: Path, out: Path, slices: list[Slice]) -> Run:
    """Run a tool in a process of its own."""
    out.mkdir()
    run = subprocess.run(
        [str(python), str(WORKER), tool.name, str(out), *(str(one.path) for one in slices)],
        env={**os.environ, "PYTHONPATH": "" if tool.name in PEERS else str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise RuntimeError(f"{tool.name} failed: {run.stderr[-2000:]}")
    said = json.loads(run.stdout)
    left = [left_in((out / one.path.name).read_bytes(), one.canaries) for one in slices]
    shutil.rmtree(out)
    return Run(said["cpu"] / len(slices), said["wall"] / len(slices), left)


def markdown(rows: list[Row]) -> str:
    """Write the figures as a table."""
    head = ["tool", "files/s", "MB/s", "of a copy", "by the clock", "leaking"]
    measured = [row for row in rows if row.files]
    lines = table(
        head,
        (
            [
                row.title,
                ranged(row.files_per_s),
                ranged(row.mb_per_s),
                number(row.of_copy),
                number(row.of_copy_by_clock),
                f"{row.leaking} of {row.files}",
            ]
            for row in measured
        ),
    )
    left = [f"Left by {row.title}: {', '.join(row.left)}." for row in measured[1:] if row.left]
    missing = [
        f"Not measured: {row.title}, which pip could not install. Can the package index be reached?"
        for row in rows
        if not row.files
    ]
    return "\n\n".join([lines, *left, *missing])
