"""Nothing that the table does not let survive does: every attribute, at every place, in every encoding.

What may survive is computed by `tests.canaries.oracle` from the table alone.
"""

from __future__ import annotations

import pydicom
import pytest

from agents.anonymization.policy.document import Policy
from agents.anonymization.policy.ready import POLICIES
from tests.canaries.checks import NOTHING, RETAIN, anonymized, judged, policy_with
from tests.canaries.dictionary_objects import naming, strict, unlisted
from tests.canaries.oracle import COLUMNS, Fate, fate, own_rows, rows
from tests.canaries.person import make_person
from tests.canaries.planting import words_of
from tests.canaries.table_objects import Filler, full, full_file, unknown
from tests.canaries.traps import Trap, setting
from tests.canaries.words import Words
from tests.canaries.writing import NATIVE, written


def check(policy: Policy, syntax: str = "explicit") -> None:
    content, canaries = full_file(1, syntax)
    assert judged(content, canaries, policy) == NOTHING


@pytest.mark.parametrize("syntax", NATIVE)
def test_nothing_survives_the_basic_profile(syntax):
    check(policy_with(), syntax)


@pytest.mark.parametrize("option", RETAIN)
def test_of_an_option_survives_what_its_rows_keep(option):
    check(policy_with(option))


def test_of_all_options_that_retain_survives_what_their_rows_keep():
    check(policy_with(*RETAIN), "implicit")


# The oracle knows the table and the options, not what a policy keeps besides, and of text that is cleaned it
# expects nothing to be left: policies with either are for tests of their own.
JUDGED = [
    name
    for name, policy in POLICIES.items()
    if "clean_descriptors" not in policy.options
    and not {one.action for one in policy.attributes.values()} & {"keep", "clean", "shift"}
]


@pytest.mark.parametrize("name", JUDGED)
def test_of_a_ready_policy_survives_what_its_rows_keep(name):
    check(POLICIES[name])


@pytest.mark.parametrize("vr", ["UN", "LO", "UT", "OB"])
def test_a_row_does_not_survive_under_another_value_representation(vr):
    data, canaries = full(5, kind="ct")
    kept = {0x0020000D, 0x0020000E, 0x00080018, 0x00080016}
    for canary in canaries:
        if not canary.where and canary.tag not in kept and isinstance(canary.value, str):
            value = canary.value.encode()
            data[canary.tag] = unknown(canary.tag, value + b" " * (len(value) % 2))
            data[canary.tag].VR = "UN" if vr == "LO" and len(value) > 64 else vr
            if vr in ("LO", "UT"):
                data[canary.tag]._value = canary.value
    assert judged(written(data), canaries, policy_with()) == NOTHING


@pytest.mark.parametrize("syntax", NATIVE)
def test_of_unlisted_attributes_no_text_date_or_uid_survives(syntax):
    words = Words(6)
    data, _ = full(6, syntax)
    canaries = strict(data, words)
    assert len(canaries) > 180
    assert judged(written(data, syntax), canaries, policy_with()) == NOTHING


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
    basic = frozenset()
    assert all(fate(basic, (), row.tag, row.vr) is Fate.GONE for row in rows().values())
    uids = frozenset(["retain_uids"])
    assert fate(uids, (), 0x0020000D, "UI") is Fate.KEPT
    assert fate(uids, (0x00400275,), 0x0020000D, "UI") is Fate.GONE
    assert fate(uids, (0x00091001,), 0x0020000D, "UI") is Fate.GONE
    dates = frozenset(["retain_longitudinal_full_dates", "retain_longitudinal_modified_dates"])
    assert fate(dates, (), 0x00080020, "DA") is Fate.GONE
    assert fate(dates, (), 0x00080030, "TM") is Fate.KEPT
    assert fate(basic, (), 0x00100033, "LO") is Fate.GONE
    assert fate(basic, (), 0x00080070, "LO") is Fate.CLEANED


def test_a_person_has_words_to_find():
    assert len(words_of(make_person(Words(1)))) > 15
    assert Filler(Words(1)).canaries == []
