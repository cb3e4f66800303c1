"""An association that broke off, and whether a later one made it good."""

from __future__ import annotations

import pytest

from streams.completeness.transfers import broken_off
from tests.unit.streams.completeness.evidence import end, image, uuid


def named(images, **ends):
    broken = broken_off(images, {uuid(name): one for name, one in ends.items()})
    return {name: broken[uuid(name)] for name in "ABC" if uuid(name) in broken}


def test_a_release_breaks_nothing():
    assert named([image(1)], A=end()) == {}


@pytest.mark.parametrize("outcome", ["aborted", "lost"])
def test_a_break_stays_until_the_sender_comes_back(outcome):
    broken = end(outcome, second=60, began=0)
    assert named([image(1)], A=broken) == {"A": outcome}
    assert named([image(1), image(2, by="B", second=90)], A=broken, B=end(second=99, began=61)) == {}
    assert named([image(1), image(2, by="B", second=90)], A=broken, B=end(outcome, second=99, began=61)) == {
        "A": outcome,
        "B": outcome,
    }


def test_one_that_ran_beside_it_makes_nothing_good():
    images = [image(1), image(2, by="B", second=90)]
    assert named(images, A=end("aborted", second=60, began=0), B=end(second=99, began=30)) == {"A": "aborted"}


def test_one_that_had_left_the_series_for_another_broke_that_one():
    assert named([image(1)], A=end("lost", left=True)) == {}
    both = [image(1), image(2, by="B")]
    assert named(both, A=end("lost", left=True), B=end("aborted")) == {"B": "aborted"}


def test_what_was_refused_is_missing_until_the_sender_comes_back_and_nothing_is_refused():
    full = end(second=60, began=0, refused=2, left=True)
    assert named([image(1)], A=full) == {"A": "refused"}
    assert named([image(1)], A=full, B=end(second=99, began=61, refused=1)) == {
        "A": "refused",
        "B": "refused",
    }
    assert named([image(1)], A=full, B=end(second=99, began=61)) == {}


def test_a_sender_that_repeats_what_arrived_has_come_back_too():
    assert named([image(1)], A=end("lost", second=60, began=0), B=end(second=99, began=61)) == {}


def test_an_end_that_was_never_told_is_made_good_by_what_began_after_its_last_image():
    images = [image(1, second=5), image(2, by="B", second=90)]
    assert named(images, B=end(second=99, began=61)) == {}
    assert named(images, B=end(second=99, began=4)) == {"A": "unended"}
    assert named(images) == {"A": "unended", "B": "unended"}


def test_of_ends_that_tell_no_begin_the_first_image_tells_it():
    images = [image(1, second=5), image(2, by="B", second=90)]
    assert named(images, A=end("lost", second=60), B=end(second=99)) == {}
    assert named(images, A=end("lost", second=95), B=end(second=99)) == {"A": "lost"}
