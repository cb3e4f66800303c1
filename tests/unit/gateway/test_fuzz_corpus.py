"""What fuzzing kept stays right; and what fuzzing starts from is right."""

from __future__ import annotations

import pytest

from gateway.header import identity_of
from tests.fuzz.driving import CORPUS
from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS
from tests.fuzz.whole import association


@pytest.mark.parametrize("target", TARGETS)
def test_the_corpus_is_taken_or_refused_as_documented(target):
    files = sorted((CORPUS / target).iterdir())
    assert len(files) >= len(SEEDS[target]())
    for file in files:
        TARGETS[target](file.read_bytes())


def test_seeds_of_associations_store_what_they_are_to_store():
    stored = {name: association(data) for name, data in SEEDS["association"]().items()}
    once = ("explicit", "implicit", "deflated", "big", "sequences", "halves", "raw-store")
    assert {name: count for name, count in stored.items() if count} == dict.fromkeys(once, 1) | {
        "twice": 2,
        "commitment-left": 1,
    }


@pytest.mark.parametrize("file", SEEDS["header"]())
def test_seeds_of_headers_are_read(file):
    assert identity_of(SEEDS["header"]()[file]).study_instance_uid == "1.2.30"
