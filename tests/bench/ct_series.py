"""CT slices of 0.5 MB as scanners write them, with values in them that must not come out.

pydicom's CT_small, 262 elements of which two thirds are private, with pixels of 512 x 512, nested sequences
and what a sender adds. From slice to slice times, positions, numbers, UIDs and a private value move; each
three hundred slices have a patient of their own.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pydicom
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage

SIDE = 512
SLICES = 300
"""Of one patient."""
_MAKER = "BENCH SCANNER"


class Slice(NamedTuple):
    """A file, and what must not be found in what is made of it, by where it stands."""

    path: Path
    canaries: dict[str, str]


def left_in(content: bytes, canaries: dict[str, str]) -> set[str]:
    """Tell of which canaries bytes have a trace, be it in UTF-16."""
    return {
        where
        for where, canary in canaries.items()
        if any(canary.encode(codec) in content for codec in ("ascii", "utf-16-le", "utf-16-be"))
    }


def write_slices(folder: Path, count: int) -> list[Slice]:
    """Write files."""
    data = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    data.Rows = data.Columns = SIDE
    data.PixelData = bytes(range(256)) * (2 * SIDE * SIDE // 256)
    data["PixelData"].VR = "OW"
    block = data.private_block(0x0019, "GEMS_ACQU_01")
    slices = []
    for number in range(count):
        canaries = _plant(data, number)
        data.InstanceNumber = number % SLICES + 1
        data.ImagePositionPatient = [-158.135803, -179.035797, -75.699997 + 1.25 * number]
        data.SliceLocation = -75.699997 + 1.25 * number
        data.ContentTime = data.AcquisitionTime = f"1012{number % 60:02}.{number:06}"
        block.add_new(0x39, "SS", number % 7)
        slices.append(Slice(folder / f"{number:04}.dcm", canaries))
        stream = BytesIO()
        pydicom.dcmwrite(stream, data, enforce_file_format=True)
        slices[-1].path.write_bytes(stream.getvalue())
    return slices


def _plant(data: Dataset, number: int) -> dict[str, str]:
    patient = number // SLICES
    canaries = {
        "name": f"CANARY{patient:03}NAME",
        "id": f"CANARY{patient:03}ID",
        "accession": f"CANARY{patient:03}ACC",
        "institution": f"CANARY{patient:03}CLINIC",
        "operator": f"CANARY{patient:03}OPERATOR",
        "comment": f"CANARY{patient:03}COMMENT",
        "station": f"CANARY{patient:03}STATION",
        "study UID": f"1.2.826.0.1.3680043.10.4711.{patient}",
        "instance UID": f"1.2.826.0.1.3680043.10.4712.{number}",
        "nested name": f"CANARY{patient:03}NESTED",
        "nested UID": f"1.2.826.0.1.3680043.10.4713.{number}",
        "private": f"CANARY{patient:03}PRIVATE",
        "name in a private sequence": f"CANARY{patient:03}HIDDEN",
        "name as UTF-16 in private bytes": f"CANARY{patient:03}WIDE",
        "curve": f"CANARY{patient:03}CURVE",
        "file meta": f"CANARY{patient:03}AE",
        "preamble": f"CANARY{patient:03}PREAMBLE",
    }
    data.PatientName, data.PatientID = f"{canaries['name']}^A", canaries["id"]
    data.IssuerOfPatientID = "BENCH"
    data.AccessionNumber, data.InstitutionName = canaries["accession"], canaries["institution"]
    data.OperatorsName, data.ImageComments = f"{canaries['operator']}^B", canaries["comment"]
    data.StationName, data.StudyInstanceUID = canaries["station"], canaries["study UID"]
    data.SeriesInstanceUID = f"{canaries['study UID']}.1"
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = canaries["instance UID"]
    data.file_meta.SourceApplicationEntityTitle = canaries["file meta"]
    data.preamble = canaries["preamble"].encode().ljust(128, b"\0")
    reference = _item(ReferencedSOPClassUID=CTImageStorage, ReferencedSOPInstanceUID=canaries["nested UID"])
    reference.PurposeOfReferenceCodeSequence = _code("121311", "DCM", "Localizer")
    data.ReferencedImageSequence = Sequence([reference])
    region = _item(PersonName=f"{canaries['nested name']}^C")
    region.update(_code("T-D1100", "SRT", "Head")[0])
    data.AnatomicRegionSequence = Sequence([region])
    data.ProcedureCodeSequence = _code("CTH", "99BENCH", "CT Head")
    block = data.private_block(0x1901, _MAKER, create=True)
    block.add_new(1, "LO", canaries["private"])
    block.add_new(3, "OB", canaries["name as UTF-16 in private bytes"].encode("utf-16-le"))
    data.add_new(0x50020022, "LO", canaries["curve"])
    block.add_new(2, "SQ", Sequence([_item(PatientName=f"{canaries['name in a private sequence']}^D")]))
    return canaries


def _item(**values: object) -> Dataset:
    made = Dataset()
    for name, value in values.items():
        setattr(made, name, value)
    return made


def _code(value: str, scheme: str, meaning: str) -> Sequence:
    return Sequence([_item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)])
