"""Codes that machines read go like text."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pydicom
import pytest

from agents.anonymization.pixels.codes import codes
from tests.unit.agents.anonymization.pixels.checks import pointed
from tests.unit.agents.anonymization.pixels.drawn import Kind, background, drawn, stored_as

SHAPE = 256, 320
BLANK = drawn(places=(None,))
RNG = np.random.default_rng(3)
CODES = {
    "bars of 1 pixel": np.tile(RNG.random(90) < 0.5, (24, 1)),
    "bars of 3 pixels": np.tile(np.repeat(RNG.random(60) < 0.5, 3), (50, 1)),
    "modules of 3 pixels": np.kron(RNG.random((21, 21)) < 0.5, np.ones((3, 3))) > 0,
    "modules of 8 pixels": np.kron(RNG.random((21, 21)) < 0.5, np.ones((8, 8))) > 0,
}


@pytest.mark.parametrize("name", CODES)
def test_codes_go(name):
    code = CODES[name]
    greys = background(*SHAPE).copy()
    place = np.s_[60 : 60 + code.shape[0], 60 : 60 + code.shape[1]]
    greys[place] = np.where(code, 0.05, 0.95)
    source = stored_as(drawn(shape=SHAPE)._replace(greys=greys[None]), Kind())
    before = pydicom.dcmread(BytesIO(source)).pixel_array
    after = pydicom.dcmread(BytesIO(pointed(source, BLANK).content)).pixel_array
    black = (after == before.min())[place][code]
    bright = (after == before.min())[place][~code]
    assert black.all()
    assert bright.mean() > 0.9
    assert (after != before).mean() < 0.5


def view_of(greys):
    return np.repeat((np.clip(greys, 0, 1) * 255).astype(np.uint8)[..., None], 3, axis=2)


def test_anatomy_and_edges_are_no_codes():
    greys = background(*SHAPE).copy()
    greys[100:, 150:] = 1.0
    greys += np.random.default_rng(1).normal(0, 0.05, SHAPE)
    assert list(codes(view_of(greys), np.zeros(SHAPE, bool))) == []
    assert list(codes(np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), bool))) == []


def test_what_is_seen_between_black_boxes_is_no_code():
    hidden = np.ones(SHAPE, bool)
    hidden[20:220, 100:103] = False
    view = view_of(RNG.random(SHAPE) < 0.5)
    assert list(codes(view, hidden)) == []
    assert list(codes(view, ~hidden)) != []


def test_black_boxes_are_no_codes_and_a_code_beside_them_is_one():
    greys, hidden = np.full(SHAPE, 0.9), np.zeros(SHAPE, bool)
    for top, left in np.ndindex(8, 12):
        hidden[40 + 10 * top : 46 + 10 * top, 40 + 10 * left : 46 + 10 * left] = True
    greys[hidden] = 0
    assert list(codes(view_of(greys), np.zeros(SHAPE, bool))) != []
    assert list(codes(view_of(greys), hidden)) == []
    code = CODES["modules of 3 pixels"]
    greys[180 : 180 + code.shape[0], 200 : 200 + code.shape[1]] = ~code
    found = [seen for seen, _ in codes(view_of(greys), hidden)]
    assert found
    assert all(box.top > 150 for box in found)


def test_codes_are_found_where_they_are_whatever_is_around():
    """Only the part of a picture that has edges enough is looked through."""
    code = CODES["modules of 3 pixels"]
    for top, left in ((0, 0), (90, 131), (SHAPE[0] - 63, SHAPE[1] - 63)):
        greys = np.full(SHAPE, 0.4)
        greys[top : top + 63, left : left + 63] = code
        places = [box for box, _ in codes(view_of(greys), np.zeros(SHAPE, bool))]
        assert places
        for box in places:
            assert box.left < left + 63 < box.right + 24
            assert box.top < top + 63 < box.bottom + 24
