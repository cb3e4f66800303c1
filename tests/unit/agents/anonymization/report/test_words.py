from __future__ import annotations

import itertools
from typing import get_args

import msgspec
import pytest

from agents.anonymization.policy.decision import Action, Within
from agents.anonymization.policy.document import Override, Policy
from agents.anonymization.policy.rules import Rules
from agents.anonymization.report import words
from agents.anonymization.report.comparing import Done
from agents.anonymization.report.types import ExceptionAction
from agents.anonymization.standard.codes import OPTION_CODES
from agents.anonymization.standard.table import load_table

CT, SR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.88.11"
MORE = (
    0x00080016,
    0x00190010,
    0x00080000,
    0x00020010,
    0x60003000,
    0x50003000,
    0x0008FFFE,
    0x00081195,
    0x00280010,
    0x0040A160,
)


def reasons():
    found = set()
    policies = [
        Policy(name="x", version=1, options=frozenset(options))
        for options in ((), *((one,) for one in OPTION_CODES), tuple(OPTION_CODES))
    ]
    kept = {
        "PatientComments": Override(action="keep"),
        "StudyDate": Override(action="shift", why="For intervals"),
    }
    for policy in (*policies, Policy(name="x", version=1, attributes=kept)):
        for sop_class, within, parent in itertools.product((CT, SR, ""), Within, (None, 0x0040A730)):
            rules = Rules(policy, sop_class)
            found |= {rules.decide(tag, parent, within).reason for tag in (*load_table().rules, *MORE)}
    return found


def test_every_reason_of_the_rules_has_words_of_its_own():
    found = reasons()
    assert len(found) > 20
    for reason in found:
        told = words.reason_in_words(reason, "kept")
        plain = f"{reason[:1].upper()}{reason[1:]}"
        assert told != plain or reason.startswith("policy"), reason


def test_where_the_value_decided_the_rule_is_no_reason():
    found = reasons()
    for reason, done in words._OTHERWISE:
        assert reason in found
        assert words.reason_in_words(reason, done) not in (words.reason_in_words(reason, "dummy"), reason)


def test_what_was_done_has_words():
    assert set(words.DONE) == set(get_args(Done))


def test_exceptions_have_words():
    assert set(words.EXCEPTIONS) == set(get_args(ExceptionAction))
    for action in words.EXCEPTIONS:
        msgspec.convert({"action": action}, Override)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"action": "invented"}, Override)


@pytest.mark.parametrize("option", sorted(OPTION_CODES))
def test_what_people_have_to_judge_depends_on_the_option(option):
    before, after = words.limits(frozenset()), words.limits(frozenset([option]))
    silent = {
        "clean_graphics",
        "clean_structured_content",
        "retain_longitudinal_modified_dates",
        "retain_safe_private",
    }
    assert (before == after) == (option in silent)
    assert before[-3:] == after[-3:] == list(words._ALWAYS)


def test_actions_are_those_of_the_rules():
    assert {action.value for action in Action} >= set(words.EXCEPTIONS)
