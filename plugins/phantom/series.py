"""Turn voxels into DICOM: single-frame CT and MR series, and one enhanced multi-frame image. Pure."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from plugins.imaging.types import Vector
from plugins.phantom.ellipsoid import draw_spec, fill, lay_out
from plugins.phantom.identity import identify, uid
from plugins.phantom.types import Layout, PhantomSpec

SOP_CLASSES = {"CT": "1.2.840.10008.5.1.4.1.1.2", "MR": "1.2.840.10008.5.1.4.1.1.4"}
ENHANCED_SOP_CLASSES = {"CT": "1.2.840.10008.5.1.4.1.1.2.1", "MR": "1.2.840.10008.5.1.4.1.1.4.1"}
CT_INTERCEPT = -1024
"""Stored CT values are unsigned, as scanners write them."""


def make_series(seed: int, **chosen: Any) -> list[Dataset]:
    """Make a series of single-frame images of the phantom that `draw_spec` draws with the same arguments.

    Returns
    -------
    list of Dataset
        In slice order, with file meta information: ``dataset.save_as(path, enforce_file_format=True)``.
    """
    return series_of(draw_spec(seed, **chosen))


def series_of(spec: PhantomSpec) -> list[Dataset]:
    """Make the single-frame images of a phantom."""
    layout = lay_out(spec)
    return planes_of(fill(spec, layout), layout, spec, description="Phantom, ellipsoid with four markers")


def planes_of(
    voxels: NDArray[np.int16], layout: Layout, spec: PhantomSpec, *, description: str
) -> list[Dataset]:
    """Make one image for each slice of `voxels` (modality values)."""
    images = []
    for k, position in enumerate(layout.positions):
        dataset = _image(spec, voxels[k], SOP_CLASSES[spec.modality], (k,), description)
        dataset.InstanceNumber = k + 1
        dataset.ImagePositionPatient = _decimals(position)
        dataset.ImageOrientationPatient = _decimals((*layout.row_direction, *layout.column_direction))
        dataset.PixelSpacing = _decimals((spec.spacing_mm[1], spec.spacing_mm[0]))
        dataset.SliceThickness = _decimals((spec.spacing_mm[2],))[0]
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL" if spec.modality == "CT" else "OTHER"]
        if spec.modality == "CT":
            dataset.RescaleSlope = 1
            dataset.RescaleIntercept = CT_INTERCEPT
            dataset.RescaleType = "HU"
            dataset.KVP = 120
            dataset.AcquisitionNumber = 1
        else:
            dataset.ScanningSequence = "GR"
            dataset.SequenceVariant = "NONE"
            dataset.ScanOptions = ""
            dataset.MRAcquisitionType = "3D"
            dataset.EchoTime = 4
            dataset.RepetitionTime = 10
            dataset.EchoTrainLength = 1
        images.append(dataset)
    return images


def enhanced_of(spec: PhantomSpec) -> Dataset:
    """Make one multi-frame image of a phantom, geometry in its functional groups (PS3.3 C.7.6.16)."""
    layout = lay_out(spec)
    voxels = fill(spec, layout)
    dataset = _image(spec, voxels, ENHANCED_SOP_CLASSES[spec.modality], ("enhanced",), "Phantom, multi-frame")
    dataset.NumberOfFrames = layout.slices
    dataset.InstanceNumber = 1
    shared = Dataset()
    orientation = Dataset()
    orientation.ImageOrientationPatient = _decimals((*layout.row_direction, *layout.column_direction))
    shared.PlaneOrientationSequence = Sequence([orientation])
    measures = Dataset()
    measures.PixelSpacing = _decimals((spec.spacing_mm[1], spec.spacing_mm[0]))
    measures.SliceThickness = _decimals((spec.spacing_mm[2],))[0]
    shared.PixelMeasuresSequence = Sequence([measures])
    transformation = Dataset()
    transformation.RescaleSlope = 1
    transformation.RescaleIntercept = CT_INTERCEPT if spec.modality == "CT" else 0
    transformation.RescaleType = "HU" if spec.modality == "CT" else "US"
    shared.PixelValueTransformationSequence = Sequence([transformation])
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = []
    for position in layout.positions:
        plane = Dataset()
        plane.ImagePositionPatient = _decimals(position)
        frame = Dataset()
        frame.PlanePositionSequence = Sequence([plane])
        frames.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(frames)
    return dataset


def _image(
    spec: PhantomSpec, values: NDArray[np.int16], sop_class: str, parts: tuple[object, ...], description: str
) -> Dataset:
    series = (msgspec.json.encode(spec).decode(), description, sop_class)
    dataset = Dataset()
    identify(dataset, spec.seed)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = uid("instance", *series, *parts)
    dataset.StudyInstanceUID = uid("study", spec.seed, spec.study)
    dataset.SeriesInstanceUID = uid("series", *series)
    dataset.FrameOfReferenceUID = uid("frame", spec.seed, spec.study)
    dataset.Modality = spec.modality
    dataset.Manufacturer = "CHIPS phantom"
    dataset.ManufacturerModelName = "Ellipsoid"
    dataset.SoftwareVersions = "1"
    dataset.PatientPosition = "HFS"
    dataset.PositionReferenceIndicator = ""
    dataset.BodyPartExamined = "PHANTOM"
    dataset.Laterality = ""
    dataset.SeriesNumber = 1
    dataset.StudyDescription = "Phantom study"
    dataset.SeriesDescription = description
    dataset.Rows, dataset.Columns = values.shape[-2:]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = 16
    dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.PixelRepresentation = 0
    stored = values.astype(np.int32) - (CT_INTERCEPT if spec.modality == "CT" else 0)
    dataset.PixelData = stored.astype("<u2").tobytes()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def _decimals(values: tuple[float, ...] | Vector) -> list[str]:
    """Write decimal strings of at most 16 characters (PS3.5 6.2, DS)."""
    return [f"{value:.10f}"[:16] for value in values]
