"""What counts as a hole between positions, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.completeness.positions import positions_of
from tests.unit.streams.completeness.evidence import ULTRASOUND, stack

SAGITTAL, TILTED = (1.0, 0.0, 0.0), (0.0, 0.009, 0.99996)


def holes(images):
    found = positions_of(images)
    return found.said, [(hole.after, hole.before, hole.slices) for hole in found.holes]


def test_a_uniform_spacing_has_no_hole():
    assert holes(stack([0, 2.5, 5, 7.5, 10])) == ("uniform", [])
    assert holes(stack([0, 2.52, 4.98, 7.5, 10.01])) == ("uniform", [])
    assert holes(stack([0, 1, 2, 3], TILTED) + stack([4, 5], start=9)) == ("uniform", [])


def test_a_hole_is_as_wide_as_a_multiple_of_the_spacing():
    assert holes(stack([0, 1, 2, 3, 5, 6, 7])) == ("gaps", [(3, 5, 1)])
    assert holes(stack([-10, -7.5, -5, -2.5, 7.5, 10, 12.5])) == ("gaps", [(-2.5, 7.5, 3)])


@pytest.mark.parametrize(
    "images",
    [
        stack([0, 1, 3, 4]),
        stack([0, 1, 2, 3, 4.4, 5.4]),
        stack([0, 5, 10, 15, 20, 30, 40, 50]),
        stack([*range(0, 60, 5), 65, 75, 85]),
        stack([0, 2, 4, 8, 16, 32]),
        stack([*range(5), *range(20, 25), *range(40, 45)]),
        stack([*range(5), *range(9, 14)]),
        stack([0, 0, 0, 0, 0, 0]),
        stack([0, 10, 20, 30, 50]) + stack([0, 10, 20, 30, 50], SAGITTAL, start=20),
        stack([0, 1, 2, 3, 5, 6], sop_class=ULTRASOUND),
        [*stack([0, 1, 2, 3, 5, 6]), *stack([7], normal=None, start=30)],
        [],
    ],
    ids=[
        "few",
        "no multiple",
        "half of it wider",
        "wider from here on",
        "growing",
        "three stacks",
        "two stacks",
        "one place",
        "localizer",
        "ultrasound",
        "one without a plane",
        "nothing",
    ],
)
def test_positions_that_say_nothing_are_unknown_and_no_gap(images):
    assert holes(images) == ("unknown", [])


@pytest.mark.parametrize("lost", [{5}, {4, 5, 6, 7}, {3, 7}])
def test_a_hole_in_one_stack_is_none_between_stacks(lost):
    assert holes(stack([one for one in range(11) if one not in lost]))[0] == "gaps"


def test_scouts_beside_a_stack_do_not_count():
    scouts = stack([0, 0], SAGITTAL, start=50)
    assert holes(stack([0, 1, 2, 3, 5, 6]) + scouts) == ("gaps", [(3, 5, 1)])


def test_acquisitions_and_temporal_positions_are_stacks_of_their_own():
    upper = stack([0, 1, 2, 3, 4], acquisition=1)
    lower = stack([50, 51, 52, 53, 54], acquisition=2, start=20)
    assert holes(upper + lower) == ("uniform", [])
    whole = stack([0, 1, 2, 3, 4, 5], temporal=1)
    lossy = stack([0, 1, 2, 4, 5], temporal=2, start=20)
    assert holes(whole + lossy) == ("gaps", [(2, 4, 1)])


@given(
    st.floats(-500, 500, allow_subnormal=False),
    st.floats(0.3, 12),
    st.integers(8, 60),
    st.data(),
)
def test_a_lost_slice_inside_a_uniform_stack_is_found_wherever_it_was(start, spacing, count, data):
    lost = data.draw(st.integers(1, count - 2))
    left = [round(start + spacing * one, 4) for one in range(count) if one != lost]
    found = positions_of(stack(left))
    assert (found.said, found.missing) == ("gaps", 1)
    assert found.holes[0].after < start + spacing * lost < found.holes[0].before
