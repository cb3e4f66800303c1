"""What was announced, against what arrived."""

from __future__ import annotations

import pytest

from streams.completeness.expected import Expectation, expectation_of
from tests.unit.streams.completeness.evidence import announced, key


def of(announcements, received):
    return expectation_of(announcements, [key(one) for one in received])


def test_nothing_told_expects_nothing():
    assert of([], [1, 2]) == Expectation()


@pytest.mark.parametrize(
    ("received", "met", "missing", "surplus"),
    [([1, 2, 3], True, 0, 0), ([1, 2], False, 1, 0), ([1, 2, 3, 4], False, 0, 1), ([], False, 3, 0)],
)
def test_a_count_speaks_for_just_so_many(received, met, missing, surplus):
    found = of([announced(3)], received)
    assert (found.expected, found.met, found.missing, found.surplus) == (3, met, missing, surplus)


def test_of_counts_the_last_told_holds_whatever_came_last():
    told = [announced(5, name="P", second=1), announced(3, name="Q", second=2)]
    assert of(told, [1, 2, 3]) == of(told[::-1], [1, 2, 3])
    assert of(told, [1, 2, 3]).met


@pytest.mark.parametrize(
    ("received", "met", "missing", "surplus"),
    [
        ([1, 2, 3], True, 0, 0),
        ([1, 2], False, 1, 0),
        ([1, 2, 9], False, 1, 0),
        ([1, 2, 3, 9], False, 0, 1),
    ],
)
def test_a_list_speaks_for_just_those(received, met, missing, surplus):
    found = of([announced(3, listed=[1, 2, 3], by="commitment")], received)
    assert (found.met, found.missing, found.surplus, found.by) == (met, missing, surplus, "commitment")


def test_lists_add_up_and_a_part_counts_when_all_parts_are_there():
    first, second = announced(4, listed=[1, 2]), announced(4, listed=[3, 4], part=1)
    assert (of([first], [1, 2]).met, of([first], [1, 2]).missing) == (False, 2)
    assert of([first, second], [1, 2, 3, 4]).met
    more = announced(1, listed=[5], name="Q")
    assert of([first, second, more], [1, 2, 3, 4]).missing == 1
    assert of([more, second, first], [1, 2, 3, 4, 5]).met


def test_a_list_of_a_portion_is_enough_when_a_count_is_met():
    portion, count = announced(2, listed=[1, 2], name="Q"), announced(3)
    assert of([portion, count], [1, 2, 3]).met
    assert of([portion, count], [1, 2]).missing == 1
    assert not of([portion], [1, 2, 3]).met
