from __future__ import annotations

import pytest

from agents.anonymization.policy.document import Policy
from agents.anonymization.policy.private import SafePrivate, creator_of, is_creator, is_private_name
from agents.anonymization.policy.rules import Action
from agents.anonymization.standard.safe_private import PrivateName, load_safe_private

SIEMENS = b"SIEMENS MR HEADER "


def safe(*options, own=()):
    return SafePrivate(
        Policy(
            name="tried",
            version=1,
            options=frozenset({"retain_safe_private", *options}),
            safe_private=list(own),
        )
    )


def test_the_table_is_whole():
    vrs = load_safe_private().vrs
    assert len(vrs) == 87
    assert vrs[PrivateName("SIEMENS MR HEADER", 0x0019, 0x0C)] == "IS"
    assert {name.group & 1 for name in vrs} == {1}


def test_an_element_is_known_by_its_creator_wherever_its_block_lies():
    for block in (0x10, 0x11, 0xFF):
        found = safe().decide(SIEMENS, 0x00190000 | block << 8 | 0x0C, "IS")
        assert (found.decision.action, found.vr) == (Action.KEEP, "IS")
        assert found.decision.otherwise is Action.REMOVE


@pytest.mark.parametrize(
    ("creator", "tag", "vr"),
    [
        (b"SIEMENS MR HEADER", 0x0019100B, "IS"),  # another element
        (b"SIEMENS MR HEADER", 0x0021100C, "IS"),  # another group
        (b"SIEMENS CT HEADER", 0x0019100C, "IS"),  # another creator
        (b"siemens mr header", 0x0019100C, "IS"),
        (b"", 0x0019100C, "IS"),
        (b"SIEMENS MR HEADER", 0x0019100C, "LO"),  # written as something else
        (b"SIEMENS MR HEADER", 0x0019100C, "SQ"),
    ],
)
def test_all_others_go(creator, tag, vr):
    assert safe().decide(creator, tag, vr) is None


@pytest.mark.parametrize("vr", [None, "UN"])
def test_the_list_knows_the_kind_of_what_does_not_say_it(vr):
    assert safe().decide(SIEMENS, 0x0019100E, vr).vr == "FD"


def test_without_the_option_nothing_is_safe():
    nothing = SafePrivate(Policy(name="tried", version=1, safe_private=["ACME:0019,xx01"]))
    assert nothing.decide(SIEMENS, 0x0019100C, "IS") is None
    assert nothing.decide(b"ACME", 0x00191001, "LO") is None


def test_a_policys_own_elements_are_kept_as_they_are_written():
    own = safe(own=["ACME: 1:0019,xX0a"])
    assert own.decide(b"ACME: 1", 0x0019100A, "LO").vr == "LO"
    assert own.decide(b"ACME: 1", 0x0019100A, None) is None, "nobody knows what it is"
    assert own.decide(b"ACME: 1", 0x0019100A, "UN") is None


def test_what_names_people_is_never_safe():
    own = safe(own=["ACME:0019,xx01"])
    for vr in ("PN", "AE", "UR"):
        assert own.decide(b"ACME", 0x00191001, vr) is None


def test_dates_and_uids_follow_their_own_options():
    own = ["ACME:0019,xx01"]
    for options, vr, action in (
        ((), "DA", None),
        (("retain_longitudinal_modified_dates",), "DA", Action.SHIFT),
        (("retain_longitudinal_full_dates",), "TM", Action.KEEP),
        ((), "UI", Action.UID),
        (("retain_uids",), "UI", Action.KEEP),
    ):
        found = safe(*options, own=own).decide(b"ACME", 0x00191001, vr)
        assert (found.decision.action if found else None) is action


def test_blocks():
    assert [is_creator(tag) for tag in (0x0019000F, 0x00190010, 0x001900FF, 0x00190100, 0x00180010)] == [
        *(False, True, True, False, False)
    ]
    assert not is_creator(0x00050010), "a group that no object has"
    assert creator_of(0x0019110C) == 0x00190011
    assert creator_of(0x00190110) == 0, "no block begins before 10"


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("ACME:0019,xx01", True),
        ("A:B:0019,XXff", True),
        ("ACME:0018,xx01", False),
        ("ACME:0019,1001", False),
        (":0019,xx01", False),
        ("ACME", False),
    ],
)
def test_names_of_private_attributes(text, good):
    assert is_private_name(text) is good
    if not good:
        with pytest.raises(ValueError, match="creator"):
            safe(own=[text])
