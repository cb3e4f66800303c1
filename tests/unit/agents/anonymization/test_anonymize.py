from __future__ import annotations

import hashlib
from io import BytesIO

import msgspec
import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, EnhancedMRImageStorage, MRImageStorage, XRayAngiographicImageStorage

from agents.anonymization.anonymize import anonymize
from agents.anonymization.outcome import Anonymized, Quarantine
from agents.anonymization.policy.document import Override, Policy, method_codes
from agents.anonymization.policy.ready import BASIC, DEMO, POLICIES, policy_named
from gateway.header import identity_of, read_header_identity
from gateway.identity import instance_key, patient_of, pseudonymous_uid, series_key, study_key
from schemas.facts import AnonymizedInstance
from schemas.identity import BlobRef, Key
from streams.errors import Rejected


def opened(result):
    assert isinstance(result, Anonymized), result
    return pydicom.dcmread(BytesIO(result.content))


def all_uids(dataset):
    found = set()
    for element in dataset.iterall():
        if element.VR == "UI" and not element.is_empty:
            values = [element.value] if isinstance(element.value, str) else element.value
            found |= {str(value) for value in values}
    return found


def test_identity_and_method_are_written(ct, encode, key):
    result = anonymize(encode(ct()), key=key, policy=BASIC)
    out = opened(result)
    assert out.PatientID == str(out.PatientName) == result.patient
    assert result.patient == patient_of(key, "HOSPITAL", "PID-12345", "1.2.3.4.2")
    assert result.study == study_key(key, "1.2.3.4.2")
    assert result.series == series_key(key, "1.2.3.4.3")
    assert result.instance == instance_key(key, "1.2.3.4.1")
    assert (
        out.SOPInstanceUID == pseudonymous_uid(key, "1.2.3.4.1") == out.file_meta.MediaStorageSOPInstanceUID
    )
    assert out.SOPClassUID == out.file_meta.MediaStorageSOPClassUID
    assert out.PatientIdentityRemoved == "YES"
    assert out.LongitudinalTemporalInformationModified == "REMOVED"
    assert BASIC.label in out.DeidentificationMethod
    assert out["DeidentificationMethod"].VM == 1
    assert [item.CodeValue for item in out.DeidentificationMethodCodeSequence] == ["113100"]
    assert "PatientAge" not in out
    assert out.PatientSex == ""


def test_retained_characteristics_are_retained_and_said_to_be(ct, encode, key):
    result = anonymize(encode(ct()), key=key, policy=DEMO)
    out = opened(result)
    assert (out.PatientSex, out.PatientAge) == ("F", "059Y")
    assert [item.CodeValue for item in out.DeidentificationMethodCodeSequence] == ["113100", "113108"]
    meanings = [item.CodeMeaning for item in out.DeidentificationMethodCodeSequence]
    assert meanings[1] == "Retain Patient Characteristics Option"
    assert "SeriesDescription" not in out
    assert "StudyDescription" not in out


def test_the_option_changes_exactly_its_own_rows(ct, encode, key):
    basic, demo = (opened(anonymize(encode(ct()), key=key, policy=policy)) for policy in (BASIC, DEMO))
    changed = {tag for tag in {*basic.keys(), *demo.keys()} if basic.get(tag) != demo.get(tag)}
    assert changed == {0x00100040, 0x00101010, 0x00120063, 0x00120064}


def test_cards_say_what_the_policy_retains_and_no_more(ct, encode, key):
    demo = anonymize(encode(ct()), key=key, policy=DEMO)
    assert msgspec.to_builtins(demo.attributes) == {
        "body_part_examined": "HEAD",
        "patient_sex": "F",
        "patient_age": "059Y",
        "rows": 4,
        "columns": 4,
        "slice_thickness": 1.25,
    }
    assert (demo.modality, demo.instance_number, demo.number_of_frames) == ("CT", 7, 1)
    basic = anonymize(encode(ct()), key=key, policy=BASIC)
    assert basic.attributes.patient_sex is None
    assert basic.attributes.patient_age is None


def test_an_outcome_fits_the_contract(ct, encode, key):
    result = anonymize(encode(ct()), key=key, policy=DEMO)
    for value in (result.patient, result.study, result.series, result.instance):
        msgspec.convert(value, Key)
    fact = AnonymizedInstance(
        instance=result.instance,
        digest="0" * 64,
        blob=BlobRef(sha256=result.sha256, size=len(result.content), media_type="application/dicom"),
        policy=result.policy,
        attributes=result.attributes,
    )
    assert msgspec.json.decode(msgspec.json.encode(fact), type=AnonymizedInstance) == fact
    assert result.sha256 == hashlib.sha256(result.content).hexdigest()


@pytest.mark.parametrize(
    ("age", "kept"), [("089Y", "089Y"), ("090Y", "090Y"), ("104Y", "090Y"), ("011M", "011M")]
)
def test_the_very_old_hide_among_each_other(ct, encode, key, age, kept):
    assert opened(anonymize(encode(ct(PatientAge=age)), key=key, policy=DEMO)).PatientAge == kept


@pytest.mark.parametrize("value", ["ERIKA", "ALTE DAME"])
def test_a_sex_or_age_that_is_a_name_goes(ct, encode, key, value):
    out = opened(anonymize(encode(ct(PatientSex=value)), key=key, policy=DEMO))
    assert out.PatientSex == ""


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big", "deflated"])
def test_same_in_same_out(ct, encode, key, tmp_path, syntax):
    source = encode(ct(), syntax)
    path = tmp_path / "a.dcm"
    path.write_bytes(source)
    one, two = anonymize(source, key=key, policy=DEMO), anonymize(path, key=key, policy=DEMO)
    assert one == msgspec.structs.replace(two, output=two.content)
    assert opened(one).PixelData == bytes(range(16)) * 2


def test_output_bytes_are_pinned(ct, encode, key):
    # A change here is a change of what policies do: raise REVISION, so that their digests change too.
    result = anonymize(encode(ct(), "implicit"), key=key, policy=Policy(name="pinned", version=1))
    assert result.policy == "pinned/1+405c507e267d"
    assert result.sha256 == "58be9db284d08601b52f54bd331a8a8e996d52fece08296cf4d087c53ea0c225"


def test_the_way_in_does_not_matter(ct, encode, key):
    source = encode(ct())
    other = encode(ct(), SourceApplicationEntityTitle="ELSEWHERE")
    assert source != other
    assert anonymize(source, key=key, policy=BASIC) == anonymize(other, key=key, policy=BASIC)


def test_two_keys_share_no_uid_and_no_patient(ct, encode, key, other_key):
    item = Dataset()
    item.ReferencedSOPClassUID = MRImageStorage
    item.ReferencedSOPInstanceUID = "1.2.3.4.77"
    item.ReferencedFrameNumber = 1
    item.Manufacturer = "Kept elsewhere"
    # Type 1C in this IOD: the sequence stays, with its references
    xa = {"SOPClassUID": XRayAngiographicImageStorage, "BurnedInAnnotation": "NO"}
    source = encode(ct(ReferencedImageSequence=Sequence([item]), **xa))
    one, two = (opened(anonymize(source, key=some, policy=BASIC)) for some in (key, other_key))
    shared = all_uids(one) & all_uids(two)
    assert shared == {str(one.SOPClassUID), str(MRImageStorage)}
    assert one.PatientID != two.PatientID
    reference = one.ReferencedImageSequence[0]
    assert reference.ReferencedSOPInstanceUID == pseudonymous_uid(key, "1.2.3.4.77")
    assert reference.ReferencedSOPClassUID == MRImageStorage
    assert "Manufacturer" not in reference


def test_references_stay_consistent_over_objects(ct, encode, key):
    one = opened(anonymize(encode(ct()), key=key, policy=BASIC))
    two = opened(anonymize(encode(ct(SOPInstanceUID="1.2.3.4.9")), key=key, policy=BASIC))
    assert one.SeriesInstanceUID == two.SeriesInstanceUID
    assert one.FrameOfReferenceUID == two.FrameOfReferenceUID
    assert one.SOPInstanceUID != two.SOPInstanceUID


def test_many_uids_in_one_value(ct, encode, key):
    uids = ["1.2.3.4.5.1", "1.2.3.4.5.2"]
    out = opened(anonymize(encode(ct(IrradiationEventUID=uids)), key=key, policy=BASIC))
    assert list(out.IrradiationEventUID) == [pseudonymous_uid(key, uid) for uid in uids]


def test_a_uid_hidden_as_unknown_is_replaced(ct, encode, key, element):
    source = encode(ct())
    hidden = source.replace(
        element(0x00200052, "UI", b"1.2.3.4.5\0"), element(0x00200052, "UN", b"1.2.3.4.5\0")
    )
    assert hidden != source
    result = anonymize(hidden, key=key, policy=BASIC)
    assert b"1.2.3.4.5" not in result.content
    assert opened(result).FrameOfReferenceUID == pseudonymous_uid(key, "1.2.3.4.5")


def test_a_sequence_hidden_as_unknown_is_cleaned(ct, encode, key, element):
    inner = b"\x08\0\x50\x11" + b"\x1a\0\0\0" + b"1.2.840.10008.5.1.4.1.1.2\0"
    inner += b"\x10\0\x10\0" + b"\x10\0\0\0" + b"Mustermann^Erika"
    item = b"\xfe\xff\0\xe0" + len(inner).to_bytes(4, "little") + inner
    source = encode(ct())
    after = element(0x0008103E, "LO", b"Axial Mustermann")
    assert after in source
    hidden = source.replace(after, after + element(0x00081115, "UN", item))
    result = anonymize(hidden, key=key, policy=BASIC)
    assert b"Mustermann" not in result.content
    assert opened(result)[0x00081115][0].ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.2"


def test_other_peoples_names_inside_do_not_become_the_patient(ct, encode, key):
    item = Dataset()
    item.PatientID, item.PatientName = "OTHER-1", "Other^One"
    source = ct()
    source.add_new(0x00100026, "SQ", Sequence([item]))
    out = opened(anonymize(encode(source), key=key, policy=BASIC))
    assert out[0x00100026][0].PatientID == "ANONYMIZED"
    assert out[0x00100026][0].PatientName == ""


def test_sequences_that_get_dummies_keep_nothing(ct, encode, key):
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "4711", "99KLINIK", "Klinik am See"
    policy = Policy(
        name="dummies", version=1, attributes={"InstitutionCodeSequence": Override(action="dummy")}
    )
    out = opened(
        anonymize(encode(ct(InstitutionCodeSequence=Sequence([code, code]))), key=key, policy=policy)
    )
    assert len(out.InstitutionCodeSequence) == 1
    assert out.InstitutionCodeSequence[0].CodeMeaning == "ANONYMIZED"


def test_what_stands_behind_the_pixels_goes(ct, encode, key, element):
    source = encode(ct()) + element(0x7FE11010, "LO", b"Mustermann") + element(0xFFFCFFFC, "OB", b"Erika ")
    result = anonymize(source + bytes(100), key=key, policy=BASIC)
    assert max(opened(result).keys()) == 0x7FE00010
    assert b"Mustermann" not in result.content


def test_group_lengths_go(ct, encode, key, element):
    source = encode(ct())
    first = element(0x00080005, "CS", b"ISO_IR 100")
    result = anonymize(
        source.replace(first, element(0x00080000, "UL", b"\1\2\3\4") + first), key=key, policy=BASIC
    )
    assert 0x00080000 not in opened(result)


def test_dates_nobody_lists_go_too(ct, encode, key):
    data = ct()
    data.add_new(0x00080416, "DT", "20240229101112")  # Expiration DateTime: not in the table
    data.add_new(0x0040A160, "UT", "Erika Mustermann")  # Text Value
    data.add_new(0x00404073, "UR", "http://pacs.example/4711")  # Storage URL
    out = opened(anonymize(encode(data), key=key, policy=BASIC))
    assert not {0x00080416, 0x0040A160, 0x00404073} & set(out.keys())


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("Manufacturer", "Geraet von ERIKA"),
        ("ManufacturerModelName", "for PID-12345, ACC-4711"),
    ],
)
def test_names_and_ids_of_the_object_are_found_in_text_that_is_kept(ct, encode, key, where, value):
    out = opened(anonymize(encode(ct(**{where: value})), key=key, policy=BASIC))
    assert out[where].value == "ANONYMIZED"
    other = opened(anonymize(encode(ct(Manufacturer="Erikasson")), key=key, policy=BASIC))
    assert other.Manufacturer == "Erikasson"


def test_uids_nobody_lists_are_replaced_unless_the_standard_registers_them(ct, encode, key):
    data = ct()
    data.add_new(0x00083012, "UI", "1.2.3.4.88")  # Radiopharmaceutical Administration Event UID
    data.add_new(0x0008001A, "UI", [str(MRImageStorage), "1.2.3.4.89"])  # Related General SOP Class UID
    result = anonymize(encode(data), key=key, policy=BASIC)
    assert b"1.2.3.4." not in result.content
    out = opened(result)
    assert out[0x00083012].value == pseudonymous_uid(key, "1.2.3.4.88")
    assert list(out[0x0008001A].value) == [MRImageStorage, pseudonymous_uid(key, "1.2.3.4.89")]


def test_objects_without_a_patient_are_not_one_patient(ct, encode, key):
    one = anonymize(encode(ct(PatientID="")), key=key, policy=BASIC)
    two = anonymize(encode(ct(PatientID="", StudyInstanceUID="1.2.3.4.99")), key=key, policy=BASIC)
    assert one.patient != two.patient
    assert opened(one).PatientID == one.patient


def test_door_and_anonymization_agree_whose_object_it_is(ct, encode, key, tmp_path):
    source = encode(ct(SpecificCharacterSet="ISO_IR 192", PatientID="Müller-1", IssuerOfPatientID="Köln"))
    (tmp_path / "a.dcm").write_bytes(source)
    header = read_header_identity(tmp_path / "a.dcm")
    assert header == identity_of(source)
    assert header.patient_id == "Müller-1"
    result = anonymize(source, key=key, policy=BASIC)
    assert result.patient == patient_of(key, "Köln", "Müller-1", header.study_instance_uid)


@pytest.mark.parametrize(
    "name",
    ["MR_small_RLE.dcm", "MR_small_bigendian.dcm", "emri_small_jpeg_2k_lossless.dcm", "MR_small_padded.dcm"],
)
def test_pixels_are_untouched(key, name):
    source = pydicom.dcmread(get_testdata_file(name))
    out = opened(anonymize(source.filename and open(source.filename, "rb").read(), key=key, policy=BASIC))  # noqa: SIM115, PTH123
    assert out.PixelData == source.PixelData
    assert out.file_meta.TransferSyntaxUID == source.file_meta.TransferSyntaxUID
    if source.SOPClassUID != EnhancedMRImageStorage:
        assert np.array_equal(out.pixel_array, source.pixel_array)


def test_counts_have_no_values_and_add_up(ct, encode, key):
    data = ct()
    result = anonymize(encode(data), key=key, policy=BASIC)
    total = sum(group.kept + group.replaced + group.removed for group in result.counts.values())
    assert total == len(data)
    assert result.counts["7fe0"].kept == 1
    assert set(result.counts) == {"0008", "0010", "0018", "0020", "0028", "7fe0"}


def test_results_stay_out_of_logs(ct, encode, key):
    result = anonymize(encode(ct()), key=key, policy=DEMO)
    assert len(repr(result)) < 200


def test_policies_are_found_by_name_and_have_digests_of_their_own():
    assert policy_named("demo") is DEMO
    with pytest.raises(Rejected, match="basic, demo, research"):
        policy_named("none")
    assert BASIC.digest != DEMO.digest != Policy(name="demo", version=3, options=DEMO.options).digest
    assert all(len(policy.label) <= 40 for policy in POLICIES.values())
    assert [code.value for code in method_codes(DEMO)] == ["113100", "113108"]


KEYWORDS = [
    "PatientName",
    "SeriesDescription",
    "InstitutionName",
    "Manufacturer",
    "KVP",
    "OperatorsName",
    "ImageType",
]


def datasets():
    leaves = st.dictionaries(st.sampled_from(KEYWORDS), st.sampled_from(["1", "22", "333"]), max_size=4)
    return st.recursive(
        leaves,
        lambda inner: st.dictionaries(
            st.sampled_from(
                ["AnatomicRegionSequence", "ReferencedStudySequence", "SharedFunctionalGroupsSequence"]
            ),
            st.lists(inner, max_size=3),
            max_size=3,
        ),
        max_leaves=8,
    )


def build(content):
    data = Dataset()
    for keyword, value in content.items():
        setattr(data, keyword, Sequence([build(one) for one in value]) if isinstance(value, list) else value)
    return data


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=datasets(), syntax=st.sampled_from(["explicit", "implicit", "big"]))
def test_generated_objects_come_out_alike_however_encoded(ct, encode, key, content, syntax):
    data = ct()
    data.AnatomicRegionSequence = Sequence([build(content)])
    result = anonymize(encode(data, syntax), key=key, policy=BASIC)
    reference = anonymize(encode(data, "explicit"), key=key, policy=BASIC)
    again = opened(result)
    assert again.to_json_dict() == opened(reference).to_json_dict()
    assert UID(again.SOPInstanceUID).is_valid
    # Anonymizing what is anonymous already changes pseudonyms only.
    twice = anonymize(result.content, key=key, policy=BASIC)
    assert isinstance(twice, Anonymized)
    assert twice.counts.keys() >= {"0008", "0010"}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_objects_never_raise(ct, encode, key, data):
    source = bytearray(encode(ct(), data.draw(st.sampled_from(["explicit", "implicit", "deflated"]))))
    for _ in range(data.draw(st.integers(1, 4))):
        source[data.draw(st.integers(0, len(source) - 1))] = data.draw(st.integers(0, 255))
    result = anonymize(bytes(source[: data.draw(st.integers(0, len(source)))]), key=key, policy=BASIC)
    assert isinstance(result, Anonymized | Quarantine)
