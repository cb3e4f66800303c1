"""Whatever a file says of itself, it ends in quarantine or comes out clean, within 2 s and 64 MB more."""

from __future__ import annotations

import time

import pytest

from agents.anonymization.anonymize import anonymize
from agents.anonymization.outcome import Anonymized
from tests.canaries.checks import EVERYTHING, KEY, policy_with
from tests.canaries.hostile import HOSTILE
from tests.canaries.limits import MEGABYTES, SECONDS, Cost, costs
from tests.canaries.spoiling import PERSON, finder_of, flips, harmless, truncations

LOUD = {"unparsable", "not-verified"}
"""Reasons that tell of a surprise."""


def measured(folder, *options: str) -> dict[str, Cost]:
    """Anonymize every hostile file, each in a process of its own."""
    files = [folder / f"{number}.dcm" for number, _ in enumerate(HOSTILE)]
    for make, file in zip(HOSTILE.values(), files, strict=True):
        file.write_bytes(make())
    return dict(zip(HOSTILE, costs(files, options), strict=True))


@pytest.mark.parametrize("options", [(), EVERYTHING], ids=["basic", "everything"])
def test_hostile_files_cost_little_and_get_nothing_through(tmp_path, options):
    found = measured(tmp_path, *options)
    assert len(found) > 90
    assert {
        name: cost
        for name, cost in found.items()
        if cost.seconds > SECONDS or cost.megabytes > MEGABYTES or cost.outcome in LOUD or cost.leaks
    } == {}
    nested = {name: cost.outcome for name, cost in found.items() if name.startswith("nesting")}
    assert set(nested.values()) == {"too-deep"}
    assert len(nested) > 30


def looked_at(sources) -> dict[str, int]:
    """Count outcomes; none may take long, leak, or be a surprise to the engine."""
    search, outcomes = finder_of(PERSON), {"out": 0}
    for source in sources:
        begun = time.process_time()
        result = anonymize(source, key=KEY, policy=policy_with())
        assert time.process_time() - begun < SECONDS
        if isinstance(result, Anonymized):
            outcomes["out"] += 1
            assert search.find(result.content) == []
        else:
            outcomes[result.reason] = outcomes.get(result.reason, 0) + 1
            assert search.find(result.message.encode()) == []
    return outcomes


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big", "deflated"])
@pytest.mark.parametrize("kind", ["ct", "rt structures"])
def test_a_file_that_ends_anywhere_stays_in(kind, syntax):
    outcomes = looked_at(truncations(harmless(kind, syntax)))
    # A cut between two elements is none that can be seen
    assert outcomes.pop("out") <= 2
    assert not outcomes.keys() & LOUD


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big", "deflated"])
def test_a_damaged_file_leaks_nothing(syntax):
    # A damaged name or id may be left, but then none that is known any more
    outcomes = looked_at(flips(harmless("enhanced mr", syntax), 150, seed=61))
    assert sum(outcomes.values()) == 150
    assert len(outcomes) > 2
    assert not outcomes.keys() & LOUD
