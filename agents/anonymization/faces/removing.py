"""Where a face lies in a plane, and what stands there instead. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from agents.anonymization.faces.finding import Fit
from agents.anonymization.faces.head import BRAIN_MARGIN, Head
from agents.anonymization.outcome import Refusal
from plugins.imaging.geometry import normal_of
from plugins.imaging.types import SliceHeader
from plugins.volumetry.headers import rescale_of

Mask = NDArray[np.bool_]


class Removal(NamedTuple):
    """What happens to a plane.

    Attributes
    ----------
    face
        (rows, columns): true where pixels are replaced.
    brain
        True where they must not be.
    """

    face: Mask
    brain: Mask


def removal_in(plane: SliceHeader, head: Head, fit: Fit) -> Removal:
    """Lay the mean head's face and brain over a plane, to a fraction of a pixel."""
    back = fit.transform.GetInverse()
    face = _cut(head.face, plane, back, outside=-1.0) > 0
    brain = _cut(head.brain, plane, back, outside=-40.0) > -BRAIN_MARGIN
    # Both are interpolated, on different grids: where they meet the brain has precedence.
    return Removal(face & ~brain, brain)


def fill_of(dataset: Any, air: float) -> int:
    """Give the stored value that means `air` (modality value).

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When the rescale can't be inverted.
    """
    slope, intercept = rescale_of(dataset, 0)
    if not np.isfinite([slope, intercept]).all() or slope == 0:
        raise Refusal("face-not-removed", "The rescale of an image can't be inverted.")
    bits, signed = int(dataset.BitsStored), int(dataset.get("PixelRepresentation") or 0) == 1
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return int(np.clip(round((air - intercept) / slope), low, high))


def _cut(
    field: SimpleITK.Image, plane: SliceHeader, back: SimpleITK.Transform, outside: float
) -> NDArray[np.float32]:
    row = np.array(plane.row_direction) / np.linalg.norm(np.array(plane.row_direction))
    normal = normal_of(plane)
    directions = np.stack([row, np.cross(normal, row), normal], axis=1)
    values = SimpleITK.Resample(
        field,
        [plane.columns, plane.rows, 1],
        back,
        SimpleITK.sitkLinear,
        list(plane.position or ()),
        [float(plane.column_spacing or 0), float(plane.row_spacing or 0), 1.0],
        directions.ravel().tolist(),
        outside,
        SimpleITK.sitkFloat32,
    )
    return np.asarray(SimpleITK.GetArrayFromImage(values)[0])
