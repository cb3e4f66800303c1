"""Types of geometry: what a slice says of itself, and how slices lie in a volume."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from plugins.contract.types import PluginFinding

Floats: TypeAlias = NDArray[np.float64]
Voxels: TypeAlias = NDArray[Any]
"""A volume (slice k, row j, column i) of modality values: int16, uint16, int32 or float32."""

Vector: TypeAlias = tuple[float, float, float]


class SliceHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What geometry needs to know of one plane (a single-frame image, or one frame of a multi-frame one).

    DICOM PS3.3 C.7.6.2 (Image Plane) and C.7.6.16 (functional groups). Lengths in mm, LPS.
    """

    source: int
    """Index of the file."""
    frame: int
    """Index of the frame in the file, from 0."""
    order: int
    """Instance Number or frame number: decides which of two planes at one position is taken."""
    rows: int
    columns: int
    samples: int = 1
    photometric: str = "MONOCHROME2"
    position: Vector | None = None
    """Image Position (Patient): centre of the first voxel."""
    row_direction: Vector | None = None
    """First half of Image Orientation (Patient): where the column index grows."""
    column_direction: Vector | None = None
    """Second half: where the row index grows."""
    row_spacing: float | None = None
    """Pixel Spacing, first value: between rows."""
    column_spacing: float | None = None
    """Pixel Spacing, second value: between columns."""
    low: float = -32768.0
    high: float = 32767.0
    """Range of modality values that Bits Stored and the rescale allow."""
    whole: bool = True
    """Modality values are whole numbers."""


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Where a plane goes: `height` mm along the normal from the first plane; `shift` mm within the plane.

    The shift (along rows, along columns) is zero unless the stack is sheared, as with a tilted gantry.
    """

    header: SliceHeader
    height: float
    shift: tuple[float, float]


class Arrangement(msgspec.Struct, frozen=True, kw_only=True):
    """Planes of one orientation, size and spacing, sorted along their normal."""

    placements: tuple[Placement, ...]
    row_direction: Vector
    column_direction: Vector
    normal: Vector
    origin: Vector
    """Centre of the first voxel of the first plane, LPS, mm."""
    spacing: Vector
    """mm between columns, rows and slices."""
    slices: int
    """Slices of the volume, with those that are missing."""


class Arranged(msgspec.Struct, frozen=True, kw_only=True):
    """An arrangement, or none if the planes are not a volume, and what was found on the way."""

    arrangement: Arrangement | None
    findings: list[PluginFinding]


class Volume(msgspec.Struct, frozen=True, kw_only=True):
    """Voxels (k, j, i) and the affine from (i, j, k, 1) to LPS in mm; its columns are orthogonal."""

    voxels: Voxels
    affine: Floats

    @property
    def spacing(self) -> Vector:
        """Distances between columns, rows and slices, mm."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(x), float(y), float(z)
