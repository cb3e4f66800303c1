"""The mean head: how it looks, where its brain is, and where its face begins.

`head.npz` is made by ``tests/unit/agents/anonymization/faces/making_head.py`` from pydeface's mean head (MIT)
and the MNI152 brain; NOTICE names both. Coordinates are the head's own: L, P, S in mm, L = 0 in the midline,
the ear canals at P = 0, the brows at S = -10, the tip of the nose at S = -65.
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import NamedTuple

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from plugins.imaging.types import Floats

TISSUE = 20
"""Brightness (0 to 255) from which the mean head is tissue."""
BRAIN_MARGIN = 8.0
"""mm around the mean head's brain that are never removed."""

BROWS = -5.0
"""S, mm: the face ends above the brows, between the temples."""
TEMPLES = 52.0, 70.0
"""Sideways, mm: from the first to the second the upper end of the face falls ..."""
ZYGOMA = -40.0
"""... to the height of the zygomatic arch, S, mm."""
EARS = -8.0
"""P, mm: the face ends in front of the ears; these go as well:"""
EAR_SIDE = 66.0
"""Sideways, mm: what lies farther out ..."""
EAR_BACK = 48.0
"""... in front of this, P, mm ..."""
EAR_OVERLAP = 20.0
"""mm by which that reaches into the face, so that no sheet is left between both."""
EAR_HEIGHT = -84.0, -8.0
"""... and between these, S, mm."""
KEPT_WIDTH, KEPT_DEPTH = 58.0, 62.0
"""Half axes, mm, of the upright elliptic cylinder that stays: its front lies 35 mm behind the skin."""
JAW = -60.0, -110.0
"""S, mm: from here to there the cylinder narrows ..."""
JAW_NARROWER, JAW_SHALLOWER = 13.0, 7.0
"""... by so much, mm."""

_FIELD_SPACING = 3.0
_FIELD_LOW = np.array((-165.0, -230.0, -290.0))
_FIELD_HIGH = np.array((165.0, 60.0, 15.0))
"""The face reaches beyond the mean head: noses are longer, and so is the picture of a hand before a face."""

HEAD_VERSION = "ed60a24acac6"
"""First digits of the sha256 of `head.npz`; a test compares."""

LANDMARKS: Floats = np.array(
    [
        (0.0, -116.0, -65.0),
        (32.0, -86.0, -36.0),
        (-32.0, -86.0, -36.0),
        (0.0, -100.0, -115.0),
        (0.0, -98.0, -10.0),
    ]
)
"""Tip of the nose, eyes, chin, between the brows."""


REACH = 20.0
"""mm up to which distances to the skin are told apart."""


class Target(NamedTuple):
    """What is laid over a volume.

    Attributes
    ----------
    image
        Brightness, 0 to 255.
    depth
        mm below the skin, negative outside; at most `REACH`.
    around
        1 where volumes are compared: tissue and the air near it.
    top
        Its highest point, S, mm.
    """

    image: SimpleITK.Image
    depth: SimpleITK.Image
    around: SimpleITK.Image
    top: float

    def reduced(self) -> Target:
        """Give it at half the resolution."""
        image, depth = (SimpleITK.BinShrink(one, [2, 2, 2]) for one in (self.image, self.depth))
        around = SimpleITK.Resample(
            self.around, image, SimpleITK.Transform(), SimpleITK.sitkNearestNeighbor, 0
        )
        return Target(image, depth, around, self.top)


class Head(NamedTuple):
    """The mean head.

    Attributes
    ----------
    whole
        With skull and skin.
    brain
        mm inside the brain, negative outside.
    face
        mm inside the region that is removed, negative outside; on a grid of its own.
    """

    whole: Target
    brain: SimpleITK.Image
    face: SimpleITK.Image


@functools.cache
def load_head() -> Head:
    """Read the mean head that comes with this package."""
    content = resources.files(__package__).joinpath("head.npz")
    with content.open("rb") as file, np.load(file, allow_pickle=False) as data:
        values, depth = data["head"].astype(np.float32), data["brain"].astype(np.float32)
        origin, spacing = data["origin"], float(data["spacing"])
    image, brain = (_image(array, origin, spacing) for array in (values, depth))
    tissue = SimpleITK.BinaryFillhole(SimpleITK.BinaryMorphologicalClosing(image > TISSUE, [3, 3, 3]))
    return Head(
        whole=_target(image, tissue, lowest=-118.0),
        brain=brain,
        face=_face(brain),
    )


def depth_below(mask: SimpleITK.Image) -> SimpleITK.Image:
    """Give the distance to a mask's surface, mm: positive inside, negative outside, at most `REACH`."""
    distance = SimpleITK.SignedMaurerDistanceMap(
        SimpleITK.Cast(mask, SimpleITK.sitkUInt8),
        insideIsPositive=True,
        squaredDistance=False,
        useImageSpacing=True,
    )
    clamped: SimpleITK.Image = SimpleITK.Clamp(distance, SimpleITK.sitkFloat32, -REACH, REACH)
    return clamped


def face_depth(points: NDArray[np.float32], brain: NDArray[np.float32]) -> NDArray[np.float32]:
    """Say how deep points lie inside the region that is removed, mm; negative outside.

    Parameters
    ----------
    points
        (..., 3): L, P, S.
    brain
        mm inside the brain at each of them.
    """
    x, y, z = np.abs(points[..., 0]), points[..., 1], points[..., 2]
    falling = np.clip((x - TEMPLES[0]) / (TEMPLES[1] - TEMPLES[0]), 0.0, 1.0)
    below = BROWS + falling * (ZYGOMA - BROWS) - z
    jaw = np.clip((JAW[0] - z) / (JAW[0] - JAW[1]), 0.0, 1.0)
    width, depth = KEPT_WIDTH - jaw * JAW_NARROWER, KEPT_DEPTH - jaw * JAW_SHALLOWER
    outside = (np.hypot(x / width, y / depth) - 1.0) * np.minimum(width, depth)
    face = np.minimum.reduce([below, outside, EARS - y])
    ears = np.minimum.reduce(
        [x - EAR_SIDE, EAR_BACK - y, y - EARS + EAR_OVERLAP, z - EAR_HEIGHT[0], EAR_HEIGHT[1] - z]
    )
    return np.asarray(np.minimum(np.maximum(face, ears), -brain - BRAIN_MARGIN), dtype=np.float32)


def _face(brain: SimpleITK.Image) -> SimpleITK.Image:
    size = np.ceil((_FIELD_HIGH - _FIELD_LOW) / _FIELD_SPACING).astype(int) + 1
    grid = SimpleITK.Image(size.tolist(), SimpleITK.sitkFloat32)
    grid.SetSpacing([_FIELD_SPACING] * 3)
    grid.SetOrigin(_FIELD_LOW.tolist())
    near = SimpleITK.GetArrayFromImage(
        SimpleITK.Resample(brain, grid, SimpleITK.Transform(), SimpleITK.sitkLinear, -40.0)
    )
    axes = [_FIELD_LOW[axis] + _FIELD_SPACING * np.arange(size[axis]) for axis in range(3)]
    z, y, x = np.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
    points = np.stack([x, y, z], axis=-1).astype(np.float32)
    return _image(face_depth(points, near), _FIELD_LOW, _FIELD_SPACING)


def _target(image: SimpleITK.Image, tissue: SimpleITK.Image, lowest: float) -> Target:
    around = SimpleITK.GetArrayFromImage(SimpleITK.BinaryDilate(tissue, [3, 3, 3]))
    heights = image.GetOrigin()[2] + image.GetSpacing()[2] * np.arange(around.shape[0])
    around[heights < lowest] = 0  # what lies below the mean head is no air
    filled = heights[SimpleITK.GetArrayViewFromImage(tissue).any(axis=(1, 2))]
    compared = SimpleITK.GetImageFromArray(around)
    compared.CopyInformation(image)
    return Target(image=image, depth=depth_below(tissue), around=compared, top=float(filled.max()))


def _image(array: NDArray[np.float32], origin: NDArray[np.float64], spacing: float) -> SimpleITK.Image:
    image: SimpleITK.Image = SimpleITK.GetImageFromArray(array)
    image.SetOrigin(origin.tolist())
    image.SetSpacing([spacing] * 3)
    return image
