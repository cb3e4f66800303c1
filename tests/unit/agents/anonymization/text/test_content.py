from __future__ import annotations

import struct
import time
from io import BytesIO

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.sequence import Sequence

from agents.anonymization.anonymize import anonymize
from agents.anonymization.outcome import Anonymized, Refusal
from agents.anonymization.policy.document import Policy
from agents.anonymization.text.content import check_references

REFERENCE = 0x0040DB73


def coded(value, scheme, meaning):
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return Sequence([code])


def item(kind, concept, *children, **values):
    one = Dataset()
    one.RelationshipType, one.ValueType = "CONTAINS", kind
    one.ConceptNameCodeSequence = coded(*concept)
    for name, value in values.items():
        setattr(one, name, value)
    if children:
        one.ContentSequence = Sequence(children)
    return one


def reference(*position):
    one = Dataset()
    one.RelationshipType = "INFERRED FROM"
    one.add_new(REFERENCE, "UL", list(position))
    return one


def opened(result):
    assert isinstance(result, Anonymized), result
    return pydicom.dcmread(BytesIO(result.content))


def policy(*options):
    return Policy(name="tried", version=1, options=frozenset(("clean_structured_content", *options)))


def as_read(dataset):
    """The data set as a reader gives it: with values that nobody converted."""
    stream = BytesIO()
    pydicom.dcmwrite(stream, dataset, implicit_vr=False, little_endian=True)
    return read_dataset(BytesIO(stream.getvalue()), is_implicit_VR=False, is_little_endian=True)


HISTORY = "121060", "DCM", "History"
ABOUT_PEOPLE = [
    *(("17", "99LOCAL", name) for name in ("Name", "Last name", "Surgeon", "Anesthetist", "Sonographer")),
    *(("17", "99LOCAL", name) for name in ("Reported by", "Befunder", "Zuweiser", "Contact person")),
    *(("17", "99LOCAL", name) for name in ("Date of birth", "Prénom", "Employer")),
    *(("54125-0", "LN", "Patient name"), ("46106-1", "LN", "Medical record number")),
    ("999999", "DCM", "Patient's name"),
]


@pytest.mark.parametrize("concept", ABOUT_PEOPLE, ids=lambda concept: concept[2])
def test_concepts_that_are_not_listed_are_told_by_what_they_say(ct, encode, key, concept):
    after = item("TEXT", HISTORY, TextValue="Xaver of Yonder")
    after.ConceptNameCodeSequence = Sequence([*after.ConceptNameCodeSequence, *coded(*concept)])
    tree = [item("TEXT", concept, TextValue="Quirin Quast"), after]
    data = ct(ContentSequence=Sequence(tree), SpecificCharacterSet="ISO_IR 192")
    out = opened(anonymize(encode(data), key=key, policy=policy()))
    assert [one.TextValue for one in out.ContentSequence] == ["ANONYMIZED", "ANONYMIZED"]


@pytest.mark.parametrize(
    "meaning", ["Relative blood volume", "Contact", "Nombre de lésions", "Clinical finding"]
)
def test_concepts_about_findings_stay(ct, encode, key, meaning):
    data = ct(SpecificCharacterSet="ISO_IR 192")
    data.ContentSequence = Sequence([item("TEXT", ("17", "99LOCAL", meaning), TextValue="small")])
    out = opened(anonymize(encode(data), key=key, policy=policy()))
    assert out.ContentSequence[0].TextValue == "small"


def measured(value):
    one = Dataset()
    one.NumericValue = value
    one.MeasurementUnitsCodeSequence = coded("a", "UCUM", "year")
    return Sequence([one])


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big"])
def test_values_go_where_the_concept_is_about_people_orders_and_places(ct, encode, key, syntax):
    kept = item("TEXT", HISTORY, TextValue="Xaver of Yonder: 4711x9 chest")
    tree = [
        item("TEXT", ("121030", "DCM", "Subject ID"), TextValue="Xq7"),
        item("PNAME", ("121008", "DCM", "Person Observer Name"), PersonName="Xaver^Yul"),
        item("TEXT", ("121009", "DCM", "Organization"), TextValue="Xanadu"),
        item("DATE", ("121031", "DCM", "Subject Birth Date"), Date="19640812"),
        item("CODE", ("121081", "DCM", "Physician"), ConceptCodeSequence=coded("X1", "99X", "Xaver Yul")),
        item("NUM", ("121033", "DCM", "Subject Age"), MeasuredValueSequence=measured("93")),
        item("TEXT", ("17", "99LOCAL", "Referring Physician"), TextValue="Quirin Quast"),
        item("UIDREF", ("121012", "DCM", "Device Observer UID"), UID="1.2.3.4.9"),
        item("CONTAINER", HISTORY, item("TEXT", ("121022", "DCM", "Accession"), TextValue="X4"), kept),
    ]
    out = opened(anonymize(encode(ct(ContentSequence=Sequence(tree)), syntax), key=key, policy=policy()))
    subject, person, place, birth, doctor, age, local, device, container = out.ContentSequence
    assert subject.TextValue == place.TextValue == local.TextValue == "ANONYMIZED"
    assert person.PersonName == "ANONYMIZED"
    assert birth.Date == "19000101"
    assert doctor.ConceptCodeSequence[0].CodeMeaning == "ANONYMIZED"
    assert len(age.MeasuredValueSequence) == 0
    assert device.UID.startswith("2.25.")
    assert container.ContentSequence[0].TextValue == "ANONYMIZED"
    # Yonder is neither known nor of a form: that is what cleaning can't do
    assert container.ContentSequence[1].TextValue == "[removed] of Yonder: 4711x9 chest"
    for one in (subject, person, container):
        assert one.ConceptNameCodeSequence[0].CodeMeaning != "ANONYMIZED"


def test_characteristics_and_devices_stay_when_the_policy_says_so(ct, encode, key):
    tree = [
        item("NUM", ("121033", "DCM", "Subject Age"), MeasuredValueSequence=measured("57")),
        item("TEXT", ("121016", "DCM", "Device Observer Serial Number"), TextValue="SN 17"),
    ]
    source = encode(ct(ContentSequence=Sequence(tree)))
    age, serial = opened(anonymize(source, key=key, policy=policy())).ContentSequence
    assert len(age.MeasuredValueSequence) == 0
    assert serial.TextValue == "ANONYMIZED"
    chosen = policy("retain_patient_characteristics", "retain_device_identity")
    age, serial = opened(anonymize(source, key=key, policy=chosen)).ContentSequence
    assert age.MeasuredValueSequence[0].NumericValue == 57
    assert serial.TextValue == "SN 17"


def test_references_by_position_stay(ct, encode, key):
    tree = [item("TEXT", HISTORY, TextValue="chest"), item("CONTAINER", HISTORY, reference(1, 1))]
    out = opened(anonymize(encode(ct(ContentSequence=Sequence(tree))), key=key, policy=policy()))
    assert out.ContentSequence[1].ContentSequence[0][REFERENCE].value == [1, 1]


CIRCLES = {
    "to the root": [item("CONTAINER", HISTORY, reference(1))],
    "to its parent": [item("CONTAINER", HISTORY, reference(1, 1))],
    "of two": [
        item("CONTAINER", HISTORY, reference(1, 2)),
        item("CONTAINER", HISTORY, reference(1, 1)),
    ],
    "of three": [
        item("CONTAINER", HISTORY, item("CONTAINER", HISTORY, reference(1, 2))),
        item("CONTAINER", HISTORY, reference(1, 3)),
        item("CONTAINER", HISTORY, reference(1, 1, 1)),
    ],
}


@pytest.mark.parametrize("name", sorted(CIRCLES))
@pytest.mark.parametrize("syntax", ["explicit", "big"])
def test_circles_stay_in(ct, encode, key, name, syntax):
    result = anonymize(encode(ct(ContentSequence=Sequence(CIRCLES[name])), syntax), key=key, policy=policy())
    assert result.reason == "bad-structure"


def test_what_is_met_twice_on_different_ways_is_no_circle():
    root = Dataset()
    shared = item("CONTAINER", HISTORY, item("TEXT", HISTORY, TextValue="x"))
    root.ContentSequence = Sequence(
        [shared, *(item("CONTAINER", HISTORY, reference(1, 1)) for _ in range(3)), reference(1, 9, 9)]
    )
    check_references(as_read(root), little=True)


def test_many_references_take_little_time():
    root = Dataset()
    items = [item("CONTAINER", HISTORY, reference(1, at + 2)) for at in range(1500)]
    root.ContentSequence = Sequence(items)
    straight = as_read(root)
    items[-1].ContentSequence[0][REFERENCE].value = [1, 1]
    circle = as_read(root)
    began = time.process_time()
    check_references(straight, little=True)
    with pytest.raises(Refusal):
        check_references(circle, little=True)
    assert time.process_time() - began < 2


def test_a_reference_of_odd_length_is_read_as_far_as_it_goes(ct, encode, key, element):
    broken = item("CONTAINER", HISTORY, reference(1, 1))
    source = encode(ct(ContentSequence=Sequence([broken])))
    whole = element(REFERENCE, "UL", struct.pack("<II", 1, 1))
    assert whole in source
    odd = source.replace(whole, element(REFERENCE, "UL", struct.pack("<II", 1, 1)[:6] + b"\0\0"))
    result = anonymize(odd, key=key, policy=policy())
    assert isinstance(result, Anonymized) or result.reason in ("bad-structure", "unparsable", "bad-value")
