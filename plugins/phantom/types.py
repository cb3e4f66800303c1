"""What a phantom is: an ellipsoid of known volume with markers, and how it is scanned."""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from plugins.imaging.types import Vector

AIR = {"CT": -1000, "MR": 20}
BODY = {"CT": 40, "MR": 420}
CORE = {"CT": 120, "MR": 640}
MARKER = {"CT": 900, "MR": 1100}
"""Modality values: Hounsfield units of CT, arbitrary units of MR."""


class PhantomSpec(msgspec.Struct, frozen=True, kw_only=True):
    """An ellipsoid whose axes lie along L, P and S, and the grid of planes that scans it.

    Lengths in mm, angles in degrees, positions in LPS.
    """

    seed: int
    modality: Literal["CT", "MR"] = "CT"
    axes_mm: Vector
    """Semi-axes along L, P and S."""
    spacing_mm: Vector
    """Between columns, between rows, between slices (along the normal)."""
    rotation: Vector = (0.0, 0.0, 0.0)
    """Of the planes, about L, then P, then S."""
    tilt: float = 0.0
    """Of the gantry: the angle between the direction of stacking and the normal, towards the rows' end."""
    noise: float = 0.0
    """Standard deviation, modality values."""
    centre: Vector = (0.0, 0.0, 0.0)
    study: int = 0
    """Series of one seed with the same study number share a study."""

    @property
    def volume_ml(self) -> float:
        """Volume of the ellipsoid, mL."""
        a, b, c = self.axes_mm
        return 4.0 / 3.0 * math.pi * a * b * c / 1000.0

    @property
    def marker_radius(self) -> float:
        """Radius of a marker sphere, mm: three voxels across in the coarsest direction, and visible."""
        return max(1.5 * max(self.spacing_mm), 0.06 * min(self.axes_mm))

    @property
    def landmarks(self) -> tuple[Vector, ...]:
        """Centres of the marker spheres, inside the ellipsoid, one on each half axis but in no symmetry."""
        a, b, c = self.axes_mm
        x, y, z = self.centre
        return (
            (x + 0.62 * a, y, z),
            (x, y + 0.55 * b, z),
            (x, y, z + 0.58 * c),
            (x - 0.35 * a, y - 0.35 * b, z - 0.3 * c),
        )

    @property
    def fine_enough(self) -> bool:
        """Say whether markers fit inside without touching each other or the surface."""
        return min(self.axes_mm) > 8 * max(self.spacing_mm)


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """The planes that scan a phantom."""

    rows: int
    columns: int
    slices: int
    row_direction: Vector
    column_direction: Vector
    normal: Vector
    positions: tuple[Vector, ...]
    """Of the first voxel of each plane."""
