"""Ellipsoids of drawn axes, spacing, rotation and tilt: the volume is right and so is the affine."""

from __future__ import annotations

import math

import nibabel
import numpy as np
import SimpleITK
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugins.imaging.intensity import foreground_moments, statistics
from plugins.imaging.nifti import nifti_gz
from plugins.phantom.ellipsoid import draw_spec

PHANTOM = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def numbers(low, high):
    return st.floats(low, high, allow_nan=False)


@st.composite
def specs(draw):
    axes = tuple(draw(numbers(26, 55)) for _ in range(3))
    finest = min(axes) / 9
    spacing = tuple(draw(numbers(1.0, min(3.5, finest))) for _ in range(3))
    return draw_spec(
        draw(st.integers(0, 2**31)),
        axes_mm=axes,
        spacing_mm=spacing,
        rotation=tuple(draw(numbers(-180, 180)) for _ in range(3)),
        tilt=draw(numbers(-25, 25)),
        noise=draw(numbers(0, 20)),
    )


@PHANTOM
@given(spec=specs())
def test_volume_within_one_voxel_layer(assembled, spec):
    volume, _ = assembled(spec)
    threshold = statistics(volume.voxels).threshold
    count, centre = foreground_moments(volume, threshold)
    millilitres = count * math.prod(volume.spacing) / 1000
    layer = max(spec.spacing_mm)
    low, high = (4 / 3 * math.pi * math.prod(a + d for a in spec.axes_mm) / 1000 for d in (-layer, layer))
    assert low <= millilitres <= high
    # A layer is a wide bound; with voxels cut by the surface counted by halves it is far closer.
    assert abs(millilitres / spec.volume_ml - 1) < 0.03
    assert np.abs(np.array(centre) - spec.centre).max() < 0.25 * layer


@PHANTOM
@given(spec=specs())
def test_affine_is_right_at_landmarks(assembled, find_markers, tmp_path, spec):
    volume, _ = assembled(spec)
    path = tmp_path / "volume.nii.gz"
    path.write_bytes(b"".join(nifti_gz(volume)))
    found = find_markers(SimpleITK.ReadImage(str(path), SimpleITK.sitkFloat32))
    assert len(found) == len(spec.landmarks)
    for landmark in spec.landmarks:
        distance = min(np.linalg.norm(centre - landmark) for centre in found)
        assert distance < 0.5 * max(spec.spacing_mm), (landmark, found)
    # Another reader, in RAS: the brightest place is where the nearest landmark was put.
    image = nibabel.load(path)
    landmark = np.array(spec.landmarks[0])
    ras = landmark * (-1, -1, 1)
    for code in ("sform", "qform"):
        affine = getattr(image, f"get_{code}")()
        # The qform's real part is left out: readers take one below 6e-4 for 0, near half a turn.
        assert np.allclose(affine, image.affine, atol=5e-3)
        i, j, k = np.rint(np.linalg.solve(affine, [*ras, 1])[:3]).astype(int)
        assert image.dataobj[i, j, k] > (510 if spec.modality == "CT" else 870)


def test_same_seed_same_voxels(assembled):
    first, second = (assembled(draw_spec(5))[0] for _ in range(2))
    assert b"".join(nifti_gz(first)) == b"".join(nifti_gz(second))


def test_one_missing_slice_is_filled(assembled):
    spec = draw_spec(11, tilt=8.0)
    whole, _ = assembled(spec)
    count = whole.voxels.shape[0]
    gappy, findings = assembled(spec, keep=lambda index: index != count // 2)
    assert "missing-slices" in [finding.code for finding in findings]
    assert gappy.voxels.shape == whole.voxels.shape
    assert np.allclose(gappy.affine, whole.affine)
    millilitres = [
        foreground_moments(v, statistics(v.voxels).threshold)[0] * math.prod(v.spacing) / 1000
        for v in (whole, gappy)
    ]
    assert abs(millilitres[1] / spec.volume_ml - 1) < 0.03
    assert not np.array_equal(gappy.voxels, whole.voxels)
