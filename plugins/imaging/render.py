"""A small shaded picture of a volume in three dimensions, by casting rays on the CPU. Pure.

The volume is resampled into a cube that looks from the front, a little from the patient's left and above; the
first sample of each ray that exceeds the threshold is lit by its gradient.
"""

from __future__ import annotations

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from plugins.imaging.pictures import fitted, webp
from plugins.imaging.types import Floats, Volume

SIDE = 224
"""Voxels along each side of the cube; 11 million samples."""
AZIMUTH = 32.0
ELEVATION = 18.0
MAX_SOURCE = 192
"""Voxels an axis that are enough for a cube of `SIDE`."""
PICTURE_PIXELS = 320
_LIGHT = np.array([-0.45, -0.75, 0.55])
"""Direction towards the light: from the viewer's left, front and above."""


def render(volume: Volume, threshold: float) -> bytes:
    """Draw the surface at `threshold` (modality values), 320 pixels square, on black, as WebP."""
    cube = _viewed(volume, threshold)
    solid = cube > threshold
    hit = solid.argmax(axis=1)  # rays run from front (P small) to back
    seen = np.take_along_axis(solid, hit[:, None, :], axis=1)[:, 0, :]
    picture = _shaded(cube, hit, seen)
    return webp(fitted(picture[::-1], (1.0, 1.0), PICTURE_PIXELS))


def _viewed(volume: Volume, threshold: float) -> NDArray[np.float32]:
    """Resample into a cube (up, away, right) around the volume, turned to the viewer."""
    image = _reduced(volume)
    size = np.array(image.GetSize())
    corners = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in size], indexing="ij")).reshape(3, -1).T
    points = np.array(
        [image.TransformContinuousIndexToPhysicalPoint([float(v) for v in corner]) for corner in corners]
    )
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    turn = _turn()
    reach = float(np.abs((points - centre) @ turn).max()) * 1.02
    step = 2 * reach / SIDE
    origin = centre + turn @ (np.full(3, -reach + step / 2))
    reference = SimpleITK.Image([SIDE] * 3, SimpleITK.sitkFloat32)
    reference.SetSpacing([step] * 3)
    reference.SetOrigin(origin.tolist())
    reference.SetDirection(turn.ravel().tolist())
    below = min(float(SimpleITK.GetArrayViewFromImage(image).min()), threshold - 1.0)
    return np.asarray(
        SimpleITK.GetArrayFromImage(
            SimpleITK.Resample(image, reference, SimpleITK.Transform(), SimpleITK.sitkLinear, below)
        )
    )


def _reduced(volume: Volume) -> SimpleITK.Image:
    """Make an ITK image of at most `MAX_SOURCE` voxels an axis, by taking every n-th, lightly smoothed."""
    steps = [max(1, -(-length // MAX_SOURCE)) for length in volume.voxels.shape]
    taken = volume.voxels[:: steps[0], :: steps[1], :: steps[2]]
    image = SimpleITK.GetImageFromArray(taken.astype(np.float32))
    spacing = np.array(volume.spacing) * steps[::-1]
    directions = volume.affine[:3, :3] / np.linalg.norm(volume.affine[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(volume.affine[:3, 3].tolist())
    image.SetDirection(directions.ravel().tolist())
    return SimpleITK.DiscreteGaussian(image, float(spacing.min()) ** 2 * 0.7)


def _turn() -> Floats:
    """Columns: viewer's right, away from the viewer, up; in LPS. A right-handed turn of the axes L, P, S."""
    azimuth, elevation = np.radians(AZIMUTH), np.radians(ELEVATION)
    about_s = np.array(
        [[np.cos(azimuth), -np.sin(azimuth), 0], [np.sin(azimuth), np.cos(azimuth), 0], [0, 0, 1.0]]
    )
    about_l = np.array(
        [[1.0, 0, 0], [0, np.cos(elevation), -np.sin(elevation)], [0, np.sin(elevation), np.cos(elevation)]]
    )
    return np.asarray(about_s @ about_l.T)


def _shaded(cube: NDArray[np.float32], hit: NDArray[np.intp], seen: NDArray[np.bool_]) -> NDArray[np.uint8]:
    up, right = np.arange(SIDE)[:, None], np.arange(SIDE)[None, :]
    last = SIDE - 1

    def at(z: NDArray[np.intp], y: NDArray[np.intp], x: NDArray[np.intp]) -> NDArray[np.float32]:
        return np.asarray(cube[np.clip(z, 0, last), np.clip(y, 0, last), np.clip(x, 0, last)])

    reach = 2  # voxels: a wider difference lights a surface more evenly than noise does
    gradient = np.stack(
        [
            at(up, hit, right + reach) - at(up, hit, right - reach),
            at(up, hit + reach, right) - at(up, hit - reach, right),
            at(up + reach, hit, right) - at(up - reach, hit, right),
        ],
        axis=-1,
    )
    length = np.linalg.norm(gradient, axis=-1, keepdims=True)
    outward = -gradient / np.maximum(length, 1e-6)
    light = _LIGHT / np.linalg.norm(_LIGHT)
    lit = np.clip(outward @ light, 0, 1)
    gleam = np.clip(outward @ _halfway(light), 0, 1) ** 24
    depth = 1.0 - 0.45 * hit / last
    tone = np.clip((0.16 + 0.84 * lit) * depth + 0.18 * gleam, 0, 1) * seen
    # Bone-coloured, so that the picture is not taken for a slice.
    colour = np.array([255.0, 240.0, 220.0])
    return np.asarray((tone[..., None] * colour).astype(np.uint8))


def _halfway(light: Floats) -> Floats:
    middle = light + np.array([0.0, -1.0, 0.0])
    return np.asarray(middle / np.linalg.norm(middle))
