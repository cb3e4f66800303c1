"""``python anonymizers.py TOOL OUT FILE…``: how long a tool takes for files, as JSON.

A program of its own, so that each tool runs in a process, and in the environment, of its own; of CHIPS it
needs nothing but for CHIPS' own ways.
"""

# ruff: noqa: PLC0415 - each tool is imported where it is asked for, if it is installed

from __future__ import annotations

import functools
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

Tool = Callable[[Path, Path], object]
"""Makes one file of another."""


def _copy() -> Tool:
    return shutil.copyfile


def _read_and_write() -> Tool:
    import pydicom

    return lambda source, target: pydicom.dcmread(source).save_as(target)


def _chips(policy: str, *, careful: bool = False, digest: bool = False) -> Tool:
    from agents.anonymization.careful import Task, anonymize_carefully
    from agents.anonymization.fast.engine import FastPath
    from agents.anonymization.policy.ready import policy_named
    from agents.anonymization.tools import NO_TOOLS
    from gateway.identity import ProjectKey
    from streams.copying import write

    key = ProjectKey(project="bench", secret=bytes(32))
    path = FastPath(key, policy_named(policy))

    def fast(source: Path, target: Path) -> None:
        output = path.take(source).output
        fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            write(output, fd, digest=digest)
        finally:
            os.close(fd)

    def carefully(source: Path, target: Path) -> None:
        task = Task(key, policy_named(policy), None, NO_TOOLS)
        target.write_bytes(anonymize_carefully(source.read_bytes(), task).output)

    return carefully if careful else fast


def _deid() -> Tool:
    from deid.dicom import replace_identifiers
    from deid.logger import bot

    bot.level = 0

    def run(source: Path, target: Path) -> None:
        # With its default recipe, which keeps private elements unless told otherwise.
        made = replace_identifiers(dicom_files=[str(source)], save=False, remove_private=True)
        made[0].save_as(target)

    return run


def _dicognito() -> Tool:
    import pydicom
    from dicognito.anonymizer import Anonymizer

    anonymizer = Anonymizer(seed="bench")

    def run(source: Path, target: Path) -> None:
        data = pydicom.dcmread(source)
        anonymizer.anonymize(data)
        data.save_as(target)

    return run


def _dicom_anonymizer() -> Tool:
    from dicomanonymizer import anonymize_dicom_file

    return lambda source, target: anonymize_dicom_file(str(source), str(target))


TOOLS: dict[str, Callable[[], Tool]] = {
    "copy": _copy,
    "chips": functools.partial(_chips, "basic"),
    "chips-research": functools.partial(_chips, "research"),
    "chips-digest": functools.partial(_chips, "basic", digest=True),
    "chips-careful": functools.partial(_chips, "basic", careful=True),
    "pydicom": _read_and_write,
    "deid": _deid,
    "dicognito": _dicognito,
    "dicom-anonymizer": _dicom_anonymizer,
}


def main(name: str, out: str, *files: str) -> dict[str, float]:
    """Measure, after a first file that loads and compiles what is needed once; s of processor and clock."""
    tool = TOOLS[name]()
    pairs = [(Path(file), Path(out) / Path(file).name) for file in files]
    tool(*pairs[0])
    pairs[0][1].unlink()
    wall, cpu = time.perf_counter(), time.process_time()
    for source, target in pairs:
        tool(source, target)
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}


if __name__ == "__main__":
    # What tools print is none of our figures.
    figures, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps(main(*sys.argv[1:])), file=figures)
