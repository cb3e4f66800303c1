"""Real files, and copies of them about a made-up person: what pydicom brings, and a real MR series."""

from __future__ import annotations

import contextlib
import functools
import os
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import data_store
import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from plugins.phantom.series import make_series
from tests.canaries.person import Person

SHARED = Path(__file__).parents[3] / "shared"
"""Data beside the checkout."""
SERIES = "data/vs-seg-001.tar.xz"
MOST_ITEMS = 50


@functools.cache
def files() -> list[Path]:
    """Give every file of pydicom and pydicom-data that looks like DICOM."""
    folders = (Path(module.__file__).parent / "data" for module in (pydicom, data_store))
    return [path for folder in folders for path in sorted(folder.rglob("*")) if _looks_like_dicom(path)]


def _looks_like_dicom(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM" or path.suffix == ".dcm"


def series() -> Iterator[bytes]:
    """Give the images of the real MR series; outside of CI, where it may be missing, of a made-up one."""
    archive = SHARED / SERIES
    if not archive.exists():
        assert "CI" not in os.environ, f"{archive} is missing"
        yield from _phantom()
        return
    with tarfile.open(archive) as members:
        for member in members:
            stream = members.extractfile(member)
            if stream is not None and member.name.endswith(".dcm"):
                yield stream.read()


def _phantom() -> Iterator[bytes]:
    halves, spacing = (40.0, 40.0, 40.0), (4.0, 4.0, 4.0)
    for data in make_series(
        5,
        axes_mm=halves,
        spacing_mm=spacing,
        rotation=(0.0, 0.0, 0.0),
        tilt=0.0,
        noise=5.0,
        modality="MR",
        study=1,
    ):
        stream = BytesIO()
        data.save_as(stream, enforce_file_format=True)
        yield stream.getvalue()


def about(content: bytes, person: Person) -> bytes | None:
    """Give a copy that names a person wherever files do; None when pydicom can't write it."""
    with contextlib.suppress(Exception), pydicom.config.disable_value_validation():
        data = pydicom.dcmread(BytesIO(content), force=True)
        for item in [data, *list(_items(data))[:MOST_ITEMS]]:
            _name(item, person)
        person.describe(data)
        request = Dataset()
        person.describe(request)
        data.RequestAttributesSequence = Sequence([request])
        data.StudyDescription, data.SeriesDescription = person.sentences()[1], person.sentences()[4]
        data.ImageComments = " ".join(person.sentences())
        data.add_new(0x00990010, "LO", f"{person.institution} 1.0")
        data.add_new(0x00991001, "LO", person.name)
        data.preamble = f"II*\0{person.name}".encode().ljust(128, b"\0")
        data.file_meta.SourceApplicationEntityTitle = person.operator.upper()
        stream = BytesIO()
        pydicom.dcmwrite(stream, data, enforce_file_format=True)
        return stream.getvalue()
    return None


def _items(data: Dataset) -> Iterator[Dataset]:
    for element in data:
        if element.VR == "SQ":
            for item in element.value:
                yield item
                yield from _items(item)


def _name(item: Dataset, person: Person) -> None:
    item.PatientName = person.name
    item.PatientID = person.patient_id
    item.OperatorsName = person.operator
    item.InstitutionName = person.institution
    item.add_new(0x00991001, "PN", person.name)
    if "CodeMeaning" in item:
        item.CodeMeaning = f"of {person.family}"


def head(content: bytes, source: bytes) -> bytes:
    """Give an output without its pixels, which are the source's, so that the search has less to read."""
    pixels = pydicom.dcmread(BytesIO(source), force=True).get("PixelData")
    return content.replace(pixels, b"", 1) if pixels and len(pixels) > 1024 else content
