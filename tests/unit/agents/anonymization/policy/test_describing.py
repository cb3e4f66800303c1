"""Words for everything that policies can say, and counts that are the rules' own."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from pydicom._dicom_dict import DicomDictionary

from agents.anonymization.policy.describing import (
    ACTIONS,
    CODES,
    OPTIONS,
    OUTCOMES,
    because,
    changes,
    counted,
    outcomes,
    title,
)
from agents.anonymization.policy.document import Override, Policy
from agents.anonymization.policy.pages import PAGE
from agents.anonymization.policy.ready import POLICIES
from agents.anonymization.policy.rules import Action, Rules
from agents.anonymization.standard.codes import OPTION_CODES, PolicyOption
from agents.anonymization.standard.table import Code, load_table

ROWS = dict(
    re.findall(
        r"^\| `((?:clean|retain)_\w+)` \| (E\.3\..*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
)
SECTIONS = {
    "clean_pixel_data": "E.3.1",
    "clean_recognizable_visual_features": "E.3.2",
    "clean_graphics": "E.3.3",
    "clean_structured_content": "E.3.4",
    "clean_descriptors": "E.3.5",
    "retain_longitudinal_full_dates": "E.3.6",
    "retain_longitudinal_modified_dates": "E.3.6",
    "retain_patient_characteristics": "E.3.7",
    "retain_device_identity": "E.3.8",
    "retain_uids": "E.3.9",
    "retain_safe_private": "E.3.10",
    "retain_institution_identity": "E.3.11",
}
"""PS3.15, as its chapters are numbered."""


def test_every_option_is_documented_and_no_other():
    assert set(get_args(PolicyOption)) == set(OPTION_CODES) == set(OPTIONS) == set(ROWS)
    assert {option: words.section for option, words in OPTIONS.items()} == SECTIONS


@pytest.mark.parametrize("option", OPTIONS)
def test_the_page_counts_what_the_option_changes(option):
    section, code, kept, moved, cleaned, says = (cell.strip() for cell in ROWS[option].split(" | "))
    assert (section, code) == (SECTIONS[option], OPTION_CODES[option].value)
    assert says == OPTIONS[option].says
    plain, on = (
        Rules(Policy(name="p", version=1, options=frozenset(options)), "") for options in ([], [option])
    )
    changed = [tag for tag in load_table().rules if plain.decide(tag) != on.decide(tag)]
    found = [on.decide(tag).action for tag in changed]
    assert [int(cell or 0) for cell in (kept, moved, cleaned)] == [
        sum(action in OUTCOMES[what] for action in found) for what in ("kept", "moved", "cleaned")
    ]
    assert sum(counted(changes(option)).values()) == len(changed)


def test_words_for_every_action_and_code():
    assert set(ACTIONS) == set(Action)
    assert set().union(*OUTCOMES.values()) == set(Action)
    assert sum(len(actions) for actions in OUTCOMES.values()) == len(Action)
    assert set(CODES) == set(get_args(Code))


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_every_row_has_one_outcome(policy):
    assert sum(outcomes(policy).values()) == len(load_table().rules)


def test_every_reason_is_said_in_words():
    everything = Policy(
        name="p",
        version=1,
        options=frozenset(get_args(PolicyOption)) - {"retain_longitudinal_full_dates"},
        attributes={
            "StudyDate": Override(action="remove", why="no days"),
            "StudyTime": Override(action="remove"),
        },
    )
    reasons = {
        rules.decide(tag, parent).reason
        for rules in (Rules(everything, ""), Rules(Policy(name="p", version=1), "1.2.840.10008.5.1.4.1.1.2"))
        for tag in (*DicomDictionary, *load_table().rules, 0x00091001, 0x60000022)
        for parent in (None, 0x00081140)
    }
    said = {because(reason) for reason in reasons}
    assert {"The policy: no days", "The policy", "Table E.1-1: X/Z/D", "Private"} <= said
    assert {f"{title(one)} (PS3.15, {words.section})" for one, words in OPTIONS.items()} >= {
        text for text in said if "PS3.15" in text
    }
    assert not [text for text in said if "_" in text or not text[:1].isupper()]
