from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.anonymization.pixels.boxes import Box, bridges, clipped, outside

ROWS, COLUMNS = 12, 17
boxes = st.builds(
    lambda left, top, width, height: Box(left, top, left + width, top + height),
    st.integers(-5, 20),
    st.integers(-5, 20),
    st.integers(0, 20),
    st.integers(0, 20),
)


def covered(some):
    mask = np.zeros((ROWS, COLUMNS), bool)
    for left, top, right, bottom in some:
        assert 0 <= left < right <= COLUMNS
        assert 0 <= top < bottom <= ROWS
        mask[top:bottom, left:right] = True
    return mask


@given(st.lists(boxes, max_size=6))
def test_clipping_keeps_all_that_lies_in_the_picture(some):
    expected = np.zeros((ROWS, COLUMNS), bool)
    for box in some:
        expected[max(box.top, 0) : max(box.bottom, 0), max(box.left, 0) : max(box.right, 0)] = True
    assert np.array_equal(covered(clipped(some, ROWS, COLUMNS)), expected)


@given(st.lists(boxes, max_size=6))
def test_the_outside_is_all_that_the_kept_boxes_leave(some):
    kept = clipped(some, ROWS, COLUMNS)
    assert np.array_equal(covered(outside(kept, ROWS, COLUMNS)), ~covered(kept))


def test_a_box_in_another_is_left_out():
    assert clipped([Box(1, 1, 9, 9), Box(2, 2, 3, 3), Box(1, 1, 9, 9)], ROWS, COLUMNS) == [Box(1, 1, 9, 9)]


def test_gaps_between_words_of_a_line_are_bridged():
    word, next_word = Box(0, 10, 30, 22), Box(36, 11, 60, 21)
    assert list(bridges([(next_word, 8), (word, 8)])) == [Box(30, 11, 36, 21)]
    upright = [(Box(box.top, box.left, box.bottom, box.right), 8.0) for box in (word, next_word)]
    assert list(bridges(upright)) == [Box(11, 30, 21, 36)]


@pytest.mark.parametrize(
    "other",
    [
        Box(39, 10, 60, 22),  # too far
        Box(36, 17, 60, 29),  # on the next line
        Box(36, 0, 60, 60),  # no line of this height
        Box(20, 10, 60, 22),  # without a gap
    ],
)
def test_other_gaps_stay(other):
    assert list(bridges([(Box(0, 10, 30, 22), 8), (other, 8)])) == []
