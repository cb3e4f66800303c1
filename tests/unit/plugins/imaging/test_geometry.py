"""What is a volume, and what is said of planes that are not."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.imaging.geometry import arrange
from plugins.imaging.types import SliceHeader


def plane(index, height, **change):
    fields = {
        "source": index,
        "frame": 0,
        "order": index,
        "rows": 8,
        "columns": 6,
        "position": (1.0, 2.0, float(height)),
        "row_direction": (1.0, 0.0, 0.0),
        "column_direction": (0.0, 1.0, 0.0),
        "row_spacing": 2.0,
        "column_spacing": 1.5,
    }
    return SliceHeader(**(fields | change))


def stack(heights, **change):
    return [plane(index, height, **change) for index, height in enumerate(heights)]


def codes(arranged):
    return [finding.code for finding in arranged.findings]


@given(st.permutations(range(7)))
def test_sorted_by_position_whatever_the_order(order):
    arranged = arrange([plane(index, 3.0 * index) for index in order])
    arrangement = arranged.arrangement
    assert arranged.findings == []
    assert [placement.header.source for placement in arrangement.placements] == list(range(7))
    assert arrangement.spacing == (1.5, 2.0, 3.0)
    assert arrangement.origin == (1.0, 2.0, 0.0)
    assert arrangement.slices == 7


def test_sorted_along_the_normal_not_along_an_axis():
    # Row down, column left: the normal points backwards, so the first slice is the foremost.
    change = {"row_direction": (0.0, 0.0, -1.0), "column_direction": (1.0, 0.0, 0.0)}
    headers = [plane(index, 0, position=(0.0, -2.0 * index, 0.0), **change) for index in range(4)]
    arrangement = arrange(headers).arrangement
    assert arrangement.normal == (0.0, -1.0, 0.0)
    assert [placement.header.source for placement in arrangement.placements] == [0, 1, 2, 3]


def test_duplicates():
    arranged = arrange([*stack([0, 1, 2, 3]), plane(9, 2.0)])
    assert codes(arranged) == ["duplicate-slices"]
    assert [placement.header.source for placement in arranged.arrangement.placements] == [0, 1, 2, 3]


def test_phases():
    headers = [plane(10 * phase + index, index) for phase in (1, 0) for index in range(4)]
    arranged = arrange(headers)
    assert codes(arranged) == ["several-per-position"]
    assert [placement.header.source for placement in arranged.arrangement.placements] == [0, 1, 2, 3]


def test_gap():
    arranged = arrange(stack([0, 1, 2, 4, 5, 6, 7]))
    assert codes(arranged) == ["missing-slices"]
    assert arranged.arrangement.slices == 8
    assert arranged.findings[0].detail == {"missing": 1, "slices": 8}


def test_gaps_that_leave_no_volume():
    arranged = arrange(stack([0, 1, 2, 30, 31]))
    assert codes(arranged) == ["too-many-gaps"]
    assert arranged.arrangement is None


def test_uneven():
    arranged = arrange(stack([0, 1, 2.2, 3.2, 4, 5, 6]))
    assert codes(arranged) == ["uneven-spacing"]
    assert arranged.arrangement.spacing[2] == pytest.approx(1.0)


def test_rounded_positions_are_even():
    assert codes(arrange(stack([round(k * 1.2345, 2) for k in range(40)]))) == []


def test_missing_position_of_some_and_of_all():
    headers = [*stack([0, 1, 2]), plane(3, 3, position=None), plane(4, 4, row_direction=None)]
    arranged = arrange(headers)
    assert codes(arranged) == ["missing-position"]
    assert arranged.arrangement.slices == 3
    arranged = arrange(stack([0, 1, 2], position=None))
    assert arranged.findings[0].severity == "error"
    assert arranged.arrangement is None


@pytest.mark.parametrize("change", [{"row_spacing": None}, {"column_spacing": 0.0}, {"row_spacing": -1.0}])
def test_missing_spacing(change):
    arranged = arrange(stack([0, 1, 2], **change))
    assert codes(arranged) == ["missing-spacing"]
    assert arranged.arrangement is None


@pytest.mark.parametrize(
    "change",
    [
        {"position": (0.0, float("nan"), 0.0)},
        {"row_direction": (0.0, 0.0, 0.0)},
        {"row_direction": (0.0, 1.0, 0.0)},
        {"row_direction": (2.0, 0.0, 0.0)},
    ],
)
def test_impossible_geometry_is_no_geometry(change):
    assert codes(arrange(stack([0, 1, 2], **change))) == ["missing-position"]


@pytest.mark.parametrize("heights", [[0], [0, 1], [5, 5, 5, 5]])
def test_too_few(heights):
    arranged = arrange(stack(heights))
    assert codes(arranged)[-1] == "too-few-slices"
    assert arranged.arrangement is None


def test_no_images():
    assert codes(arrange([])) == ["no-images"]


@pytest.mark.parametrize("change", [{"samples": 3, "photometric": "RGB"}, {"photometric": "PALETTE COLOR"}])
def test_colour(change):
    arranged = arrange([*stack([0, 1, 2]), plane(3, 3, **change)])
    assert codes(arranged) == ["colour-image"]
    assert arranged.arrangement is None


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("mixed-sizes", {"rows": 16}),
        ("mixed-orientations", {"row_direction": (0.0, 1.0, 0.0), "column_direction": (0.0, 0.0, 1.0)}),
        ("mixed-spacings", {"row_spacing": 3.0}),
    ],
)
def test_the_largest_group_is_taken(code, change):
    arranged = arrange([*stack([0, 1, 2, 3]), *(plane(10 + k, k, **change) for k in range(3))])
    assert codes(arranged) == [code]
    assert {placement.header.source for placement in arranged.arrangement.placements} == {0, 1, 2, 3}


def test_scouts_of_three_directions():
    headers = [
        plane(0, 0),
        plane(1, 1, row_direction=(0.0, 1.0, 0.0), column_direction=(0.0, 0.0, -1.0)),
        plane(2, 2, row_direction=(1.0, 0.0, 0.0), column_direction=(0.0, 0.0, -1.0)),
    ]
    assert codes(arrange(headers)) == ["mixed-orientations", "too-few-slices"]


def test_tilted_gantry():
    headers = [plane(k, 0, position=(0.0, 0.5 * k, 2.0 * k)) for k in range(10)]
    arranged = arrange(headers)
    assert codes(arranged) == ["sheared"]
    assert arranged.findings[0].detail["degrees"] == pytest.approx(np.degrees(np.arctan(0.25)), abs=1e-3)
    assert arranged.arrangement.placements[-1].shift == pytest.approx((0.0, 4.5))
    assert arranged.arrangement.spacing[2] == pytest.approx(2.0)


def test_slices_that_drift_away():
    headers = [plane(k, 0, position=(0.0, 30.0 * k, 2.0 * k)) for k in range(10)]
    arranged = arrange(headers)
    assert codes(arranged) == ["too-sheared"]
    assert arranged.arrangement is None


@given(
    st.lists(
        st.builds(
            plane,
            index=st.integers(0, 99),
            height=st.floats(-1e6, 1e6),
            rows=st.integers(1, 3),
            samples=st.sampled_from([1, 1, 1, 3]),
            position=st.none() | st.tuples(*[st.floats(allow_nan=True, allow_infinity=True)] * 3),
            row_spacing=st.none() | st.floats(-1, 1e6),
        ),
        max_size=12,
    )
)
def test_nothing_crashes_it(headers):
    arranged = arrange(headers)
    assert msgspec.json.decode(msgspec.json.encode(arranged.findings)) is not None
    if arranged.arrangement is None:
        assert arranged.findings
    else:
        assert arranged.arrangement.spacing[2] > 0
