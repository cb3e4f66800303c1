"""Measures have names, units and values that follow from the volume."""

from __future__ import annotations

import numpy as np
import pytest

from plugins.imaging.intensity import statistics
from plugins.imaging.measures import measure
from plugins.imaging.types import Volume


@pytest.fixture
def measured():
    voxels = np.zeros((10, 20, 30), dtype=np.int16)
    voxels[2:6, 5:15, 10:20] = 100
    affine = np.eye(4)
    # i towards S, j towards R, k towards P.
    affine[:3, :3] = np.array([(0, 0, 1.5), (-2.0, 0, 0), (0, 3.0, 0)]).T
    affine[:3, 3] = (100.0, 10.0, -5.0)
    volume = Volume(voxels=voxels, affine=affine)
    return {m.name: m for m in measure(volume, statistics(voxels), intensity_unit="[hnsf'U]")}


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [
        ("extent_left_right", 20 * 2.0, "mm"),
        ("extent_anterior_posterior", 10 * 3.0, "mm"),
        ("extent_head_foot", 30 * 1.5, "mm"),
        ("spacing_left_right", 2.0, "mm"),
        ("spacing_anterior_posterior", 3.0, "mm"),
        ("spacing_head_foot", 1.5, "mm"),
        ("columns", 30, "1"),
        ("rows", 20, "1"),
        ("slices", 10, "1"),
        ("foreground_volume", 4 * 10 * 10 * 9.0 / 1000, "mL"),
        ("foreground_centre_left", 100 - 2.0 * 9.5, "mm"),
        ("foreground_centre_posterior", 10 + 3.0 * 3.5, "mm"),
        ("foreground_centre_superior", -5 + 1.5 * 14.5, "mm"),
        ("intensity_p50", 0.0, "[hnsf'U]"),
        ("intensity_p99", 100.0, "[hnsf'U]"),
    ],
)
def test_value(measured, name, value, unit):
    assert measured[name].value == pytest.approx(value)
    assert measured[name].unit == unit
    assert measured[name].label


def test_flat_volume_has_no_foreground():
    voxels = np.full((3, 3, 3), 7, dtype=np.int16)
    volume = Volume(voxels=voxels, affine=np.eye(4))
    found = {m.name: m.value for m in measure(volume, statistics(voxels), intensity_unit="1")}
    assert found["foreground_volume"] == 0
    assert "foreground_centre_left" not in found
