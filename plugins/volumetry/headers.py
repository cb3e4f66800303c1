"""Turn DICOM data sets into slice headers: single-frame planes and enhanced multi-frame groups. Pure.

Reads only what geometry needs. A value that is absent or malformed is none, so that geometry can say so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from plugins.imaging.types import SliceHeader, Vector

MAX_FRAMES = 65_536


def slice_headers(dataset: Any, source: int) -> list[SliceHeader]:
    """Describe every plane of a data set (pydicom, pixel data not needed).

    DICOM PS3.3 C.7.6.2 for single frames; C.7.6.16 functional groups (Plane Position, Plane Orientation,
    Pixel Measures, Pixel Value Transformation) for multi-frame images.
    """
    frames = frame_count(dataset)
    if frames == 1 and "SharedFunctionalGroupsSequence" not in dataset:
        return [_plane(dataset, [dataset], source, 0, _whole(dataset, "InstanceNumber") or 0)]
    shared = _first(dataset.get("SharedFunctionalGroupsSequence"))
    each = list(dataset.get("PerFrameFunctionalGroupsSequence") or [])[:frames]
    each += [None] * (frames - len(each))
    return [_plane(dataset, _groups(own, shared), source, index, index) for index, own in enumerate(each)]


def frame_count(dataset: Any) -> int:
    """Give Number of Frames, 1 if it is absent or malformed, never more than `MAX_FRAMES`."""
    return min(MAX_FRAMES, max(1, _whole(dataset, "NumberOfFrames") or 1))


def rescale_of(dataset: Any, frame: int) -> tuple[float, float]:
    """Give Rescale Slope and Intercept of a frame; 1 and 0 if there are none (PS3.3 C.11.1)."""
    each = dataset.get("PerFrameFunctionalGroupsSequence") or []
    own = each[frame] if frame < len(each) else None
    sources = [dataset, *_groups(own, _first(dataset.get("SharedFunctionalGroupsSequence")))]
    slope = _find(sources, "RescaleSlope")
    intercept = _find(sources, "RescaleIntercept")
    return (slope or 1.0), (intercept or 0.0)


def _groups(own: Any, shared: Any) -> list[Any]:
    """Give the items of the functional groups' sequences, a frame's own before the shared ones."""
    names = (
        "PlanePositionSequence",
        "PlaneOrientationSequence",
        "PixelMeasuresSequence",
        "PixelValueTransformationSequence",
    )
    return [
        item
        for group in (own, shared)
        if group is not None
        for name in names
        if (item := _first(group.get(name))) is not None
    ]


def _plane(dataset: Any, sources: list[Any], source: int, frame: int, order: int) -> SliceHeader:
    orientation = _numbers(sources, "ImageOrientationPatient", 6)
    position = _numbers(sources, "ImagePositionPatient", 3)
    spacing = _numbers(sources, "PixelSpacing", 2)
    low, high, whole = _range(dataset, frame)
    return SliceHeader(
        source=source,
        frame=frame,
        order=order,
        rows=_whole(dataset, "Rows") or 0,
        columns=_whole(dataset, "Columns") or 0,
        samples=_whole(dataset, "SamplesPerPixel") or 1,
        photometric=str(dataset.get("PhotometricInterpretation") or "MONOCHROME2"),
        position=_vector(position),
        row_direction=_vector(orientation[:3] if orientation else None),
        column_direction=_vector(orientation[3:] if orientation else None),
        row_spacing=spacing[0] if spacing else None,
        column_spacing=spacing[1] if spacing else None,
        low=low,
        high=high,
        whole=whole,
    )


def _range(dataset: Any, frame: int) -> tuple[float, float, bool]:
    """Say which modality values can occur, and whether they are whole."""
    if "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset or "ModalityLUTSequence" in dataset:
        return -3.4e38, 3.4e38, False
    bits = min(32, max(1, _whole(dataset, "BitsStored") or 16))
    signed = _whole(dataset, "PixelRepresentation") == 1
    low, high = (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if signed else (0.0, 2.0**bits - 1)
    slope, intercept = rescale_of(dataset, frame)
    ends = sorted((low * slope + intercept, high * slope + intercept))
    return ends[0], ends[1], slope.is_integer() and intercept.is_integer()


def _first(sequence: Any) -> Any:
    return sequence[0] if sequence else None


def _find(sources: Iterable[Any], name: str) -> float | None:
    for source in sources:
        values = _values(source, name)
        if values:
            return values[0]
    return None


def _numbers(sources: Iterable[Any], name: str, count: int) -> tuple[float, ...] | None:
    for source in sources:
        values = _values(source, name)
        if values is not None and len(values) == count:
            return values
    return None


def _values(source: Any, name: str) -> tuple[float, ...] | None:
    value = source.get(name)
    if value is None or value == "":
        return None
    many = value if hasattr(value, "__iter__") and not isinstance(value, str) else [value]
    try:
        return tuple(float(one) for one in many)
    except (TypeError, ValueError):
        return None


def _whole(dataset: Any, name: str) -> int | None:
    values = _values(dataset, name)
    return int(values[0]) if values and abs(values[0]) < 2**31 else None


def _vector(values: tuple[float, ...] | None) -> Vector | None:
    return (values[0], values[1], values[2]) if values else None
