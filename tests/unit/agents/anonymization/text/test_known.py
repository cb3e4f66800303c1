from __future__ import annotations

import time

import pydicom
import pytest
from pydicom.datadict import DicomDictionary

from agents.anonymization.outcome import Refusal
from agents.anonymization.text.known import KnownValues
from agents.anonymization.text.naming import KIND_OF, Kind, Naming, naming_in
from gateway.part10 import Bounds, encoding_of, read_meta
from tests.unit.agents.anonymization.text.known_values import (
    BIRTH,
    CHARSET,
    ID,
    INSTITUTION,
    NAME,
    NAME_TO_USE,
    UTF8,
    known,
)


def test_attributes_of_every_person_are_looked_at():
    people = {tag for tag, entry in DicomDictionary.items() if entry[0] == "PN"}
    assert {tag for tag, kind in KIND_OF.items() if kind is Kind.PERSON} == people | {NAME_TO_USE}


def test_dates_of_any_kind_are_days():
    for tag, kind in KIND_OF.items():
        if kind in (Kind.DAY, Kind.BIRTH):
            assert DicomDictionary[tag][0] in ("DA", "DT")


def test_people_and_ids_in_sequences_are_found(ct, encode):
    data = ct()
    other, request, physician, code, plain_code = (pydicom.Dataset() for _ in range(5))
    other.PatientID = "OTHER-998877"
    data.OtherPatientIDsSequence = [other]
    request.AccessionNumber = "887766"
    data.RequestAttributesSequence = [request]
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "K4444", "99HIS", "Doktor Seltsam"
    physician.PersonIdentificationCodeSequence = [code]
    physician.InstitutionName = "Klinik Entenhausen"
    data.ReferringPhysicianIdentificationSequence = [physician]
    plain_code.CodeValue, plain_code.CodingSchemeDesignator, plain_code.CodeMeaning = (
        "T-A0100",
        "SRT",
        "Gehirn",
    )
    data.AnatomicRegionSequence = [plain_code]
    place_code = pydicom.Dataset()
    place_code.CodeValue, place_code.CodingSchemeDesignator = "H1", "99HIS"
    place_code.CodeMeaning = "Spital Gansdorf"
    data.InstitutionCodeSequence = [place_code]
    for syntax in ("explicit", "implicit", "big"):
        source = encode(data, syntax)
        meta = read_meta(source)
        elements = naming_in(source, meta.dataset, encoding_of(meta.text(0x00020010)), Bounds())
        values = KnownValues.of_elements(elements)
        for text in (
            b"998877",
            b"other998877",
            b"887766",
            b"K4444",
            b"Seltsam",
            b"Entenhausen",
            b"Gansdorf",
            b"erika",
        ):
            assert values.occur_in(text), text
        for text in (b"T-A0100", b"Gehirn", b"99HIS", b"Spital"):
            assert not values.occur_in(text), text


def test_what_the_policy_keeps_is_not_looked_for():
    top = {NAME: b"Mustermann^Erika", INSTITUTION: b"Springfield"}
    assert KnownValues.of_dataset(top).occur_in(b"Springfield")
    assert not KnownValues.of_dataset(top, kept=[INSTITUTION]).occur_in(b"Springfield")
    assert KnownValues.of_dataset(top, kept=[INSTITUTION]).occur_in(b"Erika")


def test_a_union_knows_both_and_is_remembered():
    own = KnownValues.of_dataset({NAME: b"M\xfcller", CHARSET: b"ISO_IR 100"})
    study = KnownValues.of_dataset({ID: b"4711-4711", BIRTH: b"19700131", CHARSET: UTF8})
    both = own.union(study)
    assert both is own.union(study)
    assert own.union(None) is own
    for text in ("Müller", "47114711", "1970-01-31"):
        assert both.occur_in(text.encode("latin-1"))
    assert both.words == own.words | study.words
    assert both.births == study.births


def test_objects_of_a_series_share_what_is_compiled():
    top = {NAME: b"Mustermann^Erika", ID: b"4711 "}
    assert KnownValues.of_dataset(top) is KnownValues.of_dataset({**top, ID: b"4711"})
    first, second = ({**top, 0x0008002A: b"20240229" + time} for time in (b"101112.5", b"235959"))
    assert KnownValues.of_dataset(first) is KnownValues.of_dataset(second)
    assert KnownValues.of_dataset(first).occur_in(b"29.02.2024")


@pytest.mark.parametrize(
    ("charset", "value"),
    [
        (b"ISO_IR 100", "Müller".encode("latin-1")),
        (UTF8, "Müller".encode()),
        (b"", "Müller".encode()),
        (b"", "Müller".encode("latin-1")),
        (UTF8, "Müller".encode("latin-1")),
    ],
)
def test_bytes_that_are_no_text_of_the_set_are_found_all_the_same(charset, value):
    values = KnownValues.of_dataset({NAME: value, CHARSET: charset})
    assert values.occur_in(value)
    assert values.occur_in(b"Mustermann, " + value)
    assert not values.occur_in(b"Meier")


def test_more_names_than_can_be_looked_for_are_refused():
    names = (Naming(0x0040A730, 0x0040A123, b"Name%d" % number) for number in range(40_000))
    with pytest.raises(Refusal) as refused:
        KnownValues.of_elements(names)
    assert refused.value.reason == "too-many-elements"


@pytest.mark.parametrize(
    "value",
    [
        *(bytes(range(256)) * 250, b"mus " * 16_000, b"M u s t e r " * 5000, b"0-0 " * 16_000),
        *(b"70 " * 20_000, b"1970 " * 12_000, b"30.01.1970 " * 6000, "ü ".encode() * 20_000, b"e" * 65_000),
    ],
)
def test_hostile_values_take_little_time(value):
    values = known(name="Mustermann^Erika", id="PID-0012345", birth="19700131")
    began = time.process_time()
    assert not values.occur_in(value)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("tag", [0x00101001, ID, 0x00080090])
def test_an_object_that_names_more_than_an_object_needs_is_refused_at_once(tag):
    many = b"\\".join(b"N%d^B%d" % (number, number) for number in range(100_000))
    began = time.process_time()
    with pytest.raises(Refusal) as refused:
        KnownValues.of_dataset({tag: many})
    assert refused.value.reason == "too-many-elements"
    assert time.process_time() - began < 1
    KnownValues.of_dataset({tag: b"\\".join(many.split(b"\\")[:100])})
