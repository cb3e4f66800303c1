"""Fill a volume from its planes, one at a time. Pure but for the caller's `load`.

Memory: the volume and two planes. A volume beyond `MAX_VOLUME_BYTES` is halved in plane as often as needed,
while it is filled, so that any series fits into a plugin's memory limit and a browser's texture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import DTypeLike, NDArray

from plugins.imaging.types import Arrangement, Floats, Placement, SliceHeader, Volume, Voxels

MAX_VOLUME_BYTES = 640 * 2**20
"""512 x 512 x 1280 of 16 bit."""

Plane = NDArray[Any]
Load = Callable[[SliceHeader], Plane]


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """Size of a volume before filling: voxels, padding in mm before the first column and row, halving."""

    slices: int
    rows: int
    columns: int
    pad_columns: int
    pad_rows: int
    reduction: int


def dtype_for(headers: Sequence[SliceHeader]) -> DTypeLike:
    """Choose the smallest of int16, uint16, int32 and float32 that holds every modality value."""
    low = min(header.low for header in headers)
    high = max(header.high for header in headers)
    if all(header.whole for header in headers):
        for candidate in (np.int16, np.uint16, np.int32):
            if np.iinfo(candidate).min <= low and high <= np.iinfo(candidate).max:
                return candidate
    return np.float32


def grid_of(arrangement: Arrangement, itemsize: int, limit: int = MAX_VOLUME_BYTES) -> Grid:
    """Size the volume: room for sheared planes on every side, halved in plane until it fits `limit` bytes."""
    header = arrangement.placements[0].header
    along_row, along_column = arrangement.spacing[:2]
    shifts = np.array([placement.shift for placement in arrangement.placements])
    pad_columns = math.ceil(max(0.0, -float(shifts[:, 0].min())) / along_row)
    pad_rows = math.ceil(max(0.0, -float(shifts[:, 1].min())) / along_column)
    columns = header.columns + pad_columns + math.ceil(max(0.0, float(shifts[:, 0].max())) / along_row)
    rows = header.rows + pad_rows + math.ceil(max(0.0, float(shifts[:, 1].max())) / along_column)
    reduction = 1
    while (
        arrangement.slices * math.ceil(rows / reduction) * math.ceil(columns / reduction) * itemsize > limit
        and min(rows, columns) // reduction > 64  # noqa: PLR2004 - pixels: smaller shows nothing
    ):
        reduction *= 2
    return Grid(
        slices=arrangement.slices,
        rows=math.ceil(rows / reduction),
        columns=math.ceil(columns / reduction),
        pad_columns=pad_columns,
        pad_rows=pad_rows,
        reduction=reduction,
    )


def affine_of(arrangement: Arrangement, grid: Grid) -> Floats:
    """Give the affine from (i, j, k, 1) to LPS mm; voxel centres, DICOM PS3.3 C.7.6.2.1.1."""
    row, column, normal = (
        np.array(direction)
        for direction in (arrangement.row_direction, arrangement.column_direction, arrangement.normal)
    )
    along_row, along_column, step = arrangement.spacing
    corner = np.array(arrangement.origin)
    # A reduced voxel's centre lies between those of the voxels it averages.
    half = (grid.reduction - 1) / 2
    corner = corner + row * along_row * (half - grid.pad_columns)
    corner = corner + column * along_column * (half - grid.pad_rows)
    affine = np.eye(4)
    affine[:3, 0] = row * along_row * grid.reduction
    affine[:3, 1] = column * along_column * grid.reduction
    affine[:3, 2] = normal * step
    affine[:3, 3] = corner
    return affine


def assemble(
    arrangement: Arrangement,
    load: Load,
    *,
    advance: Callable[[int, int], None] = lambda _done, _all: None,
    limit: int = MAX_VOLUME_BYTES,
) -> tuple[Volume, Grid]:
    """Fill the volume.

    Parameters
    ----------
    arrangement
        Where each plane lies.
    load
        Gives the modality values (rows, columns) of a plane.
    advance
        Told the planes read so far, and their count.
    limit
        Bytes that the voxels may take.

    Returns
    -------
    tuple of Volume and Grid
        The volume in LPS, and how it was sized.
    """
    placements = arrangement.placements
    dtype = dtype_for([placement.header for placement in placements])
    grid = grid_of(arrangement, np.dtype(dtype).itemsize, limit)
    voxels: Voxels = np.zeros((grid.slices, grid.rows, grid.columns), dtype=dtype)
    step = arrangement.spacing[2]
    exact = np.array([placement.height for placement in placements]) / step
    before: Plane | None = None
    reached = 0
    for index, placement in enumerate(placements):
        plane = _in_grid(load(placement.header), placement, arrangement, grid)
        last = index == len(placements) - 1
        # Every grid slice up to this plane lies between the plane before and this one.
        end = grid.slices if last else min(grid.slices, math.floor(float(exact[index]) + 1e-6) + 1)
        for k in range(reached, end):
            voxels[k] = _cast(_between(before, plane, exact, index, k), dtype)
        reached = max(reached, end)
        before = plane
        advance(index + 1, len(placements))
    return Volume(voxels=voxels, affine=affine_of(arrangement, grid)), grid


def _between(before: Plane | None, plane: Plane, exact: Floats, index: int, k: int) -> Plane:
    if before is None:
        return plane
    low, high = float(exact[index - 1]), float(exact[index])
    share = (k - low) / (high - low)
    # Positions in headers are rounded: a slice that lies nearly on its plane is that plane, not a blur.
    if share > 1 - 0.05 / (high - low):
        return plane
    if share < 0.05 / (high - low):
        return before
    return np.asarray((1 - share) * before + share * plane)


def _in_grid(plane: Plane, placement: Placement, arrangement: Arrangement, grid: Grid) -> Plane:
    along_row, along_column = arrangement.spacing[:2]
    offset_columns = grid.pad_columns + placement.shift[0] / along_row
    offset_rows = grid.pad_rows + placement.shift[1] / along_column
    columns, rows = grid.columns * grid.reduction, grid.rows * grid.reduction
    if grid.reduction > 1 or plane.shape != (grid.rows, grid.columns) or any(placement.shift):
        empty = float(plane.min())
        plane = _shifted(plane, offset_columns, columns, 1, empty)
        plane = _shifted(plane, offset_rows, rows, 0, empty)
    if grid.reduction > 1:
        blocks = plane.reshape(grid.rows, grid.reduction, grid.columns, grid.reduction)
        plane = blocks.mean(axis=(1, 3), dtype=np.float64)
    return plane


def _shifted(plane: Plane, offset: float, size: int, axis: int, empty: float) -> Plane:
    """Move a plane by `offset` voxels along `axis` into a length of `size`, linearly interpolated."""
    plane = np.moveaxis(plane, axis, 0)
    whole = math.floor(offset)
    share = offset - whole
    result = np.full((size + 1, *plane.shape[1:]), empty, dtype=np.float64)
    count = min(plane.shape[0], size + 1 - whole)
    result[whole : whole + count] = plane[:count]
    if share > 0:
        result[1:] = (1 - share) * result[1:] + share * result[:-1]
    return np.moveaxis(result[:size], 0, axis)


def _cast(plane: Plane, dtype: DTypeLike) -> Plane:
    if np.issubdtype(dtype, np.integer) and not np.issubdtype(plane.dtype, np.integer):
        return np.rint(plane)
    return plane
