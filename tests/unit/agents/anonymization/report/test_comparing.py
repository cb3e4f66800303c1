from __future__ import annotations

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from agents.anonymization.anonymize import anonymize
from agents.anonymization.outcome import Anonymized
from agents.anonymization.policy.document import Override, Policy
from agents.anonymization.policy.rules import Rules
from agents.anonymization.report.comparing import attribute_name, changes
from gateway.part10 import Malformed

POLICY = Policy(
    name="x",
    version=1,
    options=frozenset(["retain_patient_characteristics"]),
    attributes={"KVP": Override(action="remove", why="test")},
)


@pytest.fixture
def compared(key):
    """Anonymize bytes and compare; gives what was done by attribute."""

    def work(content, policy=POLICY):
        result = anonymize(content, key=key, policy=policy)
        assert isinstance(result, Anonymized), result
        rules = Rules(policy, result.sop_class_uid)
        return changes(content, result.content, rules)

    return work


def by_name(found):
    assert len({change.attribute for change in found}) == len(found)
    return {change.attribute: (change.done, change.reason) for change in found}


@pytest.mark.parametrize("syntax", ["implicit", "explicit", "big", "deflated"])
def test_what_was_done_is_told_in_every_encoding(ct, encode, compared, syntax):
    found = by_name(compared(encode(ct(AdditionalPatientHistory="Erika", PatientComments=""), syntax)))
    done = {name: what for name, (what, _) in found.items()}
    assert done["PatientName"] == done["PatientID"] == "pseudonym"
    assert done["AccessionNumber"] == done["StudyDate"] == "emptied"
    assert done["SOPInstanceUID"] == done["FrameOfReferenceUID"] == "new-uid"
    assert done["AdditionalPatientHistory"] == done["StudyDescription"] == "removed"
    assert done["PatientSex"] == done["Rows"] == done["PixelData"] == done["SOPClassUID"] == "kept"
    assert done["PatientIdentityRemoved"] == done["DeidentificationMethod"] == "added"
    assert found["KVP"] == ("removed", "policy: test")
    assert found["PatientSex"][1] == "option retain_patient_characteristics"
    assert found["StudyDescription"][1] == "table E.1-1: X"
    assert "CodeValue" not in done  # what was added is told once, not item by item


def test_a_value_that_was_changed_although_it_may_stay_is_told(ct, encode, compared):
    done = by_name(compared(encode(ct(Manufacturer="Mustermann", PatientAge="095Y"))))
    assert done["Manufacturer"][0] == "cleaned"
    assert done["PatientAge"][0] == "cleaned"


def test_pixels_that_differ_in_one_bit_are_told(ct, encode, key):
    content = encode(ct(Rows=1024, Columns=1024, PixelData=bytes(1024 * 1024 * 2)))
    result = anonymize(content, key=key, policy=POLICY)
    rules = Rules(POLICY, result.sop_class_uid)
    assert by_name(changes(content, result.content, rules))["PixelData"][0] == "kept"
    other = bytearray(result.content)
    other[-1] ^= 1
    assert by_name(changes(content, bytes(other), rules))["PixelData"] == ("cleaned", "pixels changed")


def test_what_an_earlier_de_identification_said_is_neither_kept_nor_cleaned(ct, encode, compared):
    said = Dataset()
    said.CodeValue, said.CodingSchemeDesignator, said.CodeMeaning = "113100", "DCM", "Basic Profile"
    said.MappingResource = "DCMR"
    found = by_name(
        compared(
            encode(
                ct(
                    PatientIdentityRemoved="YES",
                    DeidentificationMethod="by hand",
                    DeidentificationMethodCodeSequence=Sequence([said]),
                )
            )
        )
    )
    for name in ("PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence"):
        assert found[name][0] == "added"
    assert not {"CodeValue", "CodeMeaning", "MappingResource"} & found.keys()


def test_sequences_are_told_and_what_went_with_them_is_not(ct, encode, compared):
    item = Dataset()
    item.PatientName = "Inner^Name"
    item.ReferencedSOPInstanceUID = "1.2.3"
    item.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    request = Dataset()
    request.RequestedProcedureID = "R-1"
    found = compared(
        encode(
            ct(
                RequestAttributesSequence=Sequence([request]),
                ReferencedStudySequence=Sequence([]),
                DerivationCodeSequence=Sequence([]),
                SourceInstanceSequence=Sequence([item, item]),
            )
        )
    )
    done = {}
    for change in found:
        done.setdefault(change.attribute, set()).add(change.done)
    assert done["RequestAttributesSequence"] == {"removed"}
    assert "RequestedProcedureID" not in done
    assert done["DerivationCodeSequence"] == {"unused"}
    assert done["SourceInstanceSequence"] == {"kept"}
    assert done["ReferencedSOPInstanceUID"] == {"new-uid"}
    assert done["PatientName"] == {"pseudonym", "emptied"}


def test_private_and_unknown_attributes_are_told_by_their_group_alone(ct, encode, compared):
    data = ct()
    data.add_new(0x00190010, "LO", "CREATOR")
    data.add_new(0x00191008, "LO", "secret")
    done = by_name(compared(encode(data)))
    assert done["Private 0019"] == ("removed", "private")
    assert attribute_name(0x0021_1234) == "Private 0021"
    assert attribute_name(0x0008_FFFE) == "Unknown 0008"
    assert attribute_name(0x0010_0000) == "GroupLength"
    assert attribute_name(0x6002_3000) == "Overlay 6002"


def test_no_value_is_told(canaries, encode, compared):
    planted = canaries()
    words = str(sorted(compared(encode(planted.data))))
    assert not [value for value in planted.planted.values() if value.decode() in words]


def test_what_is_no_file_is_refused():
    with pytest.raises(Malformed):
        changes(b"", b"", Rules(POLICY, ""))
