"""Intensities of a volume: percentiles, Otsu's threshold, display window, entropy. Pure.

Statistics are taken from at most `SAMPLE` voxels, evenly spread and always the same ones; counts are exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import SimpleITK
from numpy.typing import NDArray

from plugins.imaging.types import Floats, Volume, Voxels

SAMPLE = 8_000_000
OTSU_BINS = 1024
SOFT_TISSUE_HU = 400.0
"""Width of the usual soft tissue window; a narrower one shows noise."""


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Modality values shown as black and as white."""

    black: float
    white: float

    def grey(self, values: NDArray[np.generic]) -> NDArray[np.uint8]:
        """Map modality values to 0 to 255."""
        scale = 255.0 / (self.white - self.black)
        grey = np.clip((values.astype(np.float32) - self.black) * scale, 0, 255)
        return np.asarray(grey.astype(np.uint8))


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """What the measures and the pictures need; `threshold` is Otsu's, in modality values."""

    percentiles: dict[int, float]
    threshold: float
    foreground: Floats
    """Sorted sample of the values above the threshold."""


def sample_of(voxels: Voxels) -> Voxels:
    """Take evenly spread voxels, all if there are at most `SAMPLE`, with the same step along each axis."""
    step = max(1, math.ceil((voxels.size / SAMPLE) ** (1 / 3)))
    return voxels[::step, ::step, ::step]


def statistics(voxels: Voxels, levels: Sequence[int] = (1, 5, 25, 50, 75, 95, 99)) -> Statistics:
    """Measure intensities.

    Otsu's threshold (N. Otsu, IEEE Trans. SMC 9, 1979) by SimpleITK, over the values between the 0.01 and
    99.99 percentiles, so that a few extreme voxels (metal) do not coarsen its histogram.
    """
    sample = sample_of(voxels)
    values = np.percentile(sample, [0.01, *levels, 99.99])
    low, high = float(values[0]), float(values[-1])
    threshold = low
    if high > low:
        otsu = SimpleITK.OtsuThresholdImageFilter()
        otsu.SetNumberOfHistogramBins(OTSU_BINS)
        otsu.Execute(SimpleITK.GetImageFromArray(np.clip(sample, low, high).astype(np.float32)))
        threshold = float(otsu.GetThreshold())
    return Statistics(
        percentiles={level: float(value) for level, value in zip(levels, values[1:-1], strict=True)},
        threshold=threshold,
        foreground=np.sort(sample[sample > threshold].astype(np.float64), axis=None),
    )


def window_of(found: Statistics, *, hounsfield: bool, inverted: bool = False) -> Window:
    """Choose what is shown as black and as white.

    Parameters
    ----------
    found
        Of the volume.
    hounsfield
        The values are Hounsfield units: the window then spans the body, not the air around it.
    inverted
        MONOCHROME1: high values are dark.
    """
    body = found.foreground
    if body.size == 0:
        black = found.percentiles[1]
        white = black + 1.0
    elif hounsfield:
        black, white = (float(value) for value in np.percentile(body, [3, 98]))
        if white - black < SOFT_TISSUE_HU:
            middle = (black + white) / 2
            black, white = middle - SOFT_TISSUE_HU / 2, middle + SOFT_TISSUE_HU / 2
    else:
        black, white = found.percentiles[1], float(np.percentile(body, 99.5))
        white = max(white, black + 1e-3 * max(1.0, abs(black)))
    return Window(black=white, white=black) if inverted else Window(black=black, white=white)


def entropy(grey: NDArray[np.uint8]) -> float:
    """Give Shannon's entropy of 64 grey levels, in bits."""
    counts = np.bincount((grey >> 2).ravel(), minlength=64)
    share = counts[counts > 0] / grey.size
    return float(-(share * np.log2(share)).sum())


def foreground_moments(volume: Volume, threshold: float) -> tuple[int, tuple[float, float, float] | None]:
    """Count the voxels above `threshold`, and give their centre in LPS mm; none if there are none."""
    count = 0
    total = np.zeros(3)
    slices, rows, columns = volume.voxels.shape
    for k in range(slices):
        mask = volume.voxels[k] > threshold
        along_rows = mask.sum(axis=1)
        here = int(along_rows.sum())
        count += here
        total += (
            float(mask.sum(axis=0) @ np.arange(columns)),
            float(along_rows @ np.arange(rows)),
            float(here * k),
        )
    if count == 0:
        return 0, None
    x, y, z = (volume.affine @ np.array([*(total / count), 1.0]))[:3]
    return count, (float(x), float(y), float(z))
