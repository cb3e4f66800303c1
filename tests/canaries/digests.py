"""What comes of objects, as digests, for comparing processes.

``python -m tests.canaries.digests OPTIONS`` makes every object anew and prints two digests for each: of the
object, and of what came of it.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from agents.anonymization.anonymize import anonymize
from agents.anonymization.outcome import Quarantine
from agents.anonymization.policy.document import Policy
from tests.canaries.checks import KEY, policy_with
from tests.canaries.classes import IMAGES
from tests.canaries.classes_more import OBJECTS
from tests.canaries.person import make_person
from tests.canaries.table_objects import full_file
from tests.canaries.words import Words
from tests.canaries.writing import NATIVE, written

ROOT = Path(__file__).parents[2]


@functools.cache
def objects() -> list[tuple[str, bytes]]:
    """Give an object of each class, all of one person, and one with everything in each native syntax."""
    person = make_person(Words(21))
    made = {**IMAGES, **OBJECTS}.items()
    return [
        *((name, written(make(Words(22 + number), person))) for number, (name, make) in enumerate(made)),
        *((f"table, {syntax}", full_file("unlisted", syntax)[0]) for syntax in NATIVE),
    ]


def outcome(content: bytes, policy: Policy) -> str:
    """Give the digest of an output, or the reason of a quarantine."""
    result = anonymize(content, key=KEY, policy=policy)
    return result.reason if isinstance(result, Quarantine) else hashlib.sha256(result.content).hexdigest()


def digests(options: Sequence[str]) -> dict[str, list[str]]:
    """Give both digests of each object, in this process."""
    policy = policy_with(*options)
    return {name: [hashlib.sha256(made).hexdigest(), outcome(made, policy)] for name, made in objects()}


def digests_elsewhere(
    sets: Sequence[Sequence[str]], environment: Mapping[str, str]
) -> list[dict[str, list[str]]]:
    """Give them as another process has them, for each set of options."""
    command = [sys.executable, "-m", "tests.canaries.digests", *(",".join(options) for options in sets)]
    settings = {**os.environ, **environment}
    run = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


if __name__ == "__main__":
    print(json.dumps([digests([*filter(None, options.split(","))]) for options in sys.argv[1:]]))
