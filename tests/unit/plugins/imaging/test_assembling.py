"""Voxels go where their planes lie, whatever is done to fill the grid."""

from __future__ import annotations

import numpy as np
import pytest

from plugins.imaging.assembling import affine_of, assemble, dtype_for, grid_of
from plugins.imaging.geometry import arrange
from plugins.imaging.types import SliceHeader


def plane(index, position, **change):
    fields = {
        "source": index,
        "frame": 0,
        "order": index,
        "rows": 40,
        "columns": 30,
        "position": tuple(float(value) for value in position),
        "row_direction": (1.0, 0.0, 0.0),
        "column_direction": (0.0, 1.0, 0.0),
        "row_spacing": 2.0,
        "column_spacing": 1.5,
    }
    return SliceHeader(**(fields | change))


def ramp(header):
    """Values that are linear in LPS, so that linear interpolation is exact: 3 x + 2 y + 5 z."""
    x, y, z = header.position
    i = np.arange(header.columns)[None, :] * header.column_spacing
    j = np.arange(header.rows)[:, None] * header.row_spacing
    return 3 * (x + i) + 2 * (y + j) + 5 * z


def expected(volume):
    k, j, i = np.indices(volume.voxels.shape)
    points = np.stack([i, j, k, np.ones_like(i)], axis=-1) @ volume.affine.T
    return points @ np.array([3.0, 2.0, 5.0, 0.0])


FLOAT = {"whole": False}


def test_every_voxel_has_the_value_of_its_place():
    arrangement = arrange([plane(k, (4, 5, 3 * k), **FLOAT) for k in range(5)]).arrangement
    volume, _ = assemble(arrangement, ramp)
    assert volume.voxels.shape == (5, 40, 30)
    assert np.allclose(volume.voxels, expected(volume), atol=1e-3)


def test_gaps_and_uneven_planes_are_interpolated_in_place():
    heights = [0, 3, 6, 12.6, 15, 18, 21.3, 24, 27]
    arrangement = arrange([plane(k, (4, 5, z), **FLOAT) for k, z in enumerate(heights)]).arrangement
    volume, _ = assemble(arrangement, ramp)
    assert volume.voxels.shape[0] == 10
    # A plane within a twentieth of the spacing is taken as it is.
    assert np.abs(volume.voxels - expected(volume)).max() <= 5 * 0.05 * 3 * 1.2


@pytest.mark.parametrize("lean", [(0.5, 0.0), (0.0, 0.5), (-0.7, -0.4), (0.31, 0.9)])
def test_sheared_planes_are_straightened_in_place(lean):
    headers = [plane(k, (lean[0] * k, lean[1] * k, 3 * k), **FLOAT) for k in range(8)]
    arrangement = arrange(headers).arrangement
    empty = -1e6
    volume, grid = assemble(arrangement, ramp)
    assert grid.rows >= 40
    assert grid.columns >= 30
    # Inside the images: at least one voxel away from where they end.
    inner = np.zeros(volume.voxels.shape, dtype=bool)
    for k, placement in enumerate(arrangement.placements):
        first_column = int(np.ceil(grid.pad_columns + placement.shift[0] / 1.5)) + 1
        first_row = int(np.ceil(grid.pad_rows + placement.shift[1] / 2.0)) + 1
        inner[k, first_row : first_row + 37, first_column : first_column + 27] = True
    assert inner.sum() == 8 * 37 * 27
    assert np.abs(volume.voxels - expected(volume))[inner].max() < 1e-2
    assert volume.voxels.min() > empty


def test_halving_keeps_places_and_crops_nothing():
    headers = [plane(k, (4, 5, 3 * k), rows=301, columns=257, **FLOAT) for k in range(4)]
    arrangement = arrange(headers).arrangement
    volume, grid = assemble(arrangement, ramp, limit=4 * 301 * 257 * 4 // 3)
    assert grid.reduction == 2
    assert volume.voxels.shape == (4, 151, 129)
    inside = (slice(None), slice(0, 150), slice(0, 128))
    assert np.allclose(volume.voxels[inside], expected(volume)[inside], atol=1e-2)


def test_large_series_fit_their_limit():
    headers = [plane(k, (0, 0, 0.5 * k), rows=512, columns=512) for k in range(2000)]
    arrangement = arrange(headers).arrangement
    grid = grid_of(arrangement, 2)
    assert grid.reduction == 2
    assert grid.slices * grid.rows * grid.columns * 2 <= 640 * 2**20
    assert affine_of(arrangement, grid)[0, 0] == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("low", "high", "whole", "wanted"),
    [
        (-1024, 3071, True, np.int16),
        (0, 65535, True, np.uint16),
        (-1024, 64511, True, np.int32),
        (0, 100, False, np.float32),
        (-5e9, 5e9, True, np.float32),
    ],
)
def test_smallest_type_that_holds_all(low, high, whole, wanted):
    header = plane(0, (0, 0, 0), low=float(low), high=float(high), whole=whole)
    assert dtype_for([header]) is wanted


def test_progress_is_told():
    arrangement = arrange([plane(k, (4, 5, 3 * k)) for k in range(5)]).arrangement
    seen = []
    assemble(arrangement, ramp, advance=lambda done, every: seen.append((done, every)))
    assert seen == [(k + 1, 5) for k in range(5)]
