"""The ready policies: pinned, explained, and each what its comments promise."""

from __future__ import annotations

import hashlib
import pickle
import re
from pathlib import Path

import msgspec
import pytest
from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import tag_for_keyword
from pydicom.uid import CTImageStorage, EnhancedMRImageStorage, UltrasoundImageStorage

from agents.anonymization.policy.cautions import cautions
from agents.anonymization.policy.choosing import chosen, configured, described
from agents.anonymization.policy.document import Override, Policy
from agents.anonymization.policy.reading import read
from agents.anonymization.policy.ready import BASIC, DEMO, NAMES, POLICIES, document_named, policy_named
from agents.anonymization.policy.rules import Action, Rules, known_vr
from agents.anonymization.standard.table import load_table
from streams.errors import Misconfigured, Rejected

PINNED = {
    "basic/2": "74384e6e462d8ca565b2f69b3d70447379fd98cb4981c86a7bb25fa7b520531e",
    "demo/2": "2de209c76356622d5d7a20fdef6fe6d3fca60456146806a6b6c70eb0160e18da",
    "research/1": "58cb0926205798dda3c0d2a0ef8441a4c60b1b99cc1a5730c5f0d2309c690b7c",
    "strict/1": "4e3877cb7e5f8e123cd1c88ee27e648d4f16e0dcef66b90aee3ead55d355d8c4",
    "teaching/1": "3f60565e1a42b70e752e2a3af27c5189377823ecdf9320b62999838d223e5c41",
}
"""sha256 of what each version says. A document that says something else is another version."""

LETTING_OUT = {Action.KEEP, Action.CLEAN, Action.SHIFT, Action.CONTENT, Action.GRAPHICS, Action.PRIVATE}
CLASSES = ["", CTImageStorage, EnhancedMRImageStorage, UltrasoundImageStorage]


def decided(policy, keyword, sop_class=CTImageStorage):
    return Rules(policy, sop_class).decide(tag_for_keyword(keyword)).action


def test_what_a_version_says_does_not_change():
    found = {
        f"{one.name}/{one.version}": hashlib.sha256(msgspec.json.encode(one, order="sorted")).hexdigest()
        for one in POLICIES.values()
    }
    assert found == PINNED


@pytest.mark.parametrize("name", NAMES)
def test_each_document_says_what_it_is_for_and_why(name):
    text = document_named(name).decode()
    policy = read(text.encode())
    assert policy == policy_named(name)
    assert policy.name == name
    assert policy.description
    assert re.search(r"^# For whom: ", text, re.MULTILINE)
    assert text.count("# ") > 2 + len(policy.options) / 2
    assert list(cautions(policy)) == []


@pytest.mark.parametrize("name", NAMES)
def test_no_ready_policy_lets_out_who_or_where(name):
    for sop_class in CLASSES:
        rules = Rules(policy_named(name), sop_class)
        for keyword in (
            *("PatientName", "PatientID", "OtherPatientIDs", "PatientBirthDate", "PatientAddress"),
            *("AccessionNumber", "ReferringPhysicianName", "OperatorsName", "InstitutionName"),
            *("InstitutionAddress", "StudyInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID", "StudyID"),
        ):
            assert rules.decide(tag_for_keyword(keyword)).action not in LETTING_OUT, keyword


def test_strict_lets_out_nothing_of_the_table_and_holds_back_what_could_be_written_on():
    strict = policy_named("strict")
    for sop_class in CLASSES:
        rules = Rules(strict, sop_class)
        assert not [tag for tag in load_table().rules if rules.decide(tag).action in LETTING_OUT]
        basic = Rules(BASIC, sop_class)
        looser = [
            tag
            for tag in DicomDictionary
            if rules.decide(tag).action in LETTING_OUT and basic.decide(tag).action not in LETTING_OUT
        ]
        assert looser == []
    assert strict.options == {"clean_recognizable_visual_features"}
    assert {"US", "SR", "DOC", "XC"} <= set(strict.quarantine.modalities)
    assert all(override.why for override in strict.attributes.values())


def test_research_keeps_intervals_patient_device_and_cleaned_words():
    research = policy_named("research")
    assert {decided(research, name) for name in ("StudyDate", "AcquisitionDateTime")} == {Action.SHIFT}
    assert {decided(research, name) for name in ("PatientAge", "PatientSex", "PatientWeight")} == {
        Action.KEEP
    }
    assert {decided(research, name) for name in ("DeviceSerialNumber", "StationName")} == {Action.KEEP}
    assert {decided(research, name) for name in ("SeriesDescription", "ProtocolName")} == {Action.CLEAN}
    assert {decided(research, name) for name in research.attributes} == {Action.REMOVE}
    assert not research.options & {
        "retain_uids",
        "retain_institution_identity",
        "retain_longitudinal_full_dates",
    }


def test_teaching_has_no_date_and_no_device_but_age_and_sex():
    teaching = policy_named("teaching")
    for sop_class in CLASSES:
        rules = Rules(teaching, sop_class)
        dates = [tag for tag in DicomDictionary if known_vr(tag) in ("DA", "DT", "TM")]
        assert len(dates) > 150
        assert not [tag for tag in dates if rules.decide(tag).action in LETTING_OUT]
        devices = [tag for tag, row in load_table().rules.items() if "device_identity" in row.options]
        assert len(devices) > 50
        assert not [tag for tag in devices if rules.decide(tag).action in LETTING_OUT]
        out = {
            row.keyword for tag, row in load_table().rules.items() if rules.decide(tag).action in LETTING_OUT
        }
        assert out - {"GraphicAnnotationSequence", "UnformattedTextValue"} == set(teaching.attributes)
    assert decided(teaching, "PatientAge") is decided(teaching, "PatientSex") is Action.KEEP
    assert teaching.options >= {"clean_pixel_data", "clean_graphics", "clean_recognizable_visual_features"}


def test_basic_is_the_profile_and_demo_adds_the_patient():
    assert msgspec.structs.replace(BASIC, description="") == Policy(name="basic", version=2)
    assert DEMO.options == {"retain_patient_characteristics"}
    assert not DEMO.attributes


def test_a_policy_is_chosen_by_name_or_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("strict").mkdir()
    for path in ("mine.yaml", "strict/mine", "mine.JSON"):
        Path(path).write_text('{"name": "mine", "version": 3}')
        assert chosen(path).label == Policy(name="mine", version=3).label
    assert chosen("strict") is policy_named("strict")
    assert described("strict") == f"strict ({policy_named('strict').label})"
    assert described(str(tmp_path / "mine.yaml")).endswith(
        f"mine.yaml ({Policy(name='mine', version=3).label})"
    )


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("strickt", r"^CHIPS_POLICY \(a path has a / or ends in .yaml, .yml or .json\): There is no policy "),
        ("strickt", r"policy strickt: is it strict\? There are basic, demo, research, strict, teaching\.$"),
        ("none.yaml", r"^CHIPS_POLICY in none.yaml: There is no policy document none.yaml\.$"),
        ("bad.yaml", r"^CHIPS_POLICY in bad.yaml: version, line 2: takes a whole number"),
    ],
)
def test_a_setting_that_names_no_policy_says_so(tmp_path, monkeypatch, setting, told):
    monkeypatch.chdir(tmp_path)
    Path("bad.yaml").write_text("name: a\nversion: x\n")
    with pytest.raises(Misconfigured, match=told):
        configured(setting)
    assert "can't be followed" in described(setting)
    with pytest.raises(Rejected):
        chosen(setting)


def test_what_an_author_may_not_have_meant_is_said():
    policy = Policy(
        name="strict",
        version=9,
        attributes={
            "PatientAge": Override(action="remove"),
            "Manufacturer": Override(action="keep", why="x"),
            "StationName": Override(action="remove"),
        },
    )
    assert [caution.path for caution in cautions(policy)] == [
        *("name", "description", "attributes.PatientAge", "attributes.Manufacturer"),
    ]


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_a_policy_from_another_process_has_the_same_label(policy):
    assert pickle.loads(pickle.dumps(policy)).label == policy.label
