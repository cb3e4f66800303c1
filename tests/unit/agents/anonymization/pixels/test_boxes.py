from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agents.anonymization.pixels.boxes import Box, clipped, outside

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
