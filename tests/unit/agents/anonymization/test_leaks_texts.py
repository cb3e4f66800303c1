"""Texts that are kept or cleaned name nobody whom the object or its study names anywhere."""

from __future__ import annotations

from itertools import cycle

import pydicom
import pytest

from agents.anonymization.anonymize import anonymize
from agents.anonymization.outcome import Anonymized
from agents.anonymization.text.known import KnownValues
from tests.canaries.checks import CLEAN, EVERYTHING, KEY, RESEARCH, anonymized, policy_with
from tests.canaries.dictionary_objects import LONGEST, TRUSTED, unlisted
from tests.canaries.person import make_person
from tests.canaries.table_objects import DOCUMENT, TEXTS, Filler
from tests.canaries.traps import Trap, say, setting
from tests.canaries.words import Words
from tests.canaries.writing import written


@pytest.mark.parametrize(
    "options", [(), CLEAN, RESEARCH, EVERYTHING], ids=["basic", "clean", "research", "all"]
)
def test_no_text_that_is_kept_names_the_patient(options):
    """Every text of the table, at every place, says something of the person."""
    words = Words(51)
    person = make_person(words)
    said = cycle(person.sentences()[:12] + person.sentences()[13:15])
    with pydicom.config.disable_value_validation():
        made = setting(51)
        filler = Filler(
            Words(52),
            text=lambda vr: next(said)[: LONGEST.get(vr, 64)],
            leave=lambda where, row: row.tag == DOCUMENT,
        )
        filler.everywhere(made.data)
        person.describe(made.data)
    trap = Trap(written(made.data), person._replace(seen=words.day(), institution="", street="", city=""), {})
    result = anonymize(trap.content, key=KEY, policy=policy_with(*options))
    assert isinstance(result, Anonymized)
    assert trap.left(result.content, options) == []
    assert len([canary for canary in filler.canaries if canary.vr in TEXTS]) > 3000


def test_no_unlisted_text_names_the_patient():
    made = setting(8)
    with pydicom.config.disable_value_validation():
        for (tag, vr), text in zip(unlisted(*TRUSTED), cycle(made.person.sentences()), strict=False):
            made.data.add_new(tag, vr, text[: LONGEST[vr]])
    trap = Trap(written(made.data), made.person, {})
    assert trap.left(anonymized(trap.content).content) == []


def test_values_that_only_the_study_knows_are_found():
    made = setting()
    other = made.words.word()
    made.data.ProtocolName = made.data.SeriesDescription = f"compared with {other}"
    say(made.data, f"as {other} , before")
    trap = made.trap(other=other)
    policy = policy_with("clean_descriptors")
    result = anonymize(trap.content, key=KEY, policy=policy, study=KnownValues([other.encode()]))
    assert isinstance(result, Anonymized)
    assert trap.left(result.content) == []
