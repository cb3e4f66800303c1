from __future__ import annotations

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from agents.anonymization.files import known as module
from agents.anonymization.files.known import Named, known_of, mark_of, named_in
from agents.anonymization.policy.document import Policy
from agents.anonymization.policy.rules import Rules
from gateway.part10 import Malformed

BASIC = Rules(Policy(name="x", version=1), "")
INSTITUTION = Rules(Policy(name="x", version=1, options=frozenset(["retain_institution_identity"])), "")


@pytest.fixture
def content(ct, encode):
    request = Dataset()
    request.AccessionNumber = "ACC-NESTED"
    data = ct(InstitutionName="Klinikum Nord", RequestAttributesSequence=Sequence([request]))
    return lambda syntax="explicit": encode(data, syntax)


@pytest.mark.parametrize("syntax", ["implicit", "explicit", "big", "deflated"])
def test_values_of_every_depth_are_found_with_their_character_set(content, syntax):
    found = {(one.charset, one.parent, one.value.rstrip()) for one in named_in(content(syntax), BASIC)}
    assert (b"ISO_IR 100", None, b"Mustermann^Erika") in found
    assert (b"ISO_IR 100", 0x00400275, b"ACC-NESTED") in found
    assert (b"ISO_IR 100", None, b"Klinikum Nord") in found


def test_what_the_policy_keeps_is_not_looked_for(content):
    assert b"Klinikum Nord " not in {one.value for one in named_in(content(), INSTITUTION)}


def test_of_a_broken_object_what_comes_first_is_found(content):
    whole = content()
    cut = whole[: whole.index(b"Mustermann^") + 40]
    assert b"Mustermann^Erika" in {one.value for one in named_in(cut, BASIC)}
    with pytest.raises(Malformed):
        named_in(b"no file", BASIC)


def test_what_is_known_finds_names_of_every_object(content):
    others = [Named(b"ISO_IR 192", None, 0x00100010, "Füllner^Ünal".encode())]
    known = known_of([*named_in(content(), BASIC), *others])
    assert known.occur_in(b"by Erika Mustermann")
    assert known.occur_in(b"ACC-NESTED")
    assert known.occur_in(b"Fuellner")
    assert not known.occur_in(b"Siemens")


def test_no_order_makes_a_difference(key, other_key, content):
    named = sorted(named_in(content(), BASIC), key=str)
    mark = mark_of(key, named)
    assert mark == mark_of(key, reversed(named))
    assert mark != mark_of(other_key, named)
    assert mark != mark_of(key, named[1:])
    assert known_of(named).words == known_of(reversed(named)).words


def test_one_object_can_not_name_without_end(content, monkeypatch):
    monkeypatch.setattr(module, "VALUES_AT_MOST", 3)
    assert len(named_in(content(), BASIC)) == 3


def test_a_study_that_names_more_than_can_be_looked_for_is_told():
    many = [Named(b"", None, 0x00100020, b"%06d" % number) for number in range(40_000)]
    assert known_of(many) is None
