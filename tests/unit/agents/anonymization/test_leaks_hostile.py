"""Whatever a file says of itself, it ends in quarantine or comes out clean, within 2 s and 64 MB more."""

from __future__ import annotations

import time

import pytest

from agents.anonymization.anonymize import anonymize
from agents.anonymization.outcome import Anonymized, Quarantine
from tests.canaries.checks import EVERYTHING, KEY, policy_with
from tests.canaries.finding import Finder
from tests.canaries.hostile import HOSTILE
from tests.canaries.limits import MEGABYTES, SECONDS, costs
from tests.canaries.person import make_person
from tests.canaries.planting import words_of
from tests.canaries.spoiling import flips, harmless, truncations
from tests.canaries.words import Words

PERSON = make_person(Words(11))
"""Whom harmless objects, and so the spoiled ones, are about."""
LOUD = {"unparsable", "not-verified"}
"""Reasons that tell of a surprise."""


def finder() -> Finder:
    return Finder(words_of(PERSON), {"born": PERSON.born})


def cost_within_limits(folder, names, *options: str) -> None:
    files = [folder / f"{number}.dcm" for number, _ in enumerate(names)]
    for name, file in zip(names, files, strict=True):
        file.write_bytes(HOSTILE[name]())
    too_costly = [
        (name, *cost)
        for name, cost in zip(names, costs(files, options), strict=True)
        if cost.seconds > SECONDS or cost.megabytes > MEGABYTES or cost.outcome in LOUD
    ]
    assert too_costly == []


@pytest.mark.parametrize("options", [(), EVERYTHING], ids=["basic", "everything"])
@pytest.mark.parametrize("group", ["nesting", "bomb", "lie", "size", "cycle"])
def test_hostile_files_cost_little(tmp_path, group, options):
    names = [name for name in HOSTILE if name.startswith(group)]
    assert len(names) > 5
    cost_within_limits(tmp_path, names, *options)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_get_nothing_through(name):
    result = anonymize(HOSTILE[name](), key=KEY, policy=policy_with())
    if isinstance(result, Quarantine):
        assert finder().find(result.message.encode()) == []
    else:
        assert finder().find(result.content) == []


NESTED = [name for name in HOSTILE if name.startswith("nesting")]


@pytest.mark.parametrize("name", NESTED)
def test_deep_nesting_stays_in(name):
    result = anonymize(HOSTILE[name](), key=KEY, policy=policy_with())
    assert isinstance(result, Quarantine)
    assert result.reason == "too-deep"


def looked_at(sources) -> dict[str, int]:
    """Count outcomes; none may take long, leak, or be a surprise to the engine."""
    search, outcomes = finder(), {"out": 0}
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
