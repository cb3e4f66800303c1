"""Whether the face is gone, and nothing but the face: looked at in what was written. Pure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from agents.anonymization.faces.finding import Fit
from agents.anonymization.faces.head import Head
from agents.anonymization.faces.volume import Coarse
from agents.anonymization.outcome import Refusal
from plugins.imaging.types import Floats

STEP = 2.0
"""mm between rays, and along them."""
LEFT, RIGHT, FRONT, BACK, LOW, HIGH = -70.0, 70.0, -190.0, 20.0, -150.0, 80.0
"""What is seen from the front, mm in the head's coordinates."""
EDGE = 4.0
"""mm around the border of what is removed where tissue may show, and a slice's distance more: pixels are
removed by their centres, and between slices values are interpolated."""
LEFT_OVER = 0.005
"""Share of the tissue inside the removed region that may look like tissue afterwards: noise does."""
IN_FRONT = 0.01
"""Share of the rays that may end in front of where the kept part of the head begins."""
EYES_TO_MOUTH = -90.0, -20.0
MIDDLE = 45.0
"""The middle of the face: S from, S to; and as far to each side, mm."""
GONE_BACK = 12.0
"""mm by which the surface there must have gone back at least, in the median."""
ENOUGH_RAYS = 150
"""Fewer show no face."""
NOSE_RADIUS = 22.0
"""What is narrower than this (mm, to each side) and ..."""
NOSE_HEIGHT = 11.0
"""... stands out by this (mm) is like a nose."""
NOSE_DEPTH = 3.0
"""mm inside the removed region: there its tip is gone for sure."""
NOSE_AREA = 100.0, 2500.0
"""mm², seen from the front."""
NOSE_WITHIN = 45.0, (-120.0, 0.0), -50.0
"""Where one is looked for: as far to each side, S from and to, P up to, mm: no jaw, no forehead."""


class View(NamedTuple):
    """The head seen from the front, in its own coordinates, upright.

    Attributes
    ----------
    depth
        (rays upwards, rays to the left): P of the first tissue, mm; infinite where there is none.
    seen
        The volume reaches the ray between the front and the face.
    """

    depth: Floats
    seen: NDArray[np.bool_]


def view(coarse: Coarse, fit: Fit) -> View:
    """Look at a head from the front."""
    tissue = SimpleITK.BinaryMorphologicalOpening(
        coarse.image > coarse.threshold, [1, 1, 1], SimpleITK.sitkBall
    )
    solid = _in_head(tissue, fit) > 0
    known = _in_head(coarse.known, fit) > 0
    first = FRONT + STEP * solid.argmax(axis=1)
    return View(np.where(solid.any(axis=1), first, np.inf), np.asarray(known.any(axis=1)))


def check_removed(before: Coarse, after: Coarse, fit: Fit, head: Head, spacing: float) -> None:
    """Compare what is to be seen from the front before and after; `spacing` of the slices, mm.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When something is left of the face, or what looks like a nose lies where no face was looked for.
    """
    edge = EDGE + spacing
    field = SimpleITK.GetArrayFromImage(
        SimpleITK.Resample(head.face, _grid(), SimpleITK.Transform(), SimpleITK.sitkLinear, -1.0)
    )
    inside = field > edge
    was, is_left = (_in_head(c.image, fit)[inside] > c.threshold for c in (before, after))
    if _count(is_left) > LEFT_OVER * max(1, _count(was)) + 1:
        raise Refusal("face-not-removed", "Something was left where the face had been.")
    old, new = view(before, fit), view(after, fit)
    faced = (field[:, 0] > 0) & np.isfinite(old.depth) & old.seen
    if _count(faced & (depth_inside(field, new) > edge)) > IN_FRONT * max(1, _count(faced)):
        raise Refusal("face-not-removed", "A surface was left in front of the kept part of the head.")
    middle = faced & _band()
    gone = np.minimum(new.depth[middle], BACK) - old.depth[middle]
    if _count(middle) > ENOUGH_RAYS and float(np.median(gone)) < GONE_BACK:
        raise Refusal("face-not-removed", "Too little was removed of the face for it to be gone.")
    if noses_outside(old, depth_inside(field, old)):
        raise Refusal(
            "face-not-removed", "What looks like a nose lies elsewhere than the face was looked for."
        )


def depth_inside(field: NDArray[np.float32], seen: View) -> Floats:
    """Say of each ray how deep in the removed region the surface lies that it meets, mm; -inf: none."""
    index = np.clip(np.nan_to_num((seen.depth - FRONT) / STEP, posinf=0), 0, field.shape[1] - 1).astype(int)
    met = np.take_along_axis(field, index[:, None, :], axis=1)[:, 0, :]
    return np.where(np.isfinite(seen.depth), met, -np.inf)


def noses_outside(seen: View, depth: Floats) -> int:
    """Count what stands out like a nose and is not removed: a sign that the head was not understood."""
    height = np.where(np.isfinite(seen.depth), -seen.depth, -BACK).astype(np.float32)
    opened = SimpleITK.GrayscaleMorphologicalOpening(
        SimpleITK.GetImageFromArray(height), [round(NOSE_RADIUS / STEP)] * 2, SimpleITK.sitkBall
    )
    standing = height - SimpleITK.GetArrayFromImage(opened) > NOSE_HEIGHT
    sides, heights = np.meshgrid(LEFT + STEP * np.arange(_size()[0]), LOW + STEP * np.arange(_size()[2]))
    aside, (low, high), front = NOSE_WITHIN
    standing &= (np.abs(sides) < aside) & (low < heights) & (heights < high) & (seen.depth < front)
    pieces = SimpleITK.GetArrayFromImage(
        SimpleITK.ConnectedComponent(SimpleITK.GetImageFromArray(standing.astype(np.uint8)))
    )
    found = 0
    for number in range(1, int(pieces.max()) + 1):
        piece = pieces == number
        area = np.count_nonzero(piece) * STEP**2
        apex = np.unravel_index(np.argmax(np.where(piece, height, -np.inf)), height.shape)
        removed = depth[apex] > NOSE_DEPTH
        found += int(NOSE_AREA[0] <= area <= NOSE_AREA[1] and not removed)
    return found


def _count(mask: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(mask))


def _band() -> NDArray[np.bool_]:
    heights = LOW + STEP * np.arange(_size()[2])
    sides = LEFT + STEP * np.arange(_size()[0])
    level = (heights > EYES_TO_MOUTH[0]) & (heights < EYES_TO_MOUTH[1])
    return np.asarray(level[:, None] & (np.abs(sides) < MIDDLE)[None, :])


def _in_head(image: SimpleITK.Image, fit: Fit) -> NDArray[np.float32]:
    lowest = float(SimpleITK.GetArrayViewFromImage(image).min())
    moved = SimpleITK.Resample(
        image, _grid(), fit.transform, SimpleITK.sitkLinear, lowest, SimpleITK.sitkFloat32
    )
    return np.asarray(SimpleITK.GetArrayFromImage(moved))


def _size() -> list[int]:
    return [int((high - low) / STEP) + 1 for low, high in ((LEFT, RIGHT), (FRONT, BACK), (LOW, HIGH))]


def _grid() -> SimpleITK.Image:
    grid = SimpleITK.Image(_size(), SimpleITK.sitkFloat32)
    grid.SetSpacing([STEP] * 3)
    grid.SetOrigin([LEFT, FRONT, LOW])
    return grid
