"""The volume of a series, coarse: what a head is looked for in. Pure but for the planes that it is given."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from agents.anonymization.faces.head import depth_below
from agents.anonymization.outcome import Refusal
from plugins.imaging.assembling import assemble
from plugins.imaging.intensity import statistics
from plugins.imaging.types import Arrangement, SliceHeader, Volume

COARSE_MM = 4.0
FINE_MM = 2.0
MEMORY = 24 * 2**20
"""Bytes of the assembled volume: 0.8 mm in plane for 120 slices of a head, far finer than it is looked at."""
SKIN_HU = -300.0
"""Half way between air and skin (Hounsfield units), with room for fat and for the edge of a slice."""
WINDOW_HU = -200.0, 300.0
"""What CT is compared by: bone differs from brain, and metal counts as bone."""
BEYOND = 6
"""Voxels by which the tissue is thought to go on beyond the volume."""
LARGEST_MM, LARGEST_LITRES = 2500.0, 500.0
"""What a scanner sees of a patient at most; a header that says more is wrong, and would cost memory."""


class Coarse(NamedTuple):
    """A volume on a grid of equal spacing.

    Attributes
    ----------
    image
        Modality values.
    tissue
        1 where the largest piece of tissue is, its cavities included.
    depth
        mm below the surface of the tissue, negative outside; at the volume's edge it goes on beyond it.
    known
        1 everywhere: tells after resampling where the volume ends.
    threshold
        Modality value above which there is tissue.
    air
        Modality value of air.
    """

    image: SimpleITK.Image
    tissue: SimpleITK.Image
    depth: SimpleITK.Image
    known: SimpleITK.Image
    threshold: float
    air: float


def fine_volume(arrangement: Arrangement, load: Callable[[SliceHeader], NDArray[Any]]) -> SimpleITK.Image:
    """Assemble a volume; parameters as for `plugins.imaging.assembling.assemble`.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When it has no extent that a patient can have.
    """
    volume, _ = assemble(arrangement, load, limit=MEMORY)
    extents = [s * n for s, n in zip(volume.spacing, volume.voxels.shape[::-1], strict=True)]
    if max(extents) > LARGEST_MM or math.prod(extents) > LARGEST_LITRES * 1e6:
        raise Refusal("face-not-removed", "The images lie farther apart than a patient is large.")
    return _image(volume)


def coarse_volume(
    fine: SimpleITK.Image, *, hounsfield: bool, spacing: float = COARSE_MM, threshold: float | None = None
) -> Coarse:
    """Look for tissue on a coarser grid.

    Parameters
    ----------
    fine
        Modality values.
    hounsfield
        They are Hounsfield units.
    spacing
        mm.
    threshold
        Of tissue; None: found from the values.
    """
    image = resampled(fine, spacing)
    values = SimpleITK.GetArrayViewFromImage(image)
    if threshold is None:
        threshold = SKIN_HU if hounsfield else 0.5 * statistics(np.asarray(values)).threshold
    tissue = solid(image > threshold)
    # A copy: a view of an image that nobody holds is of memory that is freed.
    empty = values[SimpleITK.GetArrayFromImage(SimpleITK.BinaryDilate(tissue, [2, 2, 2])) == 0]
    air = (
        -1000.0 if hounsfield else float(np.median(empty)) if empty.size else float(np.percentile(values, 1))
    )
    known = SimpleITK.Cast(image * 0 + 1, SimpleITK.sitkUInt8)
    around = SimpleITK.ZeroFluxNeumannPad(tissue, [BEYOND] * 3, [BEYOND] * 3)
    depth = SimpleITK.Crop(depth_below(around), [BEYOND] * 3, [BEYOND] * 3)
    return Coarse(image, tissue, depth, known, float(threshold), air)


def _image(volume: Volume) -> SimpleITK.Image:
    image = SimpleITK.GetImageFromArray(volume.voxels.astype(np.float32))
    directions = volume.affine[:3, :3] / np.linalg.norm(volume.affine[:3, :3], axis=0)
    image.SetSpacing(volume.spacing)
    image.SetOrigin(volume.affine[:3, 3].tolist())
    image.SetDirection(directions.ravel().tolist())
    return image


def compared(coarse: Coarse, *, hounsfield: bool) -> SimpleITK.Image:
    """Give the values in brightness, 0 to 255, as the mean head's are."""
    low, high = WINDOW_HU
    if not hounsfield:
        low, high = (float(v) for v in np.percentile(SimpleITK.GetArrayViewFromImage(coarse.image), [1, 99]))
    grey: SimpleITK.Image = SimpleITK.IntensityWindowing(coarse.image, low, max(high, low + 1e-6), 0.0, 255.0)
    return grey


def solid(mask: SimpleITK.Image) -> SimpleITK.Image:
    """Make one piece of skin, skull and brain, whatever of them is dark, without what touches it thinly."""
    whole = largest_piece(SimpleITK.BinaryMorphologicalClosing(mask, [2, 2, 2], SimpleITK.sitkBall))
    return largest_piece(
        SimpleITK.BinaryMorphologicalOpening(SimpleITK.BinaryFillhole(whole), [2, 2, 2], SimpleITK.sitkBall)
    )


def largest_piece(mask: SimpleITK.Image) -> SimpleITK.Image:
    """Keep the largest connected piece of a mask."""
    largest: SimpleITK.Image = SimpleITK.RelabelComponent(SimpleITK.ConnectedComponent(mask)) == 1
    return largest


def resampled(image: SimpleITK.Image, spacing: float) -> SimpleITK.Image:
    """Resample to `spacing` mm along every axis; directions that are finer are smoothed before."""
    own = np.array(image.GetSpacing())
    for axis, step in enumerate(own):
        if step < spacing and image.GetSize()[axis] >= 4:  # noqa: PLR2004 - the filter's least
            gaussian = SimpleITK.RecursiveGaussianImageFilter()
            gaussian.SetDirection(axis)
            gaussian.SetSigma(0.5 * math.sqrt(spacing**2 - step**2))
            gaussian.SetNumberOfThreads(1)
            image = gaussian.Execute(image)
    size = np.maximum(1, np.ceil(np.array(image.GetSize()) * own / spacing)).astype(int)
    grid = SimpleITK.Image(size.tolist(), SimpleITK.sitkFloat32)
    grid.SetSpacing([spacing] * 3)
    grid.SetDirection(image.GetDirection())
    middle = image.TransformContinuousIndexToPhysicalPoint(((np.array(image.GetSize()) - 1) / 2).tolist())
    directions = np.array(image.GetDirection()).reshape(3, 3)
    grid.SetOrigin((np.array(middle) - directions @ ((size - 1) / 2 * spacing)).tolist())
    lowest = float(SimpleITK.GetArrayViewFromImage(image).min())
    return SimpleITK.Resample(image, grid, SimpleITK.Transform(), SimpleITK.sitkLinear, lowest)
