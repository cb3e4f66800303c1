from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.anonymization.pixels.views import apart, around


@settings(max_examples=40)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 20), st.integers(0, 2**32 - 1))
def test_sums_around_a_pixel_are_those_of_its_square(rows, columns, reach, seed):
    values = np.random.default_rng(seed).integers(-(2**40), 2**40, (rows, columns))
    found = around(values, reach)
    for row, column in ((0, 0), (rows - 1, columns - 1), (rows // 2, columns // 3)):
        top, left = max(row - reach, 0), max(column - reach, 0)
        assert found[row, column] == values[top : row + reach + 1, left : column + reach + 1].sum()


@pytest.mark.parametrize(
    ("ranges", "needed"),
    [
        ([(0, 1000), (0, 1023), (38, 1062)], [(0, 1023)]),  # none shows more than another
        ([(100, 600), (0, 1023)], [(100, 600), (0, 1023)]),  # twice the greys
        ([(0, 900), (100, 1023)], [(0, 900), (100, 1023)]),  # each shows what the other cuts off
        ([(-500, 3000), (0, 1023)], [(0, 1023)]),  # all that there is, in fewer greys
    ],
)
def test_a_range_that_another_shows_as_well_is_left_out(ranges, needed):
    assert apart(ranges, (0, 1023)) == needed
