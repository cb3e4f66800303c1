"""The file is what two other readers understand, byte for byte the same each time."""

from __future__ import annotations

import gzip

import nibabel
import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.imaging.nifti import header_of, nifti_gz
from plugins.imaging.types import Volume

turns = st.tuples(*[st.floats(-180, 180)] * 3)


def turned(degrees, *, mirrored):
    result = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        one = np.eye(3)
        first, second = (axis + 1) % 3, (axis + 2) % 3
        one[first, first] = one[second, second] = np.cos(angle)
        one[first, second], one[second, first] = -np.sin(angle), np.sin(angle)
        result = one @ result
    if mirrored:
        result[:, 2] *= -1
    return result


@settings(deadline=None, max_examples=40)
@given(turns, st.booleans(), st.sampled_from(["int16", "uint16", "int32", "float32"]))
def test_other_readers_agree(tmp_path_factory, degrees, mirrored, dtype):
    affine = np.eye(4)
    affine[:3, :3] = turned(degrees, mirrored=mirrored) * (0.7, 1.3, 2.9)
    affine[:3, 3] = (12.5, -80.25, 300.75)
    voxels = np.random.default_rng(1).integers(0, 1000, (4, 3, 5)).astype(dtype)
    path = tmp_path_factory.mktemp("nifti") / "v.nii.gz"
    path.write_bytes(b"".join(nifti_gz(Volume(voxels=voxels, affine=affine))))
    image = nibabel.load(path)
    assert np.array_equal(np.asarray(image.dataobj).T, voxels)
    ras = np.diag([-1, -1, 1, 1]) @ affine
    assert np.allclose(image.get_sform(), ras, atol=1e-4)
    # The real part of a quaternion in single precision is poor near half a turn.
    assert np.allclose(image.get_qform(), ras, atol=5e-3)
    assert image.header.get_xyzt_units()[0] == "mm"
    read = SimpleITK.ReadImage(str(path))
    assert np.array_equal(SimpleITK.GetArrayFromImage(read), voxels)
    for index in ((0, 0, 0), (4, 2, 3), (1, 2, 0)):
        place = read.TransformIndexToPhysicalPoint(index)
        assert np.allclose(place, (affine @ [*index, 1])[:3], atol=1e-3)


def test_bytes_carry_no_time():
    volume = Volume(voxels=np.ones((2, 3, 4), dtype=np.int16), affine=np.eye(4))
    data = b"".join(nifti_gz(volume))
    assert data == b"".join(nifti_gz(volume))
    assert data[4:8] == b"\0\0\0\0"
    assert gzip.decompress(data)[:352] == header_of(volume)


def test_unknown_types_are_refused():
    with pytest.raises(KeyError):
        header_of(Volume(voxels=np.ones((2, 2, 2)), affine=np.eye(4)))
