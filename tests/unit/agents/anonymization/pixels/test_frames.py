"""Text in any frame goes from all of them: it stands still, comes and goes, or moves."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.encaps import generate_frames

from agents.anonymization.outcome import Refusal
from agents.anonymization.pixels import looking
from agents.anonymization.pixels.cleaning import clean_pixels
from agents.anonymization.pixels.looking import samples_of
from agents.anonymization.policy.document import Region
from agents.anonymization.policy.ready import BASIC
from tests.unit.agents.anonymization.pixels.checks import Pointing, is_gone, pointed
from tests.unit.agents.anonymization.pixels.drawn import Kind, by_pydicom, drawn, stored_as

GREY, COLOUR = Kind(), Kind("RGB")
ONCE = 5
"""A frame that is not among the samples of twelve."""


@pytest.mark.parametrize(
    "kind", [GREY, Kind(allocated=16, stored=12), COLOUR, Kind("PALETTE COLOR")], ids=str
)
def test_text_that_stands_still(kind):
    drawing = drawn(frames=2)
    source = stored_as(drawing, kind)
    cleaned = clean_pixels(source, BASIC) if kind is GREY else pointed(source, drawing)
    is_gone(source, cleaned, drawing.letters)


def test_text_in_one_frame_only():
    assert ONCE not in samples_of(12)
    drawing = drawn(frames=12, places=(*[None] * ONCE, (90, 60), None))
    source = stored_as(drawing, GREY)
    is_gone(source, clean_pixels(source, BASIC), drawing.letters)


def test_text_that_moves():
    drawing = drawn(frames=3, places=((20, 30), (70, 50), (120, 20)))
    source = by_pydicom(drawing, COLOUR, uid.RLELossless)
    new = is_gone(source, clean_pixels(source, BASIC), drawing.letters, at_most=0.7)
    assert len(list(generate_frames(new.PixelData, number_of_frames=3))) == 3


def test_single_bits_of_several_frames():
    drawing = drawn(frames=2)
    source = stored_as(drawing, Kind(allocated=1, stored=1))
    is_gone(source, pointed(source, drawing), drawing.letters)


@pytest.mark.parametrize("bound", ["WORK_AT_MOST", "ASKED_AT_MOST"])
def test_more_than_can_be_looked_through_stays_in(monkeypatch, bound):
    source = stored_as(drawn(frames=3), GREY)
    monkeypatch.setattr(looking, bound, 1000)
    with pytest.raises(Refusal) as refused:
        clean_pixels(source, BASIC)
    assert refused.value.reason == "too-many-pixels"


def test_text_that_is_still_there_after_the_last_look_stays_in(monkeypatch):
    """As if black boxes did not hide it."""
    source = stored_as(drawn(), GREY)
    monkeypatch.setattr(looking, "blackened", lambda frame, *_: frame)
    monkeypatch.setattr(looking.Looker, "_mask", lambda self, _: np.zeros((160, 224), bool))
    with pytest.raises(Refusal) as refused:
        clean_pixels(source, BASIC)
    assert refused.value.reason == "text-left"


@pytest.mark.parametrize(("frames", "expected"), [(1, [0]), (2, [0, 1]), (9, [0, 1, 2, 3, 4, 5, 6, 8])])
def test_samples_are_spread(frames, expected):
    assert samples_of(frames) == expected
    assert len(samples_of(1000)) == looking.SAMPLES


def test_a_policy_s_own_region_is_black_in_all_frames():
    policy = BASIC.__class__(name="own", version=1, regions=[Region(boxes=[(200, 140, 100, 100)])])
    drawing = drawn(frames=2, places=(None,))
    source = stored_as(drawing, GREY)
    before = pydicom.dcmread(BytesIO(source)).pixel_array
    cleaned = clean_pixels(source, policy, Pointing(drawing.letters))
    after = pydicom.dcmread(BytesIO(cleaned.content)).pixel_array
    assert (after[:, 140:, 200:] == before.min()).all()
    assert np.array_equal(after[:, :140, :200], before[:, :140, :200])
