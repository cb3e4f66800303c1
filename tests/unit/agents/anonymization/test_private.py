"""Private elements of whole objects, at every depth and in every encoding."""

from __future__ import annotations

import struct
from io import BytesIO

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from agents.anonymization.anonymize import anonymize
from agents.anonymization.outcome import Anonymized, Quarantine
from agents.anonymization.policy.document import Policy
from agents.anonymization.policy.ready import BASIC

SAFE = Policy(
    name="tried",
    version=1,
    options=frozenset(["retain_safe_private"]),
    safe_private=["ACME:0099,xx01", "ACME:0099,xx02"],
)
HOLDER = 0x52009229
"""A sequence that the table does not list."""


def opened(result):
    assert isinstance(result, Anonymized), result
    return pydicom.dcmread(BytesIO(result.content))


def plant(data):
    data.add_new(0x00190010, "LO", "SIEMENS MR HEADER")
    data.add_new(0x00190011, "LO", "Mustermann Systems")
    data.add_new(0x0019100B, "DS", "4711")
    data.add_new(0x0019100C, "IS", "1000")
    data.add_new(0x0019100E, "FD", [0.5, 0.25, 1.0])
    data.add_new(0x0019110C, "IS", "4712")
    data.add_new(0x00210010, "LO", "SIEMENS MR HEADER")
    data.add_new(0x0021100C, "IS", "4713")
    return data


@pytest.fixture
def planted(ct):
    item = plant(Dataset())
    data = plant(ct())
    data.add_new(HOLDER, "SQ", Sequence([item, Dataset(), item]))
    return data


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big", "deflated"])
def test_safe_elements_stay_with_their_creator_and_nothing_else_does(planted, encode, key, syntax):
    out = opened(anonymize(encode(planted, syntax), key=key, policy=SAFE))
    assert len(out[HOLDER].value) == 3
    for data in (out, out[HOLDER][0], out[HOLDER][2]):
        private = {int(element.tag) for element in data if element.tag.is_private}
        assert private == {0x00190010, 0x0019100C, 0x0019100E}
        assert data[0x0019100C].value == 1000
        assert list(data[0x0019100E].value) == [0.5, 0.25, 1.0]
    assert len(out[HOLDER][1]) == 0
    codes = [item.CodeValue for item in out.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113111"]


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big"])
def test_without_the_option_all_go(planted, encode, key, syntax):
    out = opened(anonymize(encode(planted, syntax), key=key, policy=BASIC))
    assert not [element for element in out.iterall() if element.tag.is_private]


def test_an_items_creators_are_its_own(ct, encode, key):
    item = Dataset()
    item.add_new(0x0019100C, "IS", "4711")
    data = ct()
    data.add_new(0x00190010, "LO", "SIEMENS MR HEADER")
    data.add_new(HOLDER, "SQ", Sequence([plant(Dataset()), item]))
    result = anonymize(encode(data), key=key, policy=SAFE)
    assert b"4711" not in result.content
    assert 0x00190010 not in opened(result), "nothing at the top is kept of its block"


def test_a_name_in_a_safe_element_takes_it_along(ct, encode, key):
    data = ct()
    data.add_new(0x00990010, "LO", "ACME")
    data.add_new(0x00991001, "LO", "for Mustermann")
    data.add_new(0x00991002, "OB", b"\1\2;Erika;\3")
    out = opened(anonymize(encode(data), key=key, policy=SAFE))
    assert not [element for element in out if element.tag.is_private]


@pytest.mark.parametrize("hidden", [(0x0019100C, "IS", b"Erika "), (0x0019100E, "FD", b"Mustermann")])
def test_a_safe_element_that_is_no_number_goes(ct, encode, element, key, hidden):
    creator = element(0x00190010, "LO", b"SIEMENS MR HEADER ")
    source = before(encode(ct()), creator + element(*hidden))
    result = anonymize(source, key=key, policy=SAFE)
    assert not [element for element in opened(result) if element.tag.is_private]
    assert hidden[2].strip() not in result.content


def before(source, what, tag=0x0020000D):
    """Put bytes in front of an element."""
    at = source.index(struct.pack("<HH", tag >> 16, tag & 0xFFFF) + b"UI")
    return source[:at] + what + source[at:]


def test_a_safe_element_hidden_as_unknown_is_what_the_list_says(ct, encode, element, key):
    creator = element(0x00190010, "LO", b"SIEMENS MR HEADER ")
    source = before(encode(ct()), creator + element(0x0019100C, "UN", b"1000"))
    out = opened(anonymize(source, key=key, policy=SAFE))
    assert (out[0x0019100C].VR, out[0x0019100C].value) == ("IS", 1000)


def shutters():
    """A safe private sequence with a safe and an unsafe element, and standard ones inside."""
    inner = Dataset()
    inner.PatientName = "Mustermann^Erika"
    inner.BodyPartExamined = "HEAD"
    inner.add_new(0x20010010, "LO", "Philips Imaging DD 001")
    inner.add_new(0x20011004, "CS", "AP")
    inner.add_new(0x20011099, "LO", "4711")
    return Sequence([inner])


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big"])
def test_a_safe_private_sequence_is_kept_and_cleaned(ct, encode, key, syntax):
    data = ct()
    data.add_new(0x20010010, "LO", "Philips Imaging DD 001")
    data.add_new(0x20011069, "SQ", shutters())
    data.add_new(0x20011098, "SQ", shutters())
    result = anonymize(encode(data, syntax), key=key, policy=SAFE)
    out = opened(result)
    assert {int(element.tag) for element in out if element.tag.is_private} == {0x20010010, 0x20011069}
    (item,) = out[0x20011069].value
    assert {int(element.tag) for element in item} == {0x00100010, 0x00180015, 0x20010010, 0x20011004}
    assert item.PatientName == ""
    assert b"4711" not in result.content
    if syntax == "implicit":
        # nobody but a list could tell it from another value, if it had a length
        assert b"\x01\x20\x69\x10\xff\xff\xff\xff" in result.content
    again = anonymize(result.content, key=key, policy=SAFE)
    assert 0x20011069 in opened(again)


def in_unknown(items):
    """A sequence's items with implicit VR, as they lie in a value of VR UN."""
    content = b""
    for tag, value in items:
        content += struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)) + value
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content


@pytest.mark.parametrize("tag", [0x20011069, 0x20011098])
def test_a_private_sequence_hidden_as_unknown_is_cleaned_or_goes(ct, encode, element, key, tag):
    items = in_unknown([(0x00100010, b"Mustermann^Erika"), (0x00180015, b"HEAD")])
    creator = element(0x20010010, "LO", b"Philips Imaging DD 001")
    at = encode(ct()).index(b"\xe0\x7f\x10\0")
    source = encode(ct())
    source = source[:at] + creator + element(tag, "UN", items) + source[at:]
    result = anonymize(source, key=key, policy=SAFE)
    assert b"Mustermann" not in result.content
    out = opened(result)
    assert (tag in out) is (tag == 0x20011069)
    if tag in out:
        assert out[tag].VR == "SQ"
        assert out[tag][0].BodyPartExamined == "HEAD"


@pytest.mark.parametrize(
    "case",
    [
        (b"\xfe\xff\0\xe0\0\0\0\0" * 1_000_000, "too-many-elements"),
        (b"Mustermann^Erika", "bad-structure"),
        (b"\xfe\xff\0\xe0\xf0\0\0\0", "truncated"),
    ],
)
def test_what_only_the_list_knows_to_be_a_sequence_is_bounded_too(ct, encode, element, key, case):
    items, reason = case
    source, creator = encode(ct()), element(0x20010010, "LO", b"Philips Imaging DD 001")
    at = source.index(b"\xe0\x7f\x10\0")
    source = source[:at] + creator + element(0x20011069, "UN", items) + source[at:]
    result = anonymize(source, key=key, policy=SAFE)
    assert isinstance(result, Quarantine)
    assert result.reason == reason


def test_numbers_of_unknown_byte_order_go(ct, encode, key):
    data = ct()
    data.add_new(0x00190010, "LO", "SIEMENS MR HEADER")
    data.add_new(0x0019100C, "UN", b"1000")
    data.add_new(0x0019100E, "UN", struct.pack("<d", 1.5))
    out = opened(anonymize(encode(data, "big"), key=key, policy=SAFE))
    assert 0x0019100C in out
    assert 0x0019100E not in out
