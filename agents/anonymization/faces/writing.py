"""Objects without a face: pixels replaced, everything else as it was but for what says so."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

import numpy as np
import SimpleITK
from numpy.typing import NDArray
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, ExplicitVRLittleEndian

from agents.anonymization.encode import part10
from agents.anonymization.faces.head import HEAD_VERSION
from agents.anonymization.faces.removing import Mask, fill_of
from agents.anonymization.faces.series import decoded
from agents.anonymization.outcome import Refusal
from agents.anonymization.standard.codes import OPTION_CODES

REVISION = 1
"""Counts changes of this package that change what comes out."""
_PROCESSED = "121322", "Source image for image processing operation"
"""CID 7202."""
_DONE = "Clean Recognizable Visual Features: the face and the ears replaced with air"
TOOL = f"CHIPS faces {REVISION}, head {HEAD_VERSION}, SimpleITK {SimpleITK.Version.VersionString()}"
"""What decided, with what of it may change the result."""


def derived_uid(instance_uid: str) -> str:
    """Give the SOP Instance UID of an image's version without a face: the same for the same image.

    What it is made of was made with the project's key, so that this is as bound to the key as that.
    """
    digest = hashlib.sha256(f"chips/1/face/{REVISION}/{instance_uid}".encode()).digest()
    low = 10**38  # as `gateway.identity.pseudonymous_uid`: 39 digits, no prefix of another
    return f"2.25.{low + int.from_bytes(digest) % (2**128 - low)}"


def without_face(dataset: Any, face: Mask, air: float, series: Collection[str]) -> bytes:
    """Write an object that has air where `face` is true.

    Parameters
    ----------
    dataset
        The object; it is changed.
    face
        (rows, columns).
    air
        Modality value.
    series
        SOP Instance UIDs of the series: what refers to one of them refers to what it becomes.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When its pixels can't be decoded or are not what the header says.
    """
    if "PixelData" not in dataset:
        raise Refusal("face-not-removed", "An image of the series has no pixels that could be replaced.")
    fill = fill_of(dataset, air)
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    if syntax.is_encapsulated:
        values = _native(dataset, np.where(face, fill, decoded(dataset)))
    else:
        values = _replaced(dataset, face, fill, "<" if syntax.is_little_endian else ">")
    if syntax.is_encapsulated or syntax.is_deflated:
        syntax = ExplicitVRLittleEndian
    _update_range(dataset, values)
    dataset["PixelData"].value = values.tobytes() + bytes(values.nbytes % 2)
    _refer(dataset, series)
    _describe(dataset)
    return _written(dataset, syntax)


def _replaced(dataset: Any, face: Mask, fill: int, order: str) -> NDArray[Any]:
    """Replace values in the bytes as they stand, so that no other bit can change."""
    kind = np.dtype(f"{order}u{int(dataset.BitsAllocated) // 8}")
    content = dataset.PixelData
    size = face.size * kind.itemsize
    if not size <= len(content) <= size + 1:
        raise Refusal("face-not-removed", "An image of the series has another size than it says.")
    values = np.frombuffer(content[:size], dtype=kind).reshape(face.shape).copy()
    values[face] = fill & int(np.iinfo(kind).max)
    return values


def _native(dataset: Any, stored: NDArray[Any]) -> NDArray[Any]:
    """Give decoded values as uncompressed pixel data has them."""
    size = int(dataset.BitsAllocated) // 8
    element = dataset["PixelData"]
    element.VR = "OB" if size == 1 else "OW"
    element.is_undefined_length = False
    for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        dataset.pop(keyword, None)
    return stored.astype(f"<{'i' if _signed(dataset) else 'u'}{size}").view(f"<u{size}")


def _signed(dataset: Any) -> bool:
    return int(dataset.get("PixelRepresentation") or 0) == 1


def _refer(dataset: Any, series: Collection[str]) -> None:
    """Rename in references; only sequences are parsed, so that other elements stay as they are."""
    for tag in list(dataset.keys()):
        vr = dataset.get_item(tag).VR or (dictionary_VR(tag) if dictionary_has_tag(tag) else "")
        if vr != "SQ":
            continue
        for item in dataset[tag].value:
            for element in item.iterall():
                if element.keyword == "ReferencedSOPInstanceUID" and str(element.value) in series:
                    element.value = derived_uid(str(element.value))


def _describe(dataset: Any) -> None:
    """Say what was done (PS3.3, C.7.6.1.1.3 and C.12.4.1; PS3.15, E.3.2)."""
    source = Dataset()
    source.ReferencedSOPClassUID = dataset.SOPClassUID
    source.ReferencedSOPInstanceUID = dataset.SOPInstanceUID
    source.PurposeOfReferenceCodeSequence = Items([_code(*_PROCESSED)])
    dataset.SourceImageSequence = Items([*(dataset.get("SourceImageSequence") or []), source])
    dataset.SOPInstanceUID = derived_uid(str(dataset.SOPInstanceUID))
    dataset.RecognizableVisualFeatures = "NO"
    dataset.ImageType = ["DERIVED", *(list(dataset.get("ImageType") or [])[1:] or ["SECONDARY"])]
    option = OPTION_CODES["clean_recognizable_visual_features"]
    dataset.DerivationDescription = _DONE
    dataset.DerivationCodeSequence = Items([_code(option.value, option.meaning)])
    codes = list(dataset.get("DeidentificationMethodCodeSequence") or [])
    if all(str(code.get("CodeValue")) != option.value for code in codes):
        codes.append(_code(option.value, option.meaning))
    dataset.DeidentificationMethodCodeSequence = Items(codes)


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = "DCM"
    item.CodeMeaning = meaning
    return item


def _update_range(dataset: Any, values: NDArray[Any]) -> None:
    signed = _signed(dataset)
    seen = values.view(values.dtype.str.replace("u", "i")) if signed else values
    for keyword, value in (("SmallestImagePixelValue", seen.min()), ("LargestImagePixelValue", seen.max())):
        if keyword not in dataset:
            continue
        if values.dtype.itemsize > 2:  # noqa: PLR2004 - US and SS have two bytes
            del dataset[keyword]
        else:
            dataset[keyword].VR = "SS" if signed else "US"
            dataset[keyword].value = int(value)


def _written(dataset: Any, syntax: UID) -> bytes:
    """Write the data set; elements that nobody touched go out as the bytes they came in."""
    stream = DicomBytesIO()
    stream.is_implicit_VR = syntax.is_implicit_VR
    stream.is_little_endian = syntax.is_little_endian
    write_dataset(stream, dataset)
    return part10(str(dataset.SOPClassUID), str(dataset.SOPInstanceUID), str(syntax), stream.getvalue())
