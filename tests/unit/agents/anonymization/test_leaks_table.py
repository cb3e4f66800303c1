"""Nothing that the table does not let survive does: every attribute, at every place, in every encoding.

What may survive is computed by `tests.canaries.oracle` from the table alone.
"""

from __future__ import annotations

import pydicom
import pytest

from agents.anonymization.policy.document import Policy
from agents.anonymization.policy.ready import POLICIES
from tests.canaries.checks import (
    CLEAN,
    DATES,
    EVERYTHING,
    NOTHING,
    RESEARCH,
    RETAIN,
    anonymized,
    judged,
    policy_with,
)
from tests.canaries.classes import IMAGES
from tests.canaries.dictionary_objects import naming, strict, unlisted
from tests.canaries.oracle import COLUMNS, Allowed, Fate, own_rows, rows
from tests.canaries.person import make_person
from tests.canaries.planting import words_of
from tests.canaries.table_objects import PARTS, Filler, full, full_file, unknown
from tests.canaries.traps import Trap, setting
from tests.canaries.words import Words
from tests.canaries.writing import NATIVE, written


def check(policy: Policy, part: str, syntax: str = "explicit") -> None:
    documents = part == "unlisted" or "clean_structured_content" not in policy.options
    content, canaries = full_file(part, syntax, documents=documents)
    assert judged(content, canaries, policy) == NOTHING


@pytest.mark.parametrize("syntax", NATIVE)
@pytest.mark.parametrize("part", PARTS)
def test_nothing_survives_the_basic_profile(part, syntax):
    if (part, syntax) == ("unknown", "big"):
        content, canaries = full_file(part, syntax)
        assert judged(content, canaries, policy_with()).reason == "bad-structure"
    else:
        check(policy_with(), part, syntax)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("option", RETAIN)
def test_of_an_option_survives_what_its_rows_keep(option, part):
    check(policy_with(option), part)


@pytest.mark.parametrize("part", PARTS)
def test_of_all_options_that_retain_survives_what_their_rows_keep(part):
    check(policy_with(*RETAIN), part, "implicit")


@pytest.mark.parametrize(
    ("part", "syntax"),
    [
        *(("unlisted", syntax) for syntax in NATIVE),
        *((part, "explicit") for part in PARTS if part != "unlisted"),
    ],
)
@pytest.mark.parametrize("option", [*CLEAN[1:], DATES, "retain_safe_private"])
def test_of_an_option_that_cleans_survives_what_its_rows_keep(option, part, syntax):
    check(policy_with(option), part, syntax)


@pytest.mark.parametrize("options", [RESEARCH, EVERYTHING], ids=["research", "everything"])
def test_of_many_options_survives_what_their_rows_keep(options):
    check(policy_with(*options), "unlisted")


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", POLICIES)
def test_of_a_ready_policy_survives_what_its_rows_keep(name, part):
    check(POLICIES[name], part)


@pytest.mark.parametrize("vr", ["UN", "LO", "UT", "OB"])
def test_a_row_does_not_survive_under_another_value_representation(vr):
    data, canaries = full(5, "unlisted")
    kept = {0x0020000D, 0x0020000E, 0x00080018, 0x00080016}
    for canary in canaries:
        if not canary.where and canary.tag not in kept and isinstance(canary.value, str):
            value = canary.value.encode()
            data[canary.tag] = unknown(canary.tag, value + b" " * (len(value) % 2))
            data[canary.tag].VR = "UN" if vr == "LO" and len(value) > 64 else vr
            if vr in ("LO", "UT"):
                data[canary.tag]._value = canary.value
    assert judged(written(data), canaries, policy_with()) == NOTHING


@pytest.mark.parametrize("options", [(), RESEARCH, EVERYTHING], ids=["basic", "research", "everything"])
@pytest.mark.parametrize("syntax", NATIVE)
def test_of_unlisted_attributes_no_text_date_or_uid_survives(syntax, options):
    words = Words(6)
    data = IMAGES["ct"](words, make_person(words))
    canaries = strict(data, words)
    assert len(canaries) > 180
    assert judged(written(data, syntax), canaries, policy_with(*options)) == NOTHING


def test_names_of_the_object_survive_in_no_unlisted_attribute():
    made = setting(8)
    with pydicom.config.disable_value_validation():
        naming(made.data, made.person)
    assert len(list(unlisted("LO", "SH"))) > 300
    trap = Trap(written(made.data), made.person, {})
    assert len(trap.left(trap.content)) > 2
    assert trap.left(anonymized(trap.content).content) == []


def test_the_oracle_knows_the_whole_table():
    assert len(rows()) == 652
    assert {code for row in rows().values() for code in row.options.values()} == {"K", "C"}
    assert sum(len(own_rows(option)) for option in COLUMNS) > 500
    basic = Allowed()
    assert all(basic.fate((), row.tag, row.vr) is Fate.GONE for row in rows().values())
    assert basic.fate((), 0x00100033, "LO") is Fate.GONE
    assert basic.fate((), 0x00080070, "LO") is Fate.CLEANED
    uids = Allowed(frozenset(["retain_uids"]))
    assert uids.fate((), 0x0020000D, "UI") is Fate.KEPT
    assert uids.fate((0x00400275,), 0x0020000D, "UI") is Fate.GONE
    assert uids.fate((0x00091001,), 0x0020000D, "UI") is Fate.GONE
    dates = Allowed(frozenset(["retain_longitudinal_full_dates", "retain_longitudinal_modified_dates"]))
    assert dates.fate((), 0x00080020, "DA") is Fate.MOVED
    assert dates.fate((), 0x00080030, "TM") is Fate.KEPT
    exception = Allowed(frozenset(), {0x00080080: "keep", 0x00080070: "remove"})
    assert exception.fate((), 0x00080080, "LO") is Fate.KEPT
    assert exception.fate((), 0x00080070, "LO") is Fate.GONE


def test_a_person_has_words_to_find():
    assert len(words_of(make_person(Words(1)))) > 15
    assert Filler(Words(1)).canaries == []
