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

from tests.canaries.checks import KEY, policy_with, told
from tests.canaries.finding import Finder
from tests.canaries.spoiling import PERSON, finder_of, harmless

ROOT = Path(__file__).parents[2]
SECONDS, MEGABYTES = 2.0, 64
"""What an object may cost."""
_MOST_SECONDS, _MOST_BYTES = 20, 4 << 30
"""What ends the process, so that the machine goes on."""


class Cost(NamedTuple):
    """What came of an object (a reason of quarantine, "out" or how the process died), and at what cost.

    `leaks`: what of the person of harmless objects is left in what comes out, or is said of it.
    """

    outcome: str
    seconds: float
    megabytes: float
    leaks: list[str]


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
    search = finder_of(PERSON, policy.options)
    for kind in ("ct", "us", "sr"):
        anonymize(harmless(kind), key=KEY, policy=policy)
    for name in sys.argv[2:]:
        print(
            json.dumps(_measured(lambda name=name: anonymize(Path(name), key=KEY, policy=policy), search)),
            flush=True,
        )


def _measured(work, search: Finder) -> Cost:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        resource.setrlimit(resource.RLIMIT_CPU, (_MOST_SECONDS, _MOST_SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
        before = resource.getrusage(resource.RUSAGE_SELF)
        result = work()
        after = resource.getrusage(resource.RUSAGE_SELF)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        megabytes = (after.ru_maxrss - before.ru_maxrss) / 1024
        found = search.find(getattr(result, "content", b"")) + search.find(told(result))
        labels = [leak.label for leak in found]
        os.write(writer, json.dumps([getattr(result, "reason", "out"), seconds, megabytes, labels]).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        line = stream.read()
    _, status = os.waitpid(child, 0)
    return Cost(*json.loads(line)) if line else Cost(f"died: {status}", float("inf"), float("inf"), [])


if __name__ == "__main__":
    main()
