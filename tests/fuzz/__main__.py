"""``python -m tests.fuzz [--seconds S] [--jobs N] [--keep] [TARGET ...]``: fuzz, all targets or those named.

Each target has a process of its own, several side by side, so that all of it takes the seconds and little
more. What is found beyond the corpus lies in ``build/fuzz``; ``--keep`` adds to the corpus, minimised, what
reaches something new. The first input that a target fails on ends it and is written to ``build/fuzz/found``.

``python -m tests.fuzz --repeat FILE TARGET`` runs one input again, without atheris.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.driving import fuzz, keep
from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz; give 1 when something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=float, default=60.0, help="in all (60)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at once (processors)")
    parser.add_argument("--keep", action="store_true", help="add what is new to the corpus")
    parser.add_argument("--repeat", type=Path, metavar="FILE", help="run one input again")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(SEEDS))
    given = parser.parse_args(arguments)
    targets = given.targets or list(SEEDS)
    if unknown := set(targets) - SEEDS.keys():
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    if given.repeat:
        for target in targets:
            TARGETS[target](given.repeat.read_bytes())
            print(f"{target}: nothing wrong with {given.repeat}")
        return 0
    outcomes = fuzz(targets, given.seconds, given.jobs)
    for outcome in outcomes:
        print(f"{outcome.target}: {outcome.said}")
    for outcome in outcomes:
        if outcome.problem:
            print(f"\n{outcome.problem}")
        elif given.keep:
            keep(outcome.target)
    return 1 if any(outcome.problem for outcome in outcomes) else 0


if __name__ == "__main__":
    raise SystemExit(main())
