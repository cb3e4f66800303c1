"""What an object costs: processor time and memory of a process that does nothing else.

``python -m tests.canaries.limits OPTIONS FILE...`` prints a line of JSON for each file. Each runs in its own
process, forked from one that has imported and compiled everything, so that only the object is measured.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.canaries.checks import KEY, policy_with
from tests.canaries.spoiling import harmless

ROOT = Path(__file__).parents[2]
SECONDS, MEGABYTES = 2.0, 64
"""What an object may cost."""
_MOST_SECONDS, _MOST_BYTES = 20, 4 << 30
"""What ends the process, so that the machine goes on."""


class Cost(NamedTuple):
    """What came of an object (a reason of quarantine, "out" or how the process died), and at what cost."""

    outcome: str
    seconds: float
    megabytes: float


def costs(files: Sequence[Path], options: Sequence[str] = ()) -> list[Cost]:
    """Measure each file under a policy with options."""
    command = [sys.executable, "-m", "tests.canaries.limits", ",".join(options), *map(str, files)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [Cost(*json.loads(line)) for line in run.stdout.splitlines()]


def main() -> None:
    """Measure."""
    # Nothing of it is needed before the limits
    from agents.anonymization.anonymize import anonymize  # noqa: PLC0415

    policy = policy_with(*filter(None, sys.argv[1].split(",")))
    for kind in ("ct", "us", "sr"):
        anonymize(harmless(kind), key=KEY, policy=policy)
    for name in sys.argv[2:]:
        print(
            json.dumps(_measured(lambda name=name: anonymize(Path(name), key=KEY, policy=policy))), flush=True
        )


def _measured(work) -> Cost:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        resource.setrlimit(resource.RLIMIT_CPU, (_MOST_SECONDS, _MOST_SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
        before = resource.getrusage(resource.RUSAGE_SELF)
        outcome = getattr(work(), "reason", "out")
        after = resource.getrusage(resource.RUSAGE_SELF)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        os.write(writer, json.dumps([outcome, seconds, (after.ru_maxrss - before.ru_maxrss) / 1024]).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        told = stream.read()
    _, status = os.waitpid(child, 0)
    return Cost(*json.loads(told)) if told else Cost(f"died: {status}", float("inf"), float("inf"))


if __name__ == "__main__":
    main()
