"""Synthetic objects, with a unique value planted into everything that can identify."""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO
from typing import NamedTuple

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from agents.anonymization.standard.table import load_table
from gateway.elements import Walker
from gateway.identity import ProjectKey
from gateway.part10 import LONG_VRS, Bounds, Encoding, read_meta

SYNTAXES = {
    "implicit": ImplicitVRLittleEndian,
    "explicit": ExplicitVRLittleEndian,
    "big": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
}
SQ_KEPT = 0x52009229, 0x00082218, 0x00189346
"""Sequences that the table does not list."""
NOT_AT_TOP = 0x00181010, 0x00181012, 0x00181014, 0x00080018, 0x0020000D, 0x0020000E
"""At the top these make an object a captured screen, which stays in, or are its own UIDs."""


class Canaries(NamedTuple):
    """An object and what must not survive in it: label and bytes."""

    data: Dataset
    planted: dict[str, bytes]


@pytest.fixture
def key():
    return ProjectKey(project="default", secret=bytes(range(32)))


@pytest.fixture
def other_key():
    return ProjectKey(project="default", secret=bytes(range(100, 132)))


@pytest.fixture
def ct() -> Callable[..., Dataset]:
    """A small CT of a made-up patient."""

    def make(**changes):
        data = Dataset()
        with pydicom.config.disable_value_validation():
            for name, value in {
                "SpecificCharacterSet": "ISO_IR 100",
                "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
                "SOPClassUID": CTImageStorage,
                "SOPInstanceUID": "1.2.3.4.1",
                "StudyDate": "20240229",
                "StudyTime": "101112",
                "AccessionNumber": "ACC-4711",
                "Modality": "CT",
                "Manufacturer": "Maker",
                "ReferringPhysicianName": "Weiss^Dora",
                "StudyDescription": "Kopf von Erika",
                "SeriesDescription": "Axial Mustermann",
                "PatientName": "Mustermann^Erika",
                "PatientID": "PID-12345",
                "IssuerOfPatientID": "HOSPITAL",
                "PatientBirthDate": "19640812",
                "PatientSex": "F",
                "PatientAge": "059Y",
                "BodyPartExamined": "HEAD",
                "SliceThickness": "1.25",
                "KVP": "120",
                "StudyInstanceUID": "1.2.3.4.2",
                "SeriesInstanceUID": "1.2.3.4.3",
                "StudyID": "S-1",
                "SeriesNumber": "2",
                "InstanceNumber": "7",
                "ImagePositionPatient": [0, 0, 1.5],
                "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
                "FrameOfReferenceUID": "1.2.3.4.5",
                "SamplesPerPixel": 1,
                "PhotometricInterpretation": "MONOCHROME2",
                "Rows": 4,
                "Columns": 4,
                "PixelSpacing": [0.5, 0.5],
                "BitsAllocated": 16,
                "BitsStored": 12,
                "HighBit": 11,
                "PixelRepresentation": 0,
                "RescaleIntercept": "-1024",
                "RescaleSlope": "1",
                **changes,
            }.items():
                if value is not None:
                    setattr(data, name, value)
        if "PixelData" not in data:
            data.add_new(0x7FE00010, "OW", bytes(range(16)) * 2)
        return data

    return make


@pytest.fixture
def encode() -> Callable[..., bytes]:
    """Write a data set as a Part 10 file, with meta and preamble that need cleaning."""

    def write(data, syntax="explicit", **meta):
        uid = SYNTAXES.get(syntax, syntax)
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = uid
        for name, value in meta.items():
            setattr(data.file_meta, name, value)
        data.preamble = b"MZ" + b"preamble-Mustermann".ljust(126, b"\1")
        stream = BytesIO()
        with pydicom.config.disable_value_validation():
            pydicom.dcmwrite(
                stream,
                data,
                enforce_file_format=True,
                implicit_vr=syntax == "implicit",
                little_endian=syntax != "big",
            )
        return stream.getvalue()

    return write


class _Planter:
    """Gives values that occur once."""

    def __init__(self, seed: int) -> None:
        self._number = 400_000 + seed % 7 * 70_000
        self.planted: dict[str, bytes] = {}

    def value(self, label: str, vr: str):
        self._number += 1
        number = self._number
        text = {
            "DA": f"31{number}",
            "TM": f"{number}.{number}",
            "DT": f"31{number}{number}",
            "DS": f"7{number}.5",
            "IS": f"7{number}",
            "UI": f"1.2.{number}.77.{number}",
            "UR": f"http://canary.example/{number}",
            "PN": f"Canary{number}^Nested{number}",
            "AS": f"{number % 1000:03d}Y",
            "AE": f"CANARY{number}",
            "CS": f"CANARY_{number}",
            "SH": f"Canary-{number}",
        }.get(vr, f"Canary value {number}")
        if vr in ("OB", "OW", "UN"):
            self.planted[label] = f"CanaryBytes{number:07d}".encode()
            return self.planted[label]
        if vr == "US":
            return number & 0xFFFF
        if vr != "AS":
            self.planted[label] = text.encode()
        return text


@pytest.fixture
def canaries(ct) -> Callable[..., Canaries]:
    """Plant into every attribute of the table: at the top, in sequences of each kind, privately.

    `leave`: tags that the policy keeps.
    """

    def make(seed=0, leave=()):
        planter = _Planter(seed)
        data = ct()
        rules = {
            tag: rule
            for tag, rule in sorted(load_table().rules.items())
            if tag >> 16 > 7 and tag not in leave
        }

        def fill(target, where, depth):
            for tag, rule in rules.items():
                if where == "top" and tag in NOT_AT_TOP:
                    continue
                if rule.vr == "SQ":
                    inner = Dataset()
                    label = f"{where}/{rule.keyword}/"
                    inner.add_new(0x00100010, "PN", planter.value(label + "PatientName", "PN"))
                    inner.add_new(0x00081155, "UI", planter.value(label + "UID", "UI"))
                    inner.add_new(0x00081070, "PN", planter.value(label + "OperatorsName", "PN"))
                    target.add_new(tag, "SQ", Sequence([inner]))
                else:
                    target.add_new(tag, rule.vr, planter.value(f"{where}/{rule.keyword}", rule.vr))
            target.add_new(0x00190010, "LO", "CANARY CREATOR")
            target.add_new(0x00191001, "LO", planter.value(where + "/private", "LO"))
            hidden = Dataset()
            hidden.add_new(0x00100010, "PN", planter.value(where + "/private sequence", "PN"))
            target.add_new(0x00191002, "SQ", Sequence([hidden]))
            for group in (0x6000, 0x6002, 0x601E, 0x5000, 0x5002):
                target.add_new(group << 16 | 0x0022, "LO", planter.value(f"{where}/{group:x}", "LO"))
                target.add_new(group << 16 | 0x3000, "OB", planter.value(f"{where}/{group:x} data", "OB"))
            if depth:
                for tag in SQ_KEPT:
                    item = Dataset()
                    fill(item, f"{where}/{tag:08x}", depth - 1)
                    target.add_new(tag, "SQ", Sequence([item]))

        with pydicom.config.disable_value_validation():
            fill(data, "top", 1)
        return Canaries(data, planter.planted)

    return make


@pytest.fixture
def element():
    """Explicit bytes of an element, little endian unless `big`."""

    def make(tag, vr, value, *, big=False):
        order = ">" if big else "<"
        head = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF) + vr.encode()
        if vr in ("OB", "OW", "UN", "SQ", "UT"):
            return head + struct.pack(order + "HI", 0, len(value)) + value
        return head + struct.pack(order + "H", len(value)) + value

    return make


@pytest.fixture
def put():
    """Put bytes where an element belongs at the top of an explicit file, in its place if it is there."""

    def make(source, tag, what, *, big=False):
        encoding = Encoding(implicit=False, little=not big)
        start = read_meta(source).dataset
        begin = None
        for element in Walker(source, start, encoding, Bounds()):
            if element.depth:
                continue
            head = element.offset - (12 if element.vr in LONG_VRS else 8)
            if begin is not None:
                return source[:begin] + what + source[head:]
            if element.tag >= tag:
                begin = head
                if element.tag > tag:
                    return source[:begin] + what + source[begin:]
        return source[: len(source) if begin is None else begin] + what

    return make
