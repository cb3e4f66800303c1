"""Each option on whole objects: what it changes, and that nothing else changes with it."""

from __future__ import annotations

import datetime as dt
from io import BytesIO

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import EnhancedCTImageStorage

from agents.anonymization.anonymize import anonymize
from agents.anonymization.outcome import Anonymized, Quarantine
from agents.anonymization.policy.document import Dates, Override, Policy, Pseudonyms, QuarantineRules
from agents.anonymization.text.known import KnownValues
from agents.anonymization.tools import Tools
from gateway.identity import date_shift_days

SAID = {0x00120062, 0x00120063, 0x00120064, 0x00280303}


def opened(result):
    assert isinstance(result, Anonymized), result
    return pydicom.dcmread(BytesIO(result.content))


def policy(*options, **more):
    return Policy(name="tried", version=1, options=frozenset(options), **more)


@pytest.fixture
def rich(ct):
    """An object with something for every option."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "1", "99X", "Radiologie West"
    data = ct(
        InstitutionName="Klinik am See",
        InstitutionCodeSequence=Sequence([item]),
        StationName="CT-West",
        DeviceSerialNumber="SN-77",
        DeviceUID="1.2.3.4.6",
        ScheduledStationAETitle="CT99",
        RetrieveAETitle="WEISS",
        PatientSize="1.7",
        EthnicGroup="none",
        SeriesDate="20240301",
        AcquisitionDateTime="20240301101112.5+0100",
        ContentDate="20240229",
        TimezoneOffsetFromUTC="+0100",
        DateOfLastCalibration="20240101",
    )
    measured = Dataset()
    measured.ValueType, measured.TextValue = "TEXT", "seen"
    measured.ConceptNameCodeSequence = Sequence([item])
    data.AcquisitionContextSequence = Sequence([measured])
    return data


@pytest.mark.parametrize(
    ("option", "own"),
    [
        ("retain_institution_identity", {"InstitutionName", "InstitutionCodeSequence"}),
        (
            "retain_device_identity",
            {
                *("StationName", "DeviceSerialNumber", "DeviceUID", "ScheduledStationAETitle"),
                "DateOfLastCalibration",
            },
        ),
        ("retain_patient_characteristics", {"PatientSex", "PatientAge", "PatientSize", "EthnicGroup"}),
        (
            "retain_uids",
            {
                *("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"),
                "DeviceUID",
            },
        ),
        (
            "retain_longitudinal_full_dates",
            {
                *("StudyDate", "StudyTime", "SeriesDate", "AcquisitionDateTime", "ContentDate"),
                *("TimezoneOffsetFromUTC", "DateOfLastCalibration"),
            },
        ),
        (
            "retain_longitudinal_modified_dates",
            {
                *("StudyDate", "StudyTime", "SeriesDate", "AcquisitionDateTime", "ContentDate"),
                *("TimezoneOffsetFromUTC", "DateOfLastCalibration"),
            },
        ),
        ("clean_structured_content", {"AcquisitionContextSequence"}),
        ("retain_safe_private", set()),
    ],
)
def test_an_option_changes_exactly_its_own_attributes(rich, encode, key, option, own):
    source = encode(rich)
    plain = opened(anonymize(source, key=key, policy=policy()))
    chosen = opened(anonymize(source, key=key, policy=policy(option)))
    tags = {tag for tag in {*plain.keys(), *chosen.keys()} if plain.get(tag) != chosen.get(tag)} - SAID
    assert {pydicom.datadict.keyword_for_tag(tag) for tag in tags} == own
    if "retain" in option and "modified" not in option:
        assert all(chosen[keyword] == rich[keyword] for keyword in own)


def test_titles_of_applications_that_name_somebody_go(rich, encode, key):
    out = opened(anonymize(encode(rich), key=key, policy=policy("retain_device_identity")))
    assert out.ScheduledStationAETitle == "CT99"
    assert "RetrieveAETitle" not in out, "it is the referring physician's name"


def test_what_is_kept_where_it_stands_is_no_name_to_be_found(rich, encode, key):
    out = opened(anonymize(encode(rich), key=key, policy=policy("retain_institution_identity")))
    assert out.InstitutionName == "Klinik am See"


def test_dates_move_by_the_patients_days_and_keep_their_distance(rich, encode, key):
    chosen = policy("retain_longitudinal_modified_dates", dates=Dates(at_most_days=100))
    out = opened(anonymize(encode(rich), key=key, policy=chosen))
    days = date_shift_days(key, "HOSPITAL", "PID-12345", "1.2.3.4.2", 100)
    assert 1 <= days <= 100
    moved = dt.date(2024, 2, 29) - dt.timedelta(days=days)
    assert out.StudyDate == f"{moved:%Y%m%d}"
    assert out.StudyTime == "101112"
    later = moved + dt.timedelta(days=1)
    assert out.AcquisitionDateTime == f"{later:%Y%m%d}101112.5+0100"
    assert out.LongitudinalTemporalInformationModified == "MODIFIED"
    other = opened(anonymize(encode(rich), key=key, policy=policy("retain_longitudinal_modified_dates")))
    assert other.StudyDate != out.StudyDate, "another policy, another number of days"


@pytest.mark.parametrize("option", ["retain_longitudinal_full_dates", "retain_longitudinal_modified_dates"])
def test_a_date_that_is_none_goes_as_the_profile_says(ct, encode, element, key, option):
    source = encode(ct(SeriesDate="20240301"))
    for tag, value in ((0x00080020, b"20240229"), (0x00080021, b"20240301")):
        old = element(tag, "DA", value)
        assert old in source
        source = source.replace(old, element(tag, "DA", b"Erika1  "))
    out = opened(anonymize(source, key=key, policy=policy(option)))
    assert out.StudyDate == "", "type 2"
    assert "SeriesDate" not in out, "type 3"


def test_retained_uids_are_those_of_the_file_too(ct, encode, key):
    result = anonymize(encode(ct()), key=key, policy=policy("retain_uids"))
    out = opened(result)
    assert out.SOPInstanceUID == out.file_meta.MediaStorageSOPInstanceUID == "1.2.3.4.1"
    assert result.instance == anonymize(encode(ct()), key=key, policy=policy()).instance


def test_pseudonyms_have_the_policys_prefix(ct, encode, key):
    result = anonymize(encode(ct()), key=key, policy=policy(pseudonyms=Pseudonyms(prefix="P7-")))
    out = opened(result)
    assert out.PatientID == out.PatientName == f"P7-{result.patient}"


def test_exceptions_hold_on_objects(ct, encode, key):
    chosen = policy(
        attributes={
            "StudyDescription": Override(action="replace", value="Project 7"),
            "Manufacturer": Override(action="remove"),
            "KVP": Override(action="dummy"),
            "StudyDate": Override(action="shift"),
            "(0008,0050)": Override(action="keep"),
            "AnatomicRegionSequence": Override(action="shift"),
        }
    )
    data = ct(AnatomicRegionSequence=Sequence([Dataset()]))
    out = opened(anonymize(encode(data), key=key, policy=chosen))
    assert out.StudyDescription == "Project 7"
    assert "Manufacturer" not in out
    assert out.KVP == 0
    assert out.StudyDate not in ("", "20240229")
    assert out.AccessionNumber == "ACC-4711"
    assert "AnatomicRegionSequence" not in out, "no sequence is a date"


@pytest.mark.parametrize(
    "rules", [QuarantineRules(modalities=["CT"]), QuarantineRules(sop_classes=["1.2.840.10008.5.1.4.1.1.2"])]
)
def test_a_policy_keeps_kinds_of_objects_in(ct, encode, key, rules):
    result = anonymize(encode(ct()), key=key, policy=policy(quarantine=rules))
    assert isinstance(result, Quarantine)
    assert result.reason == "policy"
    assert isinstance(
        anonymize(encode(ct(SOPClassUID=EnhancedCTImageStorage, Modality="MR")), key=key, policy=policy()),
        Anonymized,
    )


def test_what_its_study_knows_is_found_in_an_object(ct, encode, key):
    study = KnownValues([b"Schmidt^Rosa"])
    source = encode(ct(Manufacturer="for SCHMIDT", ManufacturerModelName="for Erika"))
    out = opened(anonymize(source, key=key, policy=policy(), study=study))
    assert (out.Manufacturer, out.ManufacturerModelName) == ("ANONYMIZED", "ANONYMIZED")
    assert opened(anonymize(source, key=key, policy=policy())).Manufacturer == "for SCHMIDT"


@pytest.mark.parametrize(
    ("part", "face"),
    [("HEAD", True), ("", True), ("CHEST", False), ("L-SPINE", False), ("C-SPINE", True), ("BRAIN", True)],
)
def test_an_object_that_can_show_a_face_says_so(ct, encode, key, part, face):
    chosen = policy("clean_recognizable_visual_features")
    source = encode(ct(BodyPartExamined=part))
    assert anonymize(source, key=key, policy=chosen).face is face
    assert anonymize(source, key=key, policy=policy()).face is False


def content_tree():
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "121060", "DCM", "History"
    named = Dataset()
    named.CodeValue, named.CodingSchemeDesignator, named.CodeMeaning = "1", "99X", "as Erika said"

    def item(kind, **values):
        one = Dataset()
        one.RelationshipType, one.ValueType = "CONTAINS", kind
        one.ConceptNameCodeSequence = Sequence([code])
        for name, value in values.items():
            setattr(one, name, value)
        return one

    inner = item("TEXT", TextValue="Mustermann was here")
    return Sequence(
        [
            item("TEXT", TextValue="no name at all"),
            item("PNAME", PersonName="Weiss^Dora"),
            item("UIDREF", UID="1.2.3.4.9"),
            item("DATE", Date="20240229"),
            item("TIME", Time="101112"),
            item("DATETIME", DateTime="20240229101112"),
            item("CODE", ConceptCodeSequence=Sequence([named])),
            item("NUM", MeasuredValueSequence=Sequence([Dataset()])),
            item("CONTAINER", ContentSequence=Sequence([inner])),
        ]
    )


def test_a_content_tree_is_kept_item_by_item(ct, encode, key):
    chosen = policy("clean_structured_content", "retain_longitudinal_modified_dates")
    result = anonymize(encode(ct(ContentSequence=content_tree())), key=key, policy=chosen)
    for planted in (b"Mustermann", b"Weiss", b"Erika", b"1.2.3.4.9", b"20240229"):
        assert planted not in result.content
    out = opened(result)
    items = {item.ValueType: item for item in out.ContentSequence}
    assert list(items) == [
        *("TEXT", "PNAME", "UIDREF", "DATE", "TIME", "DATETIME", "CODE", "NUM", "CONTAINER"),
    ]
    assert items["PNAME"].PersonName == "ANONYMIZED"
    assert items["UIDREF"].UID.startswith("2.25.")
    assert items["DATE"].Date == out.StudyDate
    assert items["TIME"].Time == "101112"
    assert items["DATETIME"].DateTime == f"{out.StudyDate}101112"
    assert items["CODE"].ConceptCodeSequence[0].CodeMeaning == "ANONYMIZED"
    assert items["CODE"].ConceptNameCodeSequence[0].CodeMeaning == "History"
    assert items["CONTAINER"].ContentSequence[0].ValueType == "TEXT"


def test_without_the_option_a_content_tree_says_nothing(ct, encode, key):
    out = opened(anonymize(encode(ct(ContentSequence=content_tree())), key=key, policy=policy()))
    assert len(out.ContentSequence) == 1
    assert out.ContentSequence[0].ValueType == "ANONYMIZED"


def documented(ct, **changes):
    data = ct(MIMETypeOfEncapsulatedDocument="text/plain", **changes)
    data.EncapsulatedDocument = b"Mustermann is well."
    data.add_new(0x00420015, "UL", 19)
    return data


def test_a_document_is_cleaned_by_the_tool_and_measured_again(ct, encode, key):
    def clean(content, media_type, known):
        assert media_type == "text/plain"
        assert content == b"Mustermann is well.", "without the padding"
        assert known.occur_in(content)
        return content.replace(b"Mustermann ", b"")

    chosen = policy("clean_structured_content")
    source = encode(documented(ct))
    out = opened(anonymize(source, key=key, policy=chosen, tools=Tools(clean_document=clean)))
    assert out.EncapsulatedDocument == b"is well."
    assert out[0x00420015].value == len(b"is well.")
    kept_in = anonymize(source, key=key, policy=chosen)
    assert kept_in.reason == "encapsulated-document"
    plain = opened(anonymize(source, key=key, policy=policy()))
    assert plain.EncapsulatedDocument == b"\0\0"
    assert plain[0x00420015].value == 2
