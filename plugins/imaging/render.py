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

SIDE = 240
"""Rays along each side of the picture."""
MAX_DEPTH = 480
"""Samples along a ray."""
MARGIN = 1.08
"""Room around the surface."""
AZIMUTH = 32.0
ELEVATION = 18.0
MAX_SOURCE = 192
"""Voxels an axis that are enough for a cube of `SIDE`."""
PICTURE_PIXELS = 320
_LIGHT = np.array([-0.45, -0.75, 0.55])
"""Direction towards the light: from the viewer's left, front and above."""


def render(volume: Volume, threshold: float) -> bytes:
    """Draw the surface at `threshold` (modality values), 320 pixels square, on black, as WebP."""
    cube = _viewed(_reduced(volume), threshold)
    solid = cube > threshold
    hit = solid.argmax(axis=1)  # rays run from front (P small) to back
    seen = np.take_along_axis(solid, hit[:, None, :], axis=1)[:, 0, :]
    picture = _shaded(cube, hit, seen, threshold)
    return webp(fitted(picture[::-1], (1.0, 1.0), PICTURE_PIXELS))


def _viewed(image: SimpleITK.Image, threshold: float) -> NDArray[np.float32]:
    """Resample into a box (up, away, right), turned to the viewer, around what exceeds the threshold."""
    turn = _turn()
    low, high = _reach(image, threshold, turn)
    across = max(high[0] - low[0], high[2] - low[2]) * MARGIN
    step = across / SIDE
    depth = int(min(MAX_DEPTH, np.ceil((high[1] - low[1]) * MARGIN / step) + 2))
    size = np.array([SIDE, depth, SIDE])
    first = (low + high) / 2 - step * (size - 1) / 2
    reference = SimpleITK.Image(size.tolist(), SimpleITK.sitkFloat32)
    reference.SetSpacing([step] * 3)
    reference.SetOrigin((turn @ first).tolist())
    reference.SetDirection(turn.ravel().tolist())
    below = min(float(SimpleITK.GetArrayViewFromImage(image).min()), threshold - 1.0)
    seen = SimpleITK.Resample(image, reference, SimpleITK.Transform(), SimpleITK.sitkLinear, below)
    return np.asarray(SimpleITK.GetArrayFromImage(seen))


def _reach(image: SimpleITK.Image, threshold: float, turn: Floats) -> tuple[Floats, Floats]:
    """Give the least and greatest (right, away, up) of the voxels above the threshold, mm."""
    found = np.argwhere(SimpleITK.GetArrayViewFromImage(image) > threshold)[:, ::-1]
    if found.size == 0:
        found = np.array([[0, 0, 0], np.array(image.GetSize()) - 1])
    spacing = np.array(image.GetSpacing())
    directions = np.array(image.GetDirection()).reshape(3, 3)
    seen = (found * spacing @ directions.T + np.array(image.GetOrigin())) @ turn
    half = float(spacing.max()) / 2
    return seen.min(axis=0) - half, seen.max(axis=0) + half


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
    # Smooth by about a voxel of the coarsest direction: steps between slices would show as rings.
    sigma = min(2.0, 0.7 * float(spacing.max()))
    return SimpleITK.DiscreteGaussian(image, [sigma**2] * 3)


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


def _shaded(
    cube: NDArray[np.float32], hit: NDArray[np.intp], seen: NDArray[np.bool_], threshold: float
) -> NDArray[np.uint8]:
    up, right = np.arange(SIDE)[:, None], np.arange(SIDE)[None, :]
    far = cube.shape[1] - 1

    def at(z: NDArray[np.intp], y: NDArray[np.intp], x: NDArray[np.intp]) -> NDArray[np.float32]:
        return np.asarray(cube[np.clip(z, 0, SIDE - 1), np.clip(y, 0, far), np.clip(x, 0, SIDE - 1)])

    def slope(y: NDArray[np.intp]) -> NDArray[np.float32]:
        reach = 2  # voxels: a wider difference lights a surface more evenly than noise does
        return np.stack(
            [
                at(up, y, right + reach) - at(up, y, right - reach),
                at(up, y + reach, right) - at(up, y - reach, right),
                at(up + reach, y, right) - at(up - reach, y, right),
            ],
            axis=-1,
        )

    # Light the surface where the ray crosses the threshold, between two samples.
    before, after = at(up, hit - 1, right), at(up, hit, right)
    share = np.clip((threshold - before) / np.maximum(after - before, 1e-6), 0, 1)[..., None]
    gradient = (1 - share) * slope(hit - 1) + share * slope(hit)
    length = np.linalg.norm(gradient, axis=-1, keepdims=True)
    outward = -gradient / np.maximum(length, 1e-6)
    light = _LIGHT / np.linalg.norm(_LIGHT)
    lit = np.clip(outward @ light, 0, 1)
    gleam = np.clip(outward @ _halfway(light), 0, 1) ** 24
    depth = 1.0 - 0.4 * hit / far
    tone = np.clip((0.16 + 0.84 * lit) * depth + 0.18 * gleam, 0, 1) * seen
    # Bone-coloured, so that the picture is not taken for a slice.
    colour = np.array([255.0, 240.0, 220.0])
    return np.asarray((tone[..., None] * colour).astype(np.uint8))


def _halfway(light: Floats) -> Floats:
    middle = light + np.array([0.0, -1.0, 0.0])
    return np.asarray(middle / np.linalg.norm(middle))
