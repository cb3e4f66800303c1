from __future__ import annotations

import hashlib
import time
import zlib
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.sr._cid_dict import cid_concepts
from pydicom.sr._concepts_dict import concepts
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from gateway.header import dataset_digest, read_header, read_header_identity
from gateway.modalities import modality_of
from gateway.part10 import Malformed
from schemas.pacs import Placement

SYNTAXES = [
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
]


def synthetic(**changes):
    data = Dataset()
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID = CTImageStorage
    data.SOPInstanceUID = "1.2.3.1"
    data.ReferencedImageSequence = Sequence([Dataset()])
    data.ReferencedImageSequence[0].SOPInstanceUID = "1.2.3.99"
    data.Modality = "CT"
    data.PatientID = "Füllner-1"
    data.IssuerOfPatientID = "HOSPITAL"
    data.StudyInstanceUID = "1.2.3.2"
    data.SeriesInstanceUID = "1.2.3.3"
    data.InstanceNumber = "7"
    data.Rows = 2
    data.PixelData = b"\1\0" * 100
    data["PixelData"].VR = "OW"
    for name, value in changes.items():
        setattr(data, name, value)
    return data


def saved(path, data, syntax=ExplicitVRLittleEndian, preamble=b"\0" * 128):
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.preamble = preamble
    pydicom.dcmwrite(
        path,
        data,
        enforce_file_format=True,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=syntax != ExplicitVRBigEndian,
    )
    return path


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_identity_is_read_in_every_encoding(tmp_path, syntax):
    read = read_header_identity(saved(tmp_path / "a.dcm", synthetic(), syntax))
    assert read.sop_class_uid == CTImageStorage
    assert read.sop_instance_uid == "1.2.3.1"
    assert read.study_instance_uid == "1.2.3.2"
    assert read.series_instance_uid == "1.2.3.3"
    assert read.patient_id == "Füllner-1"
    assert read.issuer_of_patient_id == "HOSPITAL"
    assert read.modality == "CT"
    assert read.instance_number == 7
    assert read.transfer_syntax_uid == syntax


def test_identities_stay_out_of_logs(tmp_path):
    read = read_header_identity(saved(tmp_path / "a.dcm", synthetic()))
    assert "Füllner" not in repr(read)
    assert "1.2.3.2" not in repr(read)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Modality": "c t?"}, "OT"),
        ({"Modality": None}, "OT"),
        ({"Modality": "MR"}, "MR"),
        ({"Modality": "RTSTRUCT"}, "RTSTRUCT"),
        ({"Modality": "EC"}, "EC"),
        ({"Modality": "ERIKA_M"}, "OT"),
        ({"Modality": ["CT", "ERIKA"]}, "OT"),
    ],
)
def test_modality_is_a_term_of_the_standard(tmp_path, changes, expected):
    with pydicom.config.disable_value_validation():
        assert read_header_identity(saved(tmp_path / "a.dcm", synthetic(**changes))).modality == expected


@pytest.mark.parametrize("context_group", [29, 33], ids=["acquisition", "all"])
def test_every_modality_that_has_a_code_is_known(context_group):
    code_of = {keyword: code for keyword, found in concepts["DCM"].items() for code in found}
    codes = {code_of[keyword] for keyword in cid_concepts[context_group]["DCM"]}
    assert len(codes) > 50
    assert {code for code in codes if modality_of(code) != code} == set()


@pytest.mark.parametrize("name", ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"])
@pytest.mark.parametrize("value", ["", "../../etc", "1.2.a", "1." * 32 + "1"])
def test_a_uid_that_is_none_is_refused_without_being_repeated(tmp_path, name, value):
    with pydicom.config.disable_value_validation():
        data = synthetic(**{name: value})
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.file_meta.MediaStorageSOPInstanceUID = "1.2.3.1"
        data.file_meta.MediaStorageSOPClassUID = CTImageStorage
        pydicom.dcmwrite(tmp_path / "a.dcm", data)
        raw = (tmp_path / "a.dcm").read_bytes()
        (tmp_path / "a.dcm").write_bytes(b"\0" * 128 + b"DICM" + raw if raw[128:132] != b"DICM" else raw)
    with pytest.raises(Malformed) as caught:
        read_header_identity(tmp_path / "a.dcm")
    assert caught.value.code == "bad-uid"
    assert not value or value not in str(caught.value)


def test_an_identity_given_twice_is_refused(tmp_path):
    path = saved(tmp_path / "a.dcm", synthetic())
    raw = path.read_bytes()
    one = b"\x20\0\x0d\0UI\x08\x001.2.3.2\0"
    assert raw.count(one) == 1
    path.write_bytes(raw.replace(one, one + one.replace(b"3.2", b"3.9")))
    with pytest.raises(Malformed, match="twice"):
        read_header_identity(path)


@pytest.mark.parametrize("length", [0, 1, 131, 132, 140, 300])
def test_a_cut_file_is_refused(tmp_path, length):
    path = saved(tmp_path / "a.dcm", synthetic())
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(Malformed):
        read_header_identity(path)


def _explicit(meta_from, body):
    raw = meta_from.read_bytes()
    at = raw.index(b"\x08\0\x05\0CS")
    return raw[:at] + body


@pytest.mark.parametrize("hostile", ["nesting", "items", "bomb", "lying"])
def test_hostile_files_are_refused_soon(tmp_path, hostile):
    syntax = DeflatedExplicitVRLittleEndian if hostile == "bomb" else ExplicitVRLittleEndian
    path = saved(tmp_path / "a.dcm", synthetic(), ExplicitVRLittleEndian)
    undefined = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff"
    item = b"\xfe\xff\0\xe0\xff\xff\xff\xff"
    bodies = {
        "nesting": (undefined + item) * 100_000,
        "items": undefined + (b"\xfe\xff\0\xe0\0\0\0\0") * 2_000_000,
        "lying": b"\x08\0\x40\x11UN\0\0\xf0\xff\xff\xff",
    }
    if hostile == "bomb":
        path = saved(tmp_path / "a.dcm", synthetic(), syntax)
        raw = path.read_bytes()
        machine = zlib.compressobj(9, zlib.DEFLATED, -15)
        block = b"\x08\0\0\0UN\0\0\xf0\xff\xff\xff" + bytes(1 << 20)
        bomb = machine.compress(block) + b"".join(machine.compress(bytes(1 << 20)) for _ in range(600))
        start = pydicom.filereader.read_file_meta_info(path).FileMetaInformationGroupLength + 144
        path.write_bytes(raw[:start] + bomb + machine.flush())
    else:
        path.write_bytes(_explicit(path, bodies[hostile]))
    began = time.process_time()
    with pytest.raises(Malformed):
        read_header_identity(path)
    assert time.process_time() - began < 2


def test_digest_is_of_syntax_and_data_set_only(tmp_path):
    one = saved(tmp_path / "one.dcm", synthetic(), preamble=b"\0" * 128)
    two = saved(tmp_path / "two.dcm", synthetic(), preamble=b"MZ" + b"\1" * 126)
    other = saved(tmp_path / "other.dcm", synthetic(PatientID="someone else"))
    implicit = saved(tmp_path / "implicit.dcm", synthetic(), ImplicitVRLittleEndian)
    assert one.read_bytes() != two.read_bytes()
    assert dataset_digest(one) == dataset_digest(two)
    assert len({dataset_digest(path) for path in (one, other, implicit)}) == 3


def test_digest_can_be_computed_from_what_came_over_the_network(tmp_path):
    path = saved(tmp_path / "one.dcm", synthetic())
    length = pydicom.filereader.read_file_meta_info(path).FileMetaInformationGroupLength
    body = path.read_bytes()[144 + length :]
    assert dataset_digest(path) == hashlib.sha256(b"1.2.840.10008.1.2.1\n" + body).hexdigest()


def test_a_real_ct_has_an_identity():
    read = read_header_identity(Path(get_testdata_file("CT_small.dcm")))
    assert read.modality == "CT"
    assert read.patient_id == "1CT1"


AXIAL = ["1", "0", "0", "0", "1", "0"]
"""Direction cosines of rows and columns."""


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_the_place_in_the_series_is_read_in_every_encoding(tmp_path, syntax):
    placed = synthetic(
        AcquisitionNumber="2",
        ImagePositionPatient=["-100", "-90.5", "-37.25"],
        ImageOrientationPatient=AXIAL,
        TemporalPositionIdentifier="3",
    )
    header = read_header(saved(tmp_path / "a.dcm", placed, syntax))
    assert header.identity == read_header_identity(tmp_path / "a.dcm")
    assert header.placement == Placement(
        number=7, acquisition=2, temporal=3, position=-37.25, normal=(0.0, 0.0, 1.0)
    )


def test_the_position_is_along_the_normal_of_the_plane(tmp_path):
    sagittal = synthetic(
        ImagePositionPatient=["12.5", "40", "80"], ImageOrientationPatient=["0", "1", "0", "0", "0", "-1"]
    )
    placement = read_header(saved(tmp_path / "a.dcm", sagittal)).placement
    assert placement == Placement(number=7, position=-12.5, normal=(-1.0, 0.0, 0.0))


@pytest.mark.parametrize(
    "broken",
    [
        {"ImagePositionPatient": ["0", "0"], "ImageOrientationPatient": AXIAL},
        {"ImagePositionPatient": ["0", "0", "1"], "ImageOrientationPatient": ["1", "0", "0", "1", "0", "0"]},
        {"ImagePositionPatient": ["0", "0", "1"], "ImageOrientationPatient": ["9", "0", "0", "0", "1", "0"]},
        {"ImagePositionPatient": ["0", "0", "1e300"], "ImageOrientationPatient": AXIAL},
        {"ImagePositionPatient": ["0", "0", "1"]},
    ],
)
def test_what_is_no_place_is_left_out_and_refuses_nothing(tmp_path, broken):
    data = synthetic(InstanceNumber=None)
    for name, value in broken.items():
        setattr(data, name, value)
    assert read_header(saved(tmp_path / "a.dcm", data)).placement is None


def test_a_structure_that_breaks_behind_what_identifies_refuses_nothing_either(tmp_path):
    whole = saved(tmp_path / "a.dcm", synthetic(PatientOrientation="L\\P", TemporalPositionIdentifier="3"))
    content = whole.read_bytes()
    at = content.index(b"\x20\0\0\x01IS")
    (tmp_path / "b.dcm").write_bytes(content[:at] + b"\x20\0\0\x01??" + content[at + 6 :])
    header = read_header(tmp_path / "b.dcm")
    assert header.identity == read_header_identity(tmp_path / "b.dcm")
    assert header.placement == Placement(number=7)
