"""The objects of a series: their planes, where these lie, and their stored values, one object at a time."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
import pydicom
from numpy.typing import NDArray

from agents.anonymization.outcome import Refusal
from plugins.imaging.geometry import normal_of
from plugins.imaging.types import SliceHeader
from plugins.volumetry.headers import rescale_of, slice_headers

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
"""SOP classes of one frame an object; the enhanced ones hold whole volumes, and are refused."""
MAX_OBJECTS = 4096
MAX_PIXELS = 4096 * 4096
"""Of an image: a header may claim any size."""
ONE_ORIENTATION = float(np.cos(np.radians(1.0)))
"""Planes whose directions differ by less belong together."""

DIGITS = 0.02
"""By which directions in headers, of six digits, are off length 1 and right angles at most."""
_NOT_REPLACED = (
    "ModalityLUTSequence",
    "IconImageSequence",
    "SharedFunctionalGroupsSequence",
    "FloatPixelData",
    "DoubleFloatPixelData",
)
"""With these, other values than the pixels show the image, or values mean something else."""

Plane = NDArray[Any]


class Series(NamedTuple):
    """What is known of a series without its pixels.

    Attributes
    ----------
    planes
        Of all objects; `source` is the object's index.
    hounsfield
        The values are Hounsfield units.
    instances
        SOP Instance UIDs.
    """

    planes: list[SliceHeader]
    hounsfield: bool
    instances: frozenset[str]


def read_series(objects: Sequence[bytes]) -> Series:
    """Read the headers of a series.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When they are no series of CT or MR images in one coordinate system, of values that can be replaced.
    """
    if not 0 < len(objects) <= MAX_OBJECTS:
        raise Refusal("face-not-removed", "The series has none or too many images to take a face out of.")
    datasets = [open_object(content, pixels=False) for content in objects]
    for dataset in datasets:
        if str(dataset.get("SOPClassUID")) not in (CT_IMAGE, MR_IMAGE):
            raise Refusal("face-not-removed", "Faces are taken out of CT and MR images of one frame only.")
        check_pixels(dataset)
    for keyword in ("SOPClassUID", "Modality", "SeriesInstanceUID", "FrameOfReferenceUID"):
        if len({str(dataset.get(keyword)) for dataset in datasets}) > 1:
            raise Refusal("face-not-removed", "The images are not of one series in one coordinate system.")
    planes = [slice_headers(dataset, source)[0] for source, dataset in enumerate(datasets)]
    instances = frozenset(str(dataset.get("SOPInstanceUID")) for dataset in datasets)
    return Series(planes, all(map(_in_hounsfield, datasets)), instances)


def open_object(content: bytes, *, pixels: bool = True) -> Any:
    """Parse an object.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When it is not DICOM.
    """
    try:
        return pydicom.dcmread(BytesIO(content), stop_before_pixels=not pixels)
    except Exception as error:  # pydicom raises whatever a malformed element provokes
        raise Refusal("face-not-removed", "An image of the series can't be read.") from error


def check_pixels(dataset: Any) -> None:
    """Raise `Refusal` at pixels that are no plain grey values: nothing here could replace them."""
    bits = int(dataset.get("BitsAllocated") or 0)
    plain = (
        int(dataset.get("SamplesPerPixel") or 1) == 1
        and str(dataset.get("PhotometricInterpretation")) in ("MONOCHROME1", "MONOCHROME2")
        and bits in (8, 16, 32)
        and int(dataset.get("HighBit") or 0) == int(dataset.get("BitsStored") or 0) - 1
        and 0 < int(dataset.get("BitsStored") or 0) <= bits
        and int(dataset.get("NumberOfFrames") or 1) == 1
        and 0 < int(dataset.get("Rows") or 0) * int(dataset.get("Columns") or 0) <= MAX_PIXELS
        and not any(keyword in dataset for keyword in _NOT_REPLACED)
    )
    if not plain:
        raise Refusal(
            "face-not-removed", "The images hold pixels of a kind from which no face can be removed."
        )


def decoded(dataset: Any) -> Plane:
    """Decode the stored values.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When no decoder can, or what it gives has another size than the header says.
    """
    try:
        plane: Plane = pydicom.pixels.pixel_array(dataset)
    except Exception as error:  # decoders raise whatever damaged pixel data provoke
        raise Refusal("face-not-removed", "The pixels of an image can't be decoded.") from error
    if plane.shape != (int(dataset.Rows), int(dataset.Columns)):
        raise Refusal("face-not-removed", "An image of the series has another size than it says.")
    return plane


class Values:
    """Modality values of a series' planes."""

    def __init__(self, objects: Sequence[bytes]) -> None:
        self._objects = objects

    def __call__(self, header: SliceHeader) -> Plane:
        """Give the modality values of a plane: Hounsfield units, or arbitrary ones."""
        dataset = open_object(self._objects[header.source])
        stored = decoded(dataset)
        slope, intercept = rescale_of(dataset, 0)
        if (slope, intercept) == (1.0, 0.0):
            return stored
        if header.whole:
            return stored.astype(np.int64) * int(slope) + int(intercept)
        return stored.astype(np.float64) * slope + intercept


def orientations(planes: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    """Group planes by where they face, the largest group first.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When a plane does not say where it lies: nobody could tell what of it is a face.
    """
    groups: list[list[SliceHeader]] = []
    for plane in planes:
        if not _placed(plane):
            raise Refusal(
                "face-not-removed", "An image of the series does not say where it lies in the patient."
            )
        normal = normal_of(plane)
        for group in groups:
            if abs(float(normal_of(group[0]) @ normal)) > ONE_ORIENTATION:
                group.append(plane)
                break
        else:
            groups.append([plane])
    return sorted(groups, key=len, reverse=True)


def _placed(plane: SliceHeader) -> bool:
    if plane.position is None or plane.row_direction is None or plane.column_direction is None:
        return False
    row, column = np.array(plane.row_direction), np.array(plane.column_direction)
    spaced = (plane.row_spacing or 0) > 0 and (plane.column_spacing or 0) > 0
    known = np.isfinite([*plane.position, *row, *column]).all()
    off = np.array([row @ row - 1, column @ column - 1, row @ column])
    return bool(spaced and known and np.abs(off).max() < DIGITS)


def _in_hounsfield(dataset: Any) -> bool:
    kind = str(dataset.get("RescaleType") or "HU")
    return str(dataset.get("Modality")) == "CT" and kind == "HU" and "RescaleIntercept" in dataset
