"""What a policy decides of each attribute, against the table itself."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest
from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import tag_for_keyword
from pydicom.uid import (
    BasicTextSRStorage,
    CTImageStorage,
    EnhancedCTImageStorage,
    MRSpectroscopyStorage,
    ParametricMapStorage,
    XRayAngiographicImageStorage,
)

from agents.anonymization.policy.document import Override, Policy
from agents.anonymization.policy.rules import (
    ENCAPSULATED_DOCUMENT,
    PATIENT_ID,
    PATIENT_NAME,
    TEXT_VALUE,
    UNFORMATTED_TEXT_VALUE,
    Action,
    RuleBook,
    Rules,
    Within,
    items_within,
    known_vr,
    tag_of,
)
from agents.anonymization.standard.codes import PolicyOption
from agents.anonymization.standard.table import load_table
from agents.anonymization.standard.unlisted import load_identifiers, load_unlisted

COLUMN_OF = {
    "clean_descriptors": "clean_descriptors",
    "clean_graphics": "clean_graphics",
    "clean_structured_content": "clean_structured_content",
    "retain_device_identity": "device_identity",
    "retain_institution_identity": "institution_identity",
    "retain_longitudinal_full_dates": "full_dates",
    "retain_longitudinal_modified_dates": "modified_dates",
    "retain_patient_characteristics": "patient_characteristics",
    "retain_safe_private": "safe_private",
    "retain_uids": "uids",
}
OF_PIXELS = {"clean_pixel_data", "clean_recognizable_visual_features"}
OVERLAY, PRIVATE = 0x60000022, 0x00191001
EVERY_TAG = sorted({*DicomDictionary, *load_table().rules, OVERLAY, 0x60003000, 0x50000010, PRIVATE})
UNLISTED = [
    tag
    for tag in EVERY_TAG
    if tag not in load_table().rules
    and tag >> 24 not in (0x50, 0x60)
    and tag >> 16 > 7
    and tag not in (0x04000010, 0x04000510)
]
PLAIN = {
    "D": Action.DUMMY,
    "Z": Action.EMPTY,
    "X": Action.REMOVE,
    "U": Action.UID,
}


def policy(*options, **attributes):
    overrides = {name: Override(action=action) for name, action in attributes.items()}
    return Policy(name="tried", version=1, options=frozenset(options), attributes=overrides)


def decisions(*options, sop_class=CTImageStorage, **attributes):
    rules = Rules(policy(*options, **attributes), sop_class)
    return {tag: rules.decide(tag).action for tag in EVERY_TAG}


def tags(*keywords):
    return {tag_for_keyword(keyword) for keyword in keywords}


def test_the_table_is_whole():
    rules = load_table().rules
    assert len(rules) == 652
    assert {rule.action for rule in rules.values()} == {
        *("D", "Z", "X", "U", "X/Z", "X/D", "X/Z/D", "Z/D", "X/Z/U*"),
    }
    assert set(COLUMN_OF) | OF_PIXELS == set(get_args(PolicyOption))


def test_without_options_each_row_gets_what_the_profile_says():
    decided, seen = decisions(), 0
    for tag, row in load_table().rules.items():
        if row.action not in PLAIN or tag == PATIENT_NAME or tag >> 16 <= 7:
            continue
        seen += 1
        expected = PLAIN[row.action]
        if expected is Action.DUMMY and known_vr(tag) == "UI":
            expected = Action.UID
        if tag in tags("EncryptedAttributesSequence", "MACParametersSequence", "DigitalSignaturesSequence"):
            expected = Action.REMOVE
        assert decided[tag] is expected, row.keyword
    assert seen > 590
    assert not [tag for tag in load_table().rules if decided[tag] is Action.KEEP]


@pytest.mark.parametrize("option", sorted(COLUMN_OF))
def test_an_option_changes_exactly_its_own_rows(option):
    plain, chosen = decisions(), decisions(option)
    changed = {tag for tag in EVERY_TAG if plain[tag] is not chosen[tag]}
    column = COLUMN_OF[option]
    own = {tag for tag, row in load_table().rules.items() if column in row.options and tag >> 16 > 7}
    match option:
        case "retain_safe_private":
            own = {PRIVATE}
        case "clean_graphics":
            own |= {tag for tag in EVERY_TAG if tag >> 24 == 0x60} | {UNFORMATTED_TEXT_VALUE}
        case "retain_uids":
            own |= {tag for tag in UNLISTED if known_vr(tag) == "UI"}
        case "retain_longitudinal_full_dates" | "retain_longitudinal_modified_dates":
            own |= {tag for tag in UNLISTED if known_vr(tag) in ("DA", "TM", "DT")}
            # time stamps in other codings can't be moved
            own -= tags("FrameOriginTimestamp", "CertifiedTimestamp") if "modified" in option else set()
        case "clean_structured_content":
            own |= {TEXT_VALUE, UNFORMATTED_TEXT_VALUE, ENCAPSULATED_DOCUMENT}
        case "clean_descriptors":
            own |= {tag for tag in UNLISTED if known_vr(tag) in ("LT", "ST", "UT", "UC")}
            own |= {tag for tag in load_unlisted() if known_vr(tag) in ("LO", "SH")}
            own -= load_identifiers()
        case _:
            pass
    assert changed == own


@pytest.mark.parametrize("option", sorted(OF_PIXELS))
def test_options_about_pixels_change_no_attribute(option):
    assert decisions(option) == decisions()


@pytest.mark.parametrize("option", sorted(COLUMN_OF))
def test_an_options_rows_are_kept_or_cleaned_as_its_column_says(option):
    column, chosen = COLUMN_OF[option], decisions(option)
    cleaned = {
        "retain_longitudinal_modified_dates": {Action.SHIFT, Action.KEEP, Action.REMOVE, Action.DUMMY},
        "clean_structured_content": {Action.CONTENT},
        "clean_graphics": {Action.GRAPHICS},
    }.get(option, {Action.CLEAN})
    seen = 0
    for tag, row in load_table().rules.items():
        if tag >> 16 <= 7:
            continue
        match row.options.get(column):
            case "K":
                assert chosen[tag] is Action.KEEP, row.keyword
            case "C":
                assert chosen[tag] in cleaned, row.keyword
            case _:
                continue
        seen += 1
    assert seen or option == "retain_safe_private"


def test_the_more_careful_of_two_options_goes_first():
    both = decisions("retain_longitudinal_full_dates", "retain_longitudinal_modified_dates")
    assert both[tag_of("StudyDate")] is Action.SHIFT
    calibrated = decisions("retain_device_identity", "retain_longitudinal_modified_dates")
    assert calibrated[tag_of("DateOfLastCalibration")] is Action.SHIFT
    assert decisions("retain_device_identity")[tag_of("DateOfLastCalibration")] is Action.KEEP
    allergies = decisions("retain_patient_characteristics", "clean_descriptors")[tag_of("Allergies")]
    assert allergies is Action.CLEAN


def test_moved_dates_leave_the_time_zone_and_take_other_time_stamps():
    chosen = decisions("retain_longitudinal_modified_dates")
    assert chosen[tag_of("TimezoneOffsetFromUTC")] is Action.KEEP
    assert chosen[tag_of("CertifiedTimestamp")] is Action.REMOVE


@pytest.mark.parametrize(
    ("sop_class", "keyword", "action"),
    [
        (CTImageStorage, "AcquisitionDateTime", Action.REMOVE),  # X/Z/D, type 3
        (EnhancedCTImageStorage, "AcquisitionDateTime", Action.DUMMY),  # 1C
        (CTImageStorage, "ContentDate", Action.EMPTY),  # Z/D, 2C
        (EnhancedCTImageStorage, "ContentDate", Action.DUMMY),  # Z/D, 1
        (CTImageStorage, "AcquisitionDate", Action.REMOVE),  # X/Z, type 3
        ("1.2.840.10008.5.1.4.1.1.128", "AcquisitionDate", Action.EMPTY),  # X/Z, type 2 (PET)
        (CTImageStorage, "ProtocolName", Action.REMOVE),  # X/D, type 3
        (CTImageStorage, "SourceImageSequence", Action.REMOVE),  # X/Z/U*, type 3
        (XRayAngiographicImageStorage, "ReferencedImageSequence", Action.REFERENCES),  # X/Z/U*, 1C
        ("1.2.3", "AcquisitionDateTime", Action.DUMMY),  # of no known IOD: what is valid for every type
        ("1.2.3", "AcquisitionDate", Action.EMPTY),
        ("1.2.3", "ReferencedImageSequence", Action.REFERENCES),
        ("1.2.3", "ReferencedStudySequence", Action.REMOVE),
    ],
)
def test_alternatives_follow_the_attributes_type(sop_class, keyword, action):
    assert decisions(sop_class=sop_class)[tag_of(keyword)] is action


def test_items_follow_the_type_in_their_sequence():
    rules = Rules(policy(), CTImageStorage)
    author = tag_of("AuthorObserverSequence")
    assert rules.decide(tag_of("InstitutionName"), author).action is Action.EMPTY
    assert rules.decide(tag_of("InstitutionName")).action is Action.REMOVE


@pytest.mark.parametrize("action", ["keep", "remove", "empty", "dummy", "uid", "shift", "clean", "replace"])
def test_an_override_changes_its_attribute_alone(action):
    plain, chosen = decisions(), decisions(StudyDescription=action, **{"(0008,0090)": action})
    assert {tag for tag in EVERY_TAG if plain[tag] is not chosen[tag]} <= tags(
        "StudyDescription", "ReferringPhysicianName"
    )
    assert chosen[tag_of("StudyDescription")] is Action(action)
    assert chosen[0x00080090] is Action(action)


def test_an_override_holds_at_every_depth_and_before_options_and_says_why():
    why = Override(action="remove", why="local names")
    rules = Rules(
        Policy(
            name="tried",
            version=1,
            options=frozenset({"clean_descriptors"}),
            attributes={"StudyDescription": why},
        ),
        CTImageStorage,
    )
    for parent in (None, 0x52009229):
        decision = rules.decide(tag_of("StudyDescription"), parent)
        assert (decision.action, decision.reason) == (Action.REMOVE, "policy: local names")


@pytest.mark.parametrize(
    "keyword",
    [
        *("DeidentificationMethod", "PatientIdentityRemoved", "EncryptedAttributesSequence"),
        *("DigitalSignaturesSequence", "OriginalAttributesSequence", "ModifiedAttributesSequence"),
    ],
)
def test_no_override_keeps_what_no_object_may_hold(keyword):
    assert decisions(**{keyword: "keep"})[tag_of(keyword)] is Action.REMOVE


@pytest.mark.parametrize("name", ["(6000,3000)", "(5000,0010)", "(0002,0016)", "(0008,0000)", "(0011,1001)"])
def test_no_override_keeps_what_is_no_attribute_of_the_object(name):
    assert Rules(policy(**{name: "keep"}), CTImageStorage).decide(tag_of(name)).action is Action.REMOVE


def test_the_patients_pseudonym_is_for_the_top_level():
    rules = Rules(policy(), CTImageStorage)
    for tag, inside in ((PATIENT_ID, Action.DUMMY), (PATIENT_NAME, Action.EMPTY)):
        assert rules.decide(tag).action is Action.PATIENT
        assert rules.decide(tag, 0x00100026).action is inside


def test_unlisted_attributes_go_unless_their_kind_names_nobody():
    decided = decisions()
    for tag in UNLISTED:
        if tag in load_unlisted():
            assert decided[tag] in (Action.REMOVE, Action.EMPTY, Action.DUMMY), f"{tag:08x}"
            continue
        match known_vr(tag):
            case "UI":
                assert decided[tag] is Action.UID
            case "LT" | "ST" | "UT" | "UC" | "UR" | "PN" | "DA" | "TM" | "DT" | "AE" | "AS":
                assert decided[tag] in (Action.REMOVE, Action.EMPTY, Action.DUMMY), f"{tag:08x}"
            case "CS" | "DS" | "IS" | "US" | "FD" | "SQ":
                assert decided[tag] in (Action.KEEP, Action.REMOVE), f"{tag:08x}"
            case _:
                pass
    assert Rules(policy(), CTImageStorage).decide(0x00091002).action is Action.REMOVE
    unknown = Rules(policy(), CTImageStorage).decide(0x0008FFFE)
    assert (unknown.action, unknown.reason) == (Action.REMOVE, "not in the dictionary")


@pytest.mark.parametrize("option", sorted(COLUMN_OF))
def test_where_an_option_can_not_be_followed_the_profile_holds(option):
    plain = Rules(policy(), CTImageStorage)
    chosen = Rules(policy(option), CTImageStorage)
    changed = 0
    for tag in EVERY_TAG:
        before, after = plain.decide(tag), chosen.decide(tag)
        if before.action is not after.action and tag >> 24 != 0x60 and not tag >> 16 & 1:
            changed += 1
            assert after.otherwise is before.action, f"{tag:08x}"
    assert changed or option == "retain_safe_private"


def test_where_an_exception_can_not_be_followed_nothing_is_kept():
    rules = Rules(policy("clean_descriptors", StudyDescription="shift", KVP="shift"), CTImageStorage)
    assert rules.decide(tag_of("StudyDescription")).otherwise is Action.REMOVE
    assert rules.decide(tag_of("KVP")).otherwise is Action.REMOVE


def test_the_patients_pseudonym_has_no_exception():
    rules = Rules(policy(PatientID="keep", PatientName="keep"), CTImageStorage)
    assert rules.decide(PATIENT_ID).action is Action.PATIENT
    assert rules.decide(PATIENT_NAME).action is Action.PATIENT


def test_nothing_is_kept_among_dummies():
    everything = policy(*COLUMN_OF)
    rules = Rules(everything, CTImageStorage)
    allowed = {Action.REMOVE, Action.EMPTY, Action.UID, Action.DUMMY}
    for tag, parent in itertools.product(EVERY_TAG, (None, 0x00081072)):
        assert rules.decide(tag, parent, Within.DUMMIES).action in allowed, f"{tag:08x}"
    charset = rules.decide(tag_of("SpecificCharacterSet"), None, Within.DUMMIES)
    assert charset.action is Action.REMOVE, "a dummy would be a character set that nobody can read"


def test_nothing_but_references_is_kept_among_references():
    rules = Rules(policy(), CTImageStorage)
    parent = tag_of("ReferencedImageSequence")
    kept = {
        tag for tag in EVERY_TAG if rules.decide(tag, parent, Within.REFERENCES).action is not Action.REMOVE
    }
    assert kept == tags(
        *("ReferencedSOPClassUID", "ReferencedSOPInstanceUID", "ReferencedFrameNumber"),
        *("PurposeOfReferenceCodeSequence", "ReferencedSegmentNumber"),
    )


def test_dummies_reach_all_the_way_down():
    assert items_within(Action.KEEP, Within.DUMMIES) is Within.DUMMIES
    assert items_within(Action.REFERENCES, Within.DUMMIES) is Within.DUMMIES
    assert items_within(Action.DUMMY, Within.OBJECT) is Within.DUMMIES
    assert items_within(Action.REFERENCES, Within.OBJECT) is Within.REFERENCES
    assert items_within(Action.KEEP, Within.REFERENCES) is Within.OBJECT


def test_rules_are_made_once_for_a_class():
    book = RuleBook(policy())
    assert book.of(CTImageStorage) is book.of(CTImageStorage)
    assert book.of("1.2.3") is book.of("1.2.4")
    assert book.of("1.2.3") is not book.of(CTImageStorage)


def test_pixels_and_waveforms_are_kept_where_they_belong():
    rules = Rules(policy(PixelData="keep"), ParametricMapStorage)
    waveforms = tag_of("WaveformSequence")
    for name, home in (("PixelData", None), ("DoubleFloatPixelData", None), ("WaveformData", waveforms)):
        for parent in (None, waveforms, 0x52009229):
            kept = rules.decide(tag_of(name), parent).action is Action.KEEP
            assert kept is (parent == home), (name, parent)


@pytest.mark.parametrize(
    ("name", "only"),
    [
        ("FloatPixelData", ParametricMapStorage),
        ("DoubleFloatPixelData", ParametricMapStorage),
        ("SpectroscopyData", MRSpectroscopyStorage),
        ("CoefficientsSDVN", None),
    ],
)
def test_an_image_beside_the_image_goes(name, only):
    for sop_class in (
        CTImageStorage,
        ParametricMapStorage,
        MRSpectroscopyStorage,
        BasicTextSRStorage,
        "1.2.3",
    ):
        action = Rules(policy(**{name: "keep"}), sop_class).decide(tag_of(name)).action
        assert (action is Action.KEEP) is (sop_class == only), sop_class


def test_what_has_no_meaning_in_any_object_that_comes_out_goes():
    rules = Rules(policy("clean_descriptors"), CTImageStorage)
    nameless = [tag for tag, entry in DicomDictionary.items() if not entry[4]]
    assert nameless
    copies = [tag_of(f"Selector{vr}Value") for vr in ("CS", "DS", "IS", "OW", "US")]
    for tag in (*nameless, *copies, tag_of("ThreatROIBitmap"), tag_of("BadPixelImage")):
        assert rules.decide(tag).action is Action.REMOVE, f"{tag:08x}"


def test_an_attribute_that_is_not_there_has_no_tag():
    with pytest.raises(KeyError):
        tag_of("PatientsFavouriteColour")
