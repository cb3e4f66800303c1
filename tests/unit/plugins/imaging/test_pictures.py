"""Pictures show the whole slice, in its proportions, the right way up, on black."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from plugins.imaging.intensity import Window, entropy, statistics, window_of
from plugins.imaging.orientation import facing_of, slice_axis, towards_patient
from plugins.imaging.pictures import (
    KEY_PIXELS,
    STRIP_FRAMES,
    fitted,
    flat_picture,
    key_slice,
    projection,
    strip,
)
from plugins.imaging.render import PICTURE_PIXELS, render
from plugins.imaging.types import Volume
from plugins.phantom.ellipsoid import draw_spec

WINDOW = Window(black=0.0, white=100.0)


def opened(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("L")).astype(int)


def volume_of(voxels, columns, spacing=(1.0, 1.0, 1.0)):
    """Columns: unit directions (LPS) of i, j and k."""
    affine = np.eye(4)
    affine[:3, :3] = np.array(columns, dtype=float).T * spacing
    return Volume(voxels=voxels, affine=affine)


L, P, S = (1, 0, 0), (0, 1, 0), (0, 0, 1)
R, A, F = (-1, 0, 0), (0, -1, 0), (0, 0, -1)


@pytest.mark.parametrize("columns", [(L, P, S), (R, A, F), (P, F, L), (A, F, R), (S, L, P), (L, F, P)])
def test_every_orientation_is_turned_towards_the_patient(columns):
    """A voxel far left, back and up is the last of all axes, however the array lies."""
    size = {"L": 5, "P": 7, "S": 9}
    letters = ["L" if c[0] else "P" if c[1] else "S" for c in columns]
    shape = tuple(size[letter] for letter in reversed(letters))
    voxels = np.zeros(shape, dtype=np.int16)
    last = tuple(shape[2 - axis] - 1 if sum(columns[axis]) > 0 else 0 for axis in (2, 1, 0))
    voxels[last] = 100
    volume = volume_of(voxels, columns)
    turned, _ = towards_patient(volume)
    assert turned.shape == (9, 7, 5)
    assert turned[-1, -1, -1] == 100
    assert ["S", "P", "L"][slice_axis(volume)] == letters[2]


def test_oblique_axes_are_matched_one_to_one():
    # Two columns lie closest to S; one to one, the second gets P.
    columns = np.array([(1, 0, 0), (0, 0.6, 0.8), (0, -0.8, 0.6)])
    affine = np.eye(4)
    affine[:3, :3] = columns.T
    facing = facing_of(affine)
    assert sorted(facing.axes) == [0, 1, 2]


def test_axial_slice_has_the_right_of_the_patient_on_its_left_and_the_front_up():
    voxels = np.zeros((3, 60, 60), dtype=np.int16)
    voxels[1] = np.random.default_rng(1).integers(0, 30, (60, 60))
    voxels[1, :15, :15] = 100  # front (P small) right (L small)
    picture, index = key_slice(volume_of(voxels, (L, P, S)), WINDOW)
    image = opened(picture)
    assert index == 1
    assert image[20:60, 20:60].min() > 200
    assert image[20:60, -60:-20].max() < 120
    picture, _ = key_slice(volume_of(voxels, (R, A, S)), WINDOW)  # the same array, the other way round
    assert opened(picture)[-60:-20, -60:-20].min() > 200


def test_projection_looks_from_the_front_with_the_head_up():
    voxels = np.zeros((40, 20, 40), dtype=np.int16)
    voxels[30:, 10, 30:] = 100  # up and left
    image = opened(projection(volume_of(voxels, (L, P, S)), WINDOW))
    assert image.shape == (KEY_PIXELS, KEY_PIXELS)
    assert image[20:60, -60:-20].min() > 200
    assert image[-60:, :].max() < 20
    assert image[:, :60].max() < 20


def test_proportions_are_those_of_the_patient():
    voxels = np.random.default_rng(1).integers(0, 100, (10, 100, 100)).astype(np.int16)
    picture, _ = key_slice(volume_of(voxels, (L, P, S), (1.0, 0.5, 3.0)), WINDOW)
    assert opened(picture).shape == (160, 320)
    assert opened(projection(volume_of(voxels, (L, P, S), (1.0, 0.5, 3.0)), WINDOW)).shape == (96, 320)


def test_nothing_is_cropped():
    image = np.zeros((50, 100), dtype=np.uint8)
    image[0, 0] = image[-1, 0] = image[0, -1] = image[-1, -1] = 255
    shown = fitted(image, (1.0, 1.0), 400)
    assert shown.shape == (200, 400)
    for corner in (shown[:3, :3], shown[-3:, :3], shown[:3, -3:], shown[-3:, -3:]):
        assert corner.min() > 150


def test_key_slice_is_the_one_that_says_most():
    voxels = np.zeros((9, 64, 64), dtype=np.int16)
    voxels[2] = 100
    voxels[6] = np.random.default_rng(2).integers(0, 100, (64, 64))
    assert key_slice(volume_of(voxels, (L, P, S)), WINDOW)[1] == 6


def test_strip_has_its_frames_in_order():
    voxels = np.repeat(np.arange(100, dtype=np.int16)[:, None, None], 32, axis=1).repeat(32, axis=2)
    image = opened(strip(volume_of(voxels, (L, P, S)), WINDOW))
    width = image.shape[1] // STRIP_FRAMES
    assert image.shape[1] == width * STRIP_FRAMES
    tones = [image[:, width * n : width * (n + 1)].mean() for n in range(STRIP_FRAMES)]
    assert tones == sorted(tones)
    assert tones[0] < 20
    assert tones[-1] > 235
    few = strip(volume_of(voxels[:3], (L, P, S)), WINDOW)
    assert opened(few).shape == image.shape


def test_windows():
    rng = np.random.default_rng(3)
    ct = np.concatenate([rng.normal(-1000, 5, 60_000), rng.normal(40, 15, 40_000)]).astype(np.int16)
    window = window_of(statistics(ct.reshape(10, 100, 100)), hounsfield=True)
    assert -250 < window.black < -100
    assert 200 < window.white < 300
    mr = np.concatenate([rng.normal(10, 2, 60_000), rng.normal(400, 50, 40_000)]).astype(np.int16)
    window = window_of(statistics(mr.reshape(10, 100, 100)), hounsfield=False)
    assert window.black < 12
    assert 480 < window.white < 600
    inverted = window_of(statistics(mr.reshape(10, 100, 100)), hounsfield=False, inverted=True)
    assert (inverted.white, inverted.black) == (window.black, window.white)
    assert inverted.grey(np.array([window.black]))[0] == 255


@pytest.mark.parametrize("hounsfield", [True, False])
@pytest.mark.parametrize("value", [0, -1000, 7])
def test_flat_volumes_have_pictures_too(value, hounsfield):
    volume = volume_of(np.full((4, 8, 8), value, dtype=np.int16), (L, P, S))
    found = statistics(volume.voxels)
    window = window_of(found, hounsfield=hounsfield)
    assert window.white > window.black
    for data in (key_slice(volume, window)[0], projection(volume, window), strip(volume, window)):
        assert opened(data).size > 0
    assert opened(render(volume, found.threshold)).shape == (PICTURE_PIXELS, PICTURE_PIXELS)


def test_extreme_voxels_do_not_move_the_threshold():
    rng = np.random.default_rng(4)
    voxels = np.concatenate([rng.normal(0, 10, 500_000), rng.normal(300, 10, 500_000)]).astype(np.int32)
    voxels[:50] = 2_000_000
    # Anywhere in the empty range between the two is right.
    assert 35 < statistics(voxels.reshape(100, 100, 100)).threshold < 265


def test_entropy():
    assert entropy(np.zeros((8, 8), dtype=np.uint8)) == 0
    assert entropy(np.arange(256, dtype=np.uint8)) == pytest.approx(6.0)


def test_render_is_lit_centred_and_on_black(assembled):
    volume, _ = assembled(draw_spec(6))
    image = opened(render(volume, statistics(volume.voxels).threshold))
    assert image.shape == (PICTURE_PIXELS, PICTURE_PIXELS)
    assert max(image[0].max(), image[-1].max(), image[:, 0].max(), image[:, -1].max()) < 8
    rows, columns = np.nonzero(image > 20)
    assert abs(rows.mean() - PICTURE_PIXELS / 2) < 25
    assert abs(columns.mean() - PICTURE_PIXELS / 2) < 25
    assert max(np.ptp(rows), np.ptp(columns)) > 0.8 * PICTURE_PIXELS
    assert image[image > 20].std() > 20  # light and shade


def test_render_has_the_head_up_and_the_left_on_the_right():
    voxels = np.zeros((60, 60, 60), dtype=np.int16)
    voxels[5:12, 20:40, 5:55] = 100  # a foot that reaches from right to left
    voxels[5:55, 20:40, 44:55] = 100  # and a pillar on the left, up to the head
    image = opened(render(volume_of(voxels, (L, P, S)), 50.0)) > 20
    middle = PICTURE_PIXELS // 2
    assert image[:middle, middle:].sum() > 5 * image[:middle, :middle].sum()
    assert image[middle:, :middle].sum() > 1000


def test_single_images():
    grey = np.arange(100, dtype=np.int16).reshape(10, 10)
    assert opened(flat_picture(grey, (1.0, 2.0), inverted=False)).shape == (160, 320)
    assert opened(flat_picture(grey, (1.0, 1.0), inverted=True))[0, 0] > 200
    colour = np.zeros((10, 20, 3), dtype=np.uint8)
    colour[..., 0] = 255
    shown = np.asarray(Image.open(io.BytesIO(flat_picture(colour, (1.0, 1.0), inverted=False))))
    assert shown.shape == (160, 320, 3)
    assert shown[80, 160, 0] > 200
    assert shown[80, 160, 2] < 60
