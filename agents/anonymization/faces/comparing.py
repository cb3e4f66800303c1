"""Compare the mean head with a volume, and move it to where it fits better. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from agents.anonymization.faces.head import REACH, Target
from agents.anonymization.faces.volume import Coarse
from plugins.imaging.types import Floats

BINS = 32
ENOUGH = 0.5
"""Share of the head's surroundings that the volume should have; with less, chance agreement is likelier."""
SKULL_BASE = -60.0
"""S, mm: above it heads are alike; below it come neck and shoulders."""
STEPS_SIMILAR, STEPS_AFFINE = 60, 40
"""Iterations at most."""
ROUNDS, GAIN = 3, 1.004
"""Rounds at most, and how much better one must be for another to follow."""
SIMILAR = 4.0, 0.1
AFFINE = (4.0, 0.02), (2.0, 0.01)
"""First and last step, mm."""


class Comparison:
    """Compares a target with one volume, under transforms from the target's coordinates to the volume's."""

    def __init__(self, target: Target, image: SimpleITK.Image, coarse: Coarse) -> None:
        self._target = target
        self._image = image
        self._coarse = coarse
        self._around = SimpleITK.GetArrayFromImage(target.around) > 0
        self._values = SimpleITK.GetArrayFromImage(target.image)
        self._depth = SimpleITK.GetArrayFromImage(target.depth)

    def score(self, transform: SimpleITK.Transform) -> float:
        """Give the mutual information, less when the volume has little of the head's surroundings."""
        information, seen = self.information(transform)
        return information * min(1.0, seen / ENOUGH)

    def information(self, transform: SimpleITK.Transform) -> tuple[float, float]:
        """Give the mutual information in nats, and the share of the head's surroundings that is known."""
        known = self._known(transform) & self._around
        count = np.count_nonzero(known)
        seen = count / np.count_nonzero(self._around)
        if count < BINS**2:
            return 0.0, seen
        levels = 256 // BINS
        own = self._values[known].astype(np.int64) // levels
        other = self._moved(self._image, transform, SimpleITK.sitkLinear)[known].astype(np.int64) // levels
        together = np.bincount(own * BINS + other, minlength=BINS**2).reshape(BINS, BINS) / count
        return _entropy(together.sum(axis=0)) + _entropy(together.sum(axis=1)) - _entropy(together), seen

    def distance(self, transform: SimpleITK.Transform) -> float:
        """Give the mean difference of both distances to the skin, mm; each counts up to `REACH`."""
        counted = self._known(transform) & self._around
        if np.count_nonzero(counted) < ENOUGH / 2 * np.count_nonzero(self._around):
            return REACH
        other = self._moved(self._coarse.depth, transform, SimpleITK.sitkLinear)
        return float(np.abs(other - self._depth)[counted].mean())

    def overlap(self, transform: SimpleITK.Transform) -> float:
        """Give the Dice coefficient of both tissues above the skull base, where the volume is."""
        image = self._target.image
        heights = image.GetOrigin()[2] + image.GetSpacing()[2] * np.arange(self._depth.shape[0])
        counted = self._known(transform) & (heights > SKULL_BASE)[:, None, None]
        own = (self._depth > 0) & counted
        other = (self._moved(self._coarse.depth, transform, SimpleITK.sitkLinear) > 0) & counted
        either = np.count_nonzero(own) + np.count_nonzero(other)
        return 2 * np.count_nonzero(own & other) / either if either else 0.0

    def follow(self, start: SimpleITK.Similarity3DTransform) -> SimpleITK.AffineTransform:
        """Move, turn and scale from a start, coarsely, by mutual information."""
        moved = SimpleITK.Similarity3DTransform(start)
        self._optimize(moved, _by_information(), shrink=3, step=SIMILAR, iterations=STEPS_SIMILAR)
        return _affine(moved)

    def follow_surface(self, start: SimpleITK.Similarity3DTransform) -> SimpleITK.AffineTransform:
        """Do the same by the distance of the surfaces: it is blind to what is inside, and sees farther."""
        moved = SimpleITK.Similarity3DTransform(start)
        method = SimpleITK.ImageRegistrationMethod()
        method.SetMetricAsMeanSquares()
        pair = self._target.depth, self._coarse.depth
        self._optimize(moved, method, shrink=3, step=SIMILAR, iterations=STEPS_SIMILAR, pair=pair)
        return _affine(moved)

    def refine(self, start: SimpleITK.AffineTransform) -> SimpleITK.AffineTransform:
        """Shear and stretch as well."""
        for step in AFFINE:
            start = self._better(start, step)
        return start

    def polish(self, start: SimpleITK.AffineTransform) -> SimpleITK.AffineTransform:
        """Refine for as long as it helps."""
        for _ in range(ROUNDS):
            better = self.refine(start)
            if self.score(better) < GAIN * self.score(start):
                return better
            start = better
        return start

    def _better(
        self, start: SimpleITK.AffineTransform, step: tuple[float, float]
    ) -> SimpleITK.AffineTransform:
        """Optimize, and keep the start if the optimizer's last step is worse."""
        moved = SimpleITK.AffineTransform(start)
        self._optimize(moved, _by_information(), shrink=2, step=step, iterations=STEPS_AFFINE)
        return max(start, moved, key=self.score)

    def _optimize(
        self,
        transform: SimpleITK.Transform,
        method: SimpleITK.ImageRegistrationMethod,
        *,
        shrink: int,
        step: tuple[float, float],
        iterations: int,
        pair: tuple[SimpleITK.Image, SimpleITK.Image] | None = None,
    ) -> None:
        method.SetNumberOfThreads(1)
        method.SetMetricSamplingStrategy(method.NONE)
        method.SetMetricFixedMask(self._target.around)
        method.SetInterpolator(SimpleITK.sitkLinear)
        method.SetShrinkFactorsPerLevel([shrink])
        method.SetSmoothingSigmasPerLevel([0.0])
        method.SetOptimizerAsRegularStepGradientDescent(*step, iterations)
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetInitialTransform(transform, inPlace=True)
        fixed, moving = pair or (self._target.image, self._image)
        try:
            method.Execute(fixed, moving)
        except RuntimeError:
            # It moved out of the volume: where it ended fits badly, and is judged so.
            return

    def _known(self, transform: SimpleITK.Transform) -> NDArray[np.bool_]:
        known = self._moved(self._coarse.known, transform, SimpleITK.sitkNearestNeighbor)
        return np.asarray(known > 0)

    def _moved(
        self, image: SimpleITK.Image, transform: SimpleITK.Transform, interpolator: int
    ) -> NDArray[Any]:
        moved = SimpleITK.Resample(image, self._target.image, transform, interpolator, 0.0)
        return np.asarray(SimpleITK.GetArrayFromImage(moved))


def _by_information() -> SimpleITK.ImageRegistrationMethod:
    method = SimpleITK.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(BINS)
    return method


def _affine(similar: SimpleITK.Similarity3DTransform) -> SimpleITK.AffineTransform:
    affine = SimpleITK.AffineTransform(3)
    affine.SetMatrix(similar.GetMatrix())
    affine.SetTranslation(similar.GetTranslation())
    affine.SetCenter(similar.GetCenter())
    return affine


def _entropy(share: Floats) -> float:
    filled = share[share > 0]
    return float(-(filled * np.log(filled)).sum())
