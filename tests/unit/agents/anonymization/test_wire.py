"""What lies around and between the elements of a file, and elements not written as they should be."""

from __future__ import annotations

import struct
from io import BytesIO

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from agents.anonymization.anonymize import anonymize
from agents.anonymization.encode import IMPLEMENTATION_CLASS_UID
from agents.anonymization.outcome import Anonymized, Quarantine
from agents.anonymization.policy.document import Policy
from agents.anonymization.policy.ready import BASIC

DATES = Policy(name="tried", version=1, options=frozenset(["retain_longitudinal_full_dates"]))
EVERY = ["explicit", "implicit", "big", "deflated"]


def opened(result):
    assert isinstance(result, Anonymized), result
    return pydicom.dcmread(BytesIO(result.content))


@pytest.mark.parametrize("syntax", EVERY)
def test_preamble_and_file_meta_are_made_anew(ct, encode, key, syntax):
    source = encode(
        ct(),
        syntax,
        SourceApplicationEntityTitle="WEISS",
        SendingApplicationEntityTitle="MUSTERMANN",
        ImplementationClassUID="1.2.3.4.88",
        ImplementationVersionName="ERIKA",
        PrivateInformationCreatorUID="1.2.3.4.99",
        PrivateInformation=b"Mustermann",
    )
    result = anonymize(source, key=key, policy=BASIC)
    out = opened(result)
    assert result.content[:132] == bytes(128) + b"DICM"
    assert set(out.file_meta.keys()) == {
        *(0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012, 0x00020013),
    }
    assert out.file_meta.ImplementationClassUID == IMPLEMENTATION_CLASS_UID
    length = out.file_meta.FileMetaInformationGroupLength
    assert result.content[144 + length : 148 + length] == struct.pack(
        ">HH" if syntax == "big" else "<HH", 8, 5
    )
    for planted in (b"WEISS", b"MUSTERMANN", b"ERIKA", b"Mustermann", b"1.2.3.4."):
        assert planted not in result.content


def test_file_meta_that_lies_does_not_decide(ct, encode, key):
    """The data set says what it is; what its envelope says of it is not repeated."""
    source = encode(ct(), MediaStorageSOPClassUID="1.2.3.4.5.6", MediaStorageSOPInstanceUID="1.2.3.4.5.7")
    out = opened(anonymize(source, key=key, policy=BASIC))
    assert out.file_meta.MediaStorageSOPClassUID == out.SOPClassUID
    assert out.file_meta.MediaStorageSOPInstanceUID == out.SOPInstanceUID


@pytest.fixture
def tampered(ct, encode, element, put):
    """A file with an element put into it."""

    def make(tag, vr, value, **changes):
        return put(encode(ct(**changes)), tag, element(tag, vr, value))

    return make


@pytest.mark.parametrize("group", [0x0008, 0x0010, 0x0020, 0x0028])
def test_group_lengths_go_at_every_depth(tampered, element, put, key, group):
    inner = element(group << 16, "UL", b"\4\3\2\1") + element(group << 16 | 0x0EE0, "LO", b"Erika ")
    item = b"\xfe\xff\0\xe0" + len(inner).to_bytes(4, "little") + inner
    source = put(tampered(group << 16, "UL", b"\1\2\3\4"), 0x52009229, element(0x52009229, "SQ", item))
    result = anonymize(source, key=key, policy=BASIC)
    assert not [one for one in opened(result).iterall() if one.tag.elem == 0]
    assert b"Erika" not in result.content


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big"])
def test_what_stands_behind_the_pixels_goes(ct, encode, key, syntax):
    data = ct()
    data.add_new(0x7FE10010, "LO", "ACME")
    data.add_new(0x7FE11010, "OB", b"Mustermann")
    data.add_new(0xFFFCFFFC, "OB", b"Erika Mustermann")
    result = anonymize(encode(data, syntax), key=key, policy=BASIC)
    assert max(opened(result).keys()) == 0x7FE00010
    assert b"Mustermann" not in result.content


@pytest.mark.parametrize(("trailing", "comes_out"), [(bytes(500), True), (b"\0" * 99 + b"Erika", False)])
def test_trailing_bytes_are_nothing_or_keep_it_in(ct, encode, key, trailing, comes_out):
    plain = anonymize(encode(ct()), key=key, policy=BASIC)
    result = anonymize(encode(ct()) + trailing, key=key, policy=BASIC)
    assert isinstance(result, Anonymized) is comes_out
    if comes_out:
        assert result == plain


def icon():
    item = Dataset()
    item.Rows = item.Columns = 2
    item.add_new(0x7FE00010, "OW", b"a face\0\0")
    return Sequence([item])


@pytest.mark.parametrize("syntax", EVERY)
def test_icons_go_at_every_depth(ct, encode, key, syntax):
    inner = Dataset()
    inner.IconImageSequence = icon()
    data = ct(IconImageSequence=icon())
    data.add_new(0x52009229, "SQ", Sequence([inner]))
    result = anonymize(encode(data, syntax), key=key, policy=BASIC)
    assert b"a face" not in result.content
    assert not [one for one in opened(result).iterall() if one.tag == 0x00880200]


@pytest.mark.parametrize("syntax", EVERY)
def test_names_and_dates_go_from_every_kind_of_nesting(ct, encode, key, syntax):
    def item(depth):
        one = Dataset()
        one.PatientName, one.StudyDate, one.PatientID = "Mustermann", "20240229", "PID-12345"
        if depth:
            for tag in (0x00082218, 0x52009229, 0x00189346):
                one.add_new(tag, "SQ", Sequence([item(depth - 1), item(0)]))
        return one

    data = ct()
    data.add_new(0x52009229, "SQ", Sequence([item(3)]))
    result = anonymize(encode(data, syntax), key=key, policy=BASIC)
    assert isinstance(result, Anonymized)
    for planted in (b"Mustermann", b"20240229", b"PID-12345"):
        assert planted not in result.content


def test_a_deflated_object_comes_out_inflated(ct, encode, key):
    result = anonymize(encode(ct(), "deflated"), key=key, policy=BASIC)
    assert result.transfer_syntax_uid == opened(result).file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert result == anonymize(encode(ct()), key=key, policy=BASIC)
    assert encode(ct(), "deflated").count(str(DeflatedExplicitVRLittleEndian).encode()) == 1


@pytest.mark.parametrize(
    "case",
    [
        (0x00180060, b"120 ", 120),
        (0x00080070, b"Maker ", "Maker"),
        (0x00280010, b"\4\0", 4),
        (0x00080080, b"Klinik", None),
        (0x00100010, b"Mustermann", "pseudonym"),
    ],
)
def test_a_known_attribute_of_unknown_representation_is_what_the_standard_says(tampered, key, case):
    tag, value, kept = case
    result = anonymize(tampered(tag, "UN", value), key=key, policy=BASIC)
    out = opened(result)
    if kept is None:
        assert tag not in out
    else:
        assert pydicom.datadict.dictionary_VR(tag) == out[tag].VR
        assert out[tag].value == (result.patient if kept == "pseudonym" else kept)


@pytest.mark.parametrize(
    "case",
    [
        (0x00180060, "LO", b"120 ", None),  # a text, as the standard's
        (0x00180060, "LO", b"Erika ", "bad-value"),
        (0x00180060, "FD", bytes(8), "bad-vr"),
        (0x00280010, "SS", b"\4\0", None),
        (0x00280010, "LO", b"4 ", "bad-vr"),
        (0x00280010, "US", b"Mustermann", "bad-value"),
        (0x00200052, "LO", b"1.2.3.4.5 ", None),  # a UID is replaced, however it is written
        (0x00080020, "LO", b"Erika ", None),  # goes in any case
    ],
)
def test_a_wrong_representation_keeps_in_what_it_could_hide(tampered, key, case):
    tag, vr, value, reason = case
    result = anonymize(tampered(tag, vr, value), key=key, policy=BASIC)
    if reason:
        assert isinstance(result, Quarantine)
        assert result.reason == reason
    else:
        assert b"Erika" not in result.content
        assert b"1.2.3.4" not in result.content
        assert opened(result)[tag].VR in (pydicom.datadict.dictionary_VR(tag), vr)


def test_a_representation_that_does_not_exist_keeps_it_in(ct, encode, key):
    source = encode(ct()).replace(b"\x18\0\x60\0DS", b"\x18\0\x60\0ZZ")
    assert anonymize(source, key=key, policy=BASIC).reason == "bad-vr"


def test_a_date_written_as_text_is_a_date_or_goes(tampered, key):
    for value, kept in ((b"20240229", "20240229"), (b"Erika1", "")):
        source = tampered(0x00080020, "LO", value)
        assert opened(anonymize(source, key=key, policy=DATES)).StudyDate == kept


@pytest.fixture
def unknown(element, put):
    """A big endian file with an element of VR UN put into it."""
    return lambda source, tag, value: put(source, tag, element(tag, "UN", value, big=True), big=True)


@pytest.mark.parametrize("case", [(0x00280106, b"\1\0"), (0x00082218, b"\xfe\xff\0\xe0\0\0\0\0")])
def test_what_is_hidden_in_another_byte_order_keeps_it_in(ct, encode, unknown, key, case):
    source = unknown(encode(ct(), "big"), *case)
    assert anonymize(source, key=key, policy=BASIC).reason == "bad-vr"


@pytest.mark.parametrize("kind", ["defined", "undefined"])
def test_sequences_and_items_of_any_length_are_read(tampered, element, put, key, kind):
    inner = element(0x00100010, "PN", b"Mustermann") + element(0x00180015, "CS", b"HEAD")
    end = {"defined": b"", "undefined": b"\xfe\xff\x0d\xe0\0\0\0\0"}[kind]
    length = {"defined": len(inner).to_bytes(4, "little"), "undefined": b"\xff" * 4}[kind]
    item = b"\xfe\xff\0\xe0" + length + inner + end
    sequence = b"\x08\0\x18\x22SQ\0\0" + b"\xff" * 4 + item + b"\xfe\xff\xdd\xe0\0\0\0\0"
    result = anonymize(put(tampered(0x00180060, "DS", b"120 "), 0x00082218, sequence), key=key, policy=BASIC)
    assert b"Mustermann" not in result.content
    assert opened(result)[0x00082218][0].BodyPartExamined == "HEAD"
