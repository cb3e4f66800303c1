"""Makes ``agents/anonymization/faces/head.npz`` from the mean head of pydeface (MIT) and the MNI152 brain.

    python -m tests.unit.agents.anonymization.faces.making_head FOLDER_OF_PYDEFACE_DATA

The mean head (``mean_reg2mean.nii.gz``, pydeface 2.1.0) has a face. Where its brain lies is found by laying
the brain of the MNI152 template (nilearn, extra `demo`) over it, affinely. Both end on one grid along L, P
and S with the midline at L = 0. Single thread, no chance.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import SimpleITK

TARGET = Path("agents/anonymization/faces/head.npz")
SPACING = 4.0
"""mm: all that a registration needs."""
SIZE = 48, 66, 66
ORIGIN = -94.0, -136.0, -134.0
MIDLINE = 4.0
"""Where the mean head's midline lies in its file, L, mm."""
AIR = 45.0
"""Below it nothing of the mean head is tissue; it has traces of goggles and of a head rest."""
SKULL = 125.0
"""The mean head's skull is darker, its brain brighter."""
CORE_SHORT = 10.0
"""The affine brain ends inside the mean head's by so much at most, mm; from there it grows to the skull."""
BRAIN_SHIFT = 0.0, -17.0, -6.0
"""From the coordinates of MNI152 to the mean head's, roughly, mm."""
BRAIN_SCALE = 0.92
"""MNI152 is larger than most heads."""


def mean_head(folder: Path) -> SimpleITK.Image:
    """Lay the mean head on the grid, at half its spacing, with nothing but air around it."""
    image = SimpleITK.Cast(SimpleITK.ReadImage(str(folder / "mean_reg2mean.nii.gz")), SimpleITK.sitkFloat32)
    fine = SimpleITK.Image([2 * n for n in SIZE], SimpleITK.sitkFloat32)
    fine.SetSpacing([SPACING / 2] * 3)
    fine.SetOrigin([o - SPACING / 4 for o in ORIGIN])
    to_file = SimpleITK.TranslationTransform(3, [MIDLINE, 0.0, 0.0])
    head = SimpleITK.Resample(image, fine, to_file, SimpleITK.sitkLinear, 0.0)
    tissue = SimpleITK.BinaryMorphologicalOpening(head > AIR, [3, 3, 3], SimpleITK.sitkBall)
    tissue = SimpleITK.RelabelComponent(SimpleITK.ConnectedComponent(tissue)) == 1
    return SimpleITK.Mask(head, SimpleITK.BinaryDilate(tissue, [2, 2, 2]))


def brain_in(head: SimpleITK.Image) -> SimpleITK.Image:
    """Find the brain in the mean head: that of MNI152, laid over it."""
    found = find_spec("nilearn")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("nilearn is not installed: pip install chips[demo]")
    folder = Path(next(iter(found.submodule_search_locations))) / "datasets" / "data"
    template = SimpleITK.ReadImage(str(folder / "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"))
    template = SimpleITK.DICOMOrient(SimpleITK.Cast(template, SimpleITK.sitkFloat32), "LPS")
    brain = SimpleITK.BinaryMorphologicalClosing(template > 0, [6, 6, 6], SimpleITK.sitkBall)
    method = SimpleITK.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetMetricAsMattesMutualInformation(40)
    method.SetMetricFixedMask(SimpleITK.BinaryDilate(brain, [5, 5, 5]))
    method.SetInterpolator(SimpleITK.sitkLinear)
    method.SetShrinkFactorsPerLevel([4, 2])
    method.SetSmoothingSigmasPerLevel([4, 2])
    method.SetSmoothingSigmasAreSpecifiedInPhysicalUnits(True)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 0.01, 300)
    method.SetOptimizerScalesFromPhysicalShift()
    start = SimpleITK.AffineTransform(3)
    start.Scale(BRAIN_SCALE)
    start.SetTranslation(BRAIN_SHIFT)
    method.SetInitialTransform(start)
    affine = method.Execute(template, head)
    print("metric", method.GetMetricValue(), "affine", np.round(affine.GetParameters(), 3))
    core = SimpleITK.Resample(brain, head, affine.GetInverse(), SimpleITK.sitkNearestNeighbor, 0)
    near = SimpleITK.SignedMaurerDistanceMap(core, squaredDistance=False, useImageSpacing=True) < CORE_SHORT
    grown = SimpleITK.BinaryMorphologicalOpening((head > SKULL) & near, [2, 2, 2], SimpleITK.sitkBall) | core
    grown = SimpleITK.RelabelComponent(SimpleITK.ConnectedComponent(grown)) == 1
    return SimpleITK.BinaryMorphologicalClosing(grown, [3, 3, 3], SimpleITK.sitkBall)


def main() -> None:
    """Write the file and say how large it is."""
    head = mean_head(Path(sys.argv[1]))
    brain = brain_in(head)
    inside = SimpleITK.SignedMaurerDistanceMap(
        brain, insideIsPositive=True, squaredDistance=False, useImageSpacing=True
    )
    coarse = [
        SimpleITK.BinShrink(image, [2, 2, 2])
        for image in (head, SimpleITK.Cast(inside, SimpleITK.sitkFloat32))
    ]
    values, depth = (SimpleITK.GetArrayFromImage(image) for image in coarse)
    top = np.percentile(values, 99.9)
    np.savez_compressed(
        TARGET,
        head=np.clip(np.rint(values / top * 255), 0, 255).astype(np.uint8),
        # mm inside the brain, negative outside, as far as anybody asks.
        brain=np.clip(np.rint(depth), -40, 8).astype(np.int8),
        origin=np.array(ORIGIN),
        spacing=np.array(SPACING),
    )
    print(TARGET, TARGET.stat().st_size, "bytes", coarse[0].GetOrigin(), coarse[0].GetSize())


if __name__ == "__main__":
    main()
