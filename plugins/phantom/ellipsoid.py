"""Draw a phantom by seed, lay out its planes and fill them. Pure: the seed is the only chance."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from plugins.imaging.types import Floats, Vector
from plugins.phantom.types import AIR, BODY, CORE, MARKER, Layout, PhantomSpec

MARGIN = 4
"""Voxels of air on every side."""


def draw_spec(
    seed: int,
    *,
    axes_mm: Vector | None = None,
    spacing_mm: Vector | None = None,
    rotation: Vector | None = None,
    tilt: float | None = None,
    noise: float | None = None,
    modality: Literal["CT", "MR"] | None = None,
    study: int = 0,
) -> PhantomSpec:
    """Draw a phantom; what is given stands, the rest follows from `seed`.

    Parameters
    ----------
    seed
        The same seed and arguments give the same phantom, to the byte.
    axes_mm, spacing_mm, rotation, tilt, noise, modality, study
        See `PhantomSpec`.
    """
    chance = np.random.default_rng(seed)
    chosen: Literal["CT", "MR"] = "CT" if chance.random() < 0.5 else "MR"  # noqa: PLR2004 - a coin
    axes = _vector(chance.uniform((38, 48, 44), (62, 76, 70)))
    in_plane = float(chance.uniform(1.1, 1.8))
    spacing = in_plane, in_plane * float(chance.uniform(0.9, 1.1)), float(chance.uniform(1.5, 3.0))
    turn = _vector(chance.uniform(-35, 35, 3))
    gantry = float(chance.uniform(-20, 20))
    grain = float(chance.uniform(8, 20))
    centre = _vector(chance.uniform(-60, 60, 3))
    return PhantomSpec(
        seed=seed,
        modality=modality or chosen,
        axes_mm=axes_mm or axes,
        spacing_mm=spacing_mm or spacing,
        rotation=rotation if rotation is not None else turn,
        tilt=tilt if tilt is not None else gantry,
        noise=noise if noise is not None else grain,
        centre=centre,
        study=study,
    )


def lay_out(spec: PhantomSpec) -> Layout:
    """Cover the ellipsoid with planes, `MARGIN` voxels of air around it."""
    turn = _rotation(spec.rotation)
    row, column, normal = turn[:, 0], turn[:, 1], turn[:, 2]
    axes = np.array(spec.axes_mm)
    lean = math.tan(math.radians(spec.tilt))
    dx, dy, dz = spec.spacing_mm
    # Half the ellipsoid's width along a unit direction d is |axes * d| (its support function).
    half_row, half_column, half_normal = (float(np.linalg.norm(axes * d)) for d in (row, column, normal))
    slices = 2 * math.ceil(half_normal / dz) + 2 * MARGIN + 1
    drift = abs(lean) * dz * (slices - 1) / 2
    columns = 2 * math.ceil(half_row / dx) + 2 * MARGIN + 1
    rows = 2 * math.ceil((half_column + drift) / dy) + 2 * MARGIN + 1
    step = dz * (normal + lean * column)
    first = np.array(spec.centre) - row * dx * (columns - 1) / 2 - column * dy * (rows - 1) / 2
    positions = tuple(_vector(first + step * (k - (slices - 1) / 2)) for k in range(slices))
    return Layout(
        rows=rows,
        columns=columns,
        slices=slices,
        row_direction=_vector(row),
        column_direction=_vector(column),
        normal=_vector(normal),
        positions=positions,
    )


def fill(spec: PhantomSpec, layout: Layout) -> NDArray[np.int16]:
    """Give modality values (slice, row, column); a voxel cut by a surface has the share that lies inside."""
    chance = np.random.default_rng([spec.seed, 1])
    voxels = np.empty((layout.slices, layout.rows, layout.columns), dtype=np.int16)
    for k, position in enumerate(layout.positions):
        points = _points(spec, layout, np.array(position))
        values = _values(spec, points)
        if spec.noise > 0:
            values = values + chance.normal(0.0, spec.noise, values.shape)
        if spec.modality == "MR":
            values = np.abs(values)
        voxels[k] = np.clip(np.rint(values), -1024, 4000)
    return voxels


def _points(spec: PhantomSpec, layout: Layout, position: Floats) -> Floats:
    """Give LPS of every voxel centre of a plane, (rows, columns, 3)."""
    row, column = np.array(layout.row_direction), np.array(layout.column_direction)
    i = np.arange(layout.columns)[None, :, None] * spec.spacing_mm[0]
    j = np.arange(layout.rows)[:, None, None] * spec.spacing_mm[1]
    return np.asarray(position + i * row + j * column)


def _values(spec: PhantomSpec, points: Floats) -> Floats:
    blur = float(np.mean(spec.spacing_mm))
    centred = points - np.array(spec.centre)
    axes = np.array(spec.axes_mm)
    values = np.full(points.shape[:2], float(AIR[spec.modality]))
    for scale, value in ((1.0, BODY), (0.45, CORE)):
        share = _inside(centred, axes * scale, blur)
        values = values + share * (value[spec.modality] - values)
    for landmark in spec.landmarks:
        distance = np.linalg.norm(points - np.array(landmark), axis=-1)
        share = np.clip(0.5 + (spec.marker_radius - distance) / blur, 0, 1)
        values = values + share * (MARKER[spec.modality] - values)
    return values


def _inside(centred: Floats, axes: Floats, blur: float) -> Any:
    """Share of a voxel inside an ellipsoid, from its distance to the surface to first order."""
    scaled = centred / axes
    radius = np.linalg.norm(scaled, axis=-1)
    slope = np.linalg.norm(scaled / axes, axis=-1)
    distance = radius * (radius - 1) / np.maximum(slope, 1e-9)
    return np.clip(0.5 - distance / blur, 0, 1)


def _rotation(degrees: Vector) -> Floats:
    turn = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        cosine, sine = math.cos(angle), math.sin(angle)
        one = np.eye(3)
        a, b = (axis + 1) % 3, (axis + 2) % 3
        one[a, a], one[a, b], one[b, a], one[b, b] = cosine, -sine, sine, cosine
        turn = one @ turn
    return turn


def _vector(values: Floats) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])
