"""What counts as a gap in Instance Numbers, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.completeness.numbers import numbers_of
from tests.unit.streams.completeness.evidence import (
    CAPTURE,
    CT,
    ENHANCED_MR,
    MR,
    PET,
    ULTRASOUND,
    image,
    slices,
)


@pytest.mark.parametrize("sop_class", [CT, MR, PET])
@pytest.mark.parametrize("first", [0, 1, 51, -3])
def test_slices_without_a_gap_are_contiguous_wherever_they_begin(sop_class, first):
    assert numbers_of(slices(range(first, first + 9), sop_class=sop_class)).said == "contiguous"


@pytest.mark.parametrize(
    ("numbers", "gaps", "missing"),
    [
        ([1, 2, 4], [(3, 3)], 1),
        ([1, 3], [(2, 2)], 1),
        ([1, 2, 3, 6, 7, 9, 10], [(4, 5), (8, 8)], 3),
        ([10, 20, 30, 50, 60], [(40, 40)], 1),
    ],
)
def test_what_is_missing_between_others_is_a_gap(numbers, gaps, missing):
    found = numbers_of(slices(numbers))
    assert (found.said, [(gap.first, gap.last) for gap in found.gaps], found.missing) == (
        "gaps",
        gaps,
        missing,
    )


@pytest.mark.parametrize(
    "images",
    [
        slices([None, None]),
        slices([1, None, 3]),
        slices([10, 20, 30, 40]),
        slices([*range(1, 6), *range(1001, 1006)]),
        slices([1, 3, 7], sop_class=ULTRASOUND),
        slices([1, 5], sop_class=ENHANCED_MR),
        slices([1, 1, 3, 3]),
        [],
    ],
    ids=["none", "some", "own steps", "blocks", "ultrasound", "multi-frame", "echoes", "nothing"],
)
def test_numbers_that_say_nothing_are_unknown_and_no_gap(images):
    found = numbers_of(images)
    assert (found.said, found.missing) == ("unknown", 0)


@pytest.mark.parametrize("field", ["acquisition", "temporal"])
def test_numbers_that_repeat_count_within_their_acquisition_or_temporal_position(field):
    first = [image(one, number=one, **{field: 1}) for one in (1, 2, 3)]
    second = [image(10 + one, number=one, **{field: 2}) for one in (1, 2, 3)]
    assert numbers_of(first + second).said == "contiguous"
    found = numbers_of([first[0], first[2], *second])
    assert (found.said, found.missing) == ("gaps", 1)


def test_numbers_that_go_on_in_the_next_acquisition_are_one_count():
    images = [image(one, number=one, acquisition=1 + (one > 3)) for one in (1, 2, 3, 4, 5)]
    assert numbers_of(images).said == "contiguous"
    assert numbers_of([*images[:3], images[4]]).missing == 1


def test_an_object_of_another_class_takes_a_number_of_the_count_and_makes_no_gap():
    screen = image(99, number=3, sop_class=CAPTURE)
    far = image(98, number=900, sop_class=CAPTURE)
    assert numbers_of([*slices([1, 2, 4, 5]), screen, far]).said == "contiguous"


@given(st.integers(-5, 500), st.integers(3, 60), st.data())
def test_any_loss_of_less_than_half_between_the_ends_is_a_gap_of_just_those(first, count, data):
    inner = range(first + 1, first + count - 1)
    lost = data.draw(st.sets(st.sampled_from(inner), min_size=1, max_size=max(1, (count - 1) // 4)))
    left = [one for one in range(first, first + count) if one not in lost]
    found = numbers_of(slices(left))
    assert {number for gap in found.gaps for number in range(gap.first, gap.last + 1)} == lost
    assert found.missing == len(lost)
