"""What a source has used is counted in one place, whoever serves it, and forgotten when it is gone or old."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.quotas import HOUR_S, Counted, Hour, spend


def test_an_hour_has_its_bytes_and_begins_anew():
    hour, wait = spend(None, 100.0, 60, 100)
    assert (hour, wait) == (Hour(100.0, 60), 0)
    same, wait = spend(hour, 200.0, 41, 100)
    assert (same, wait) == (hour, HOUR_S - 100)
    full, wait = spend(hour, 200.0, 40, 100)
    assert (full, wait) == (Hour(100.0, 100), 0)
    assert spend(full, 100.0 + HOUR_S - 1, 1, 100)[1] == 1
    assert spend(full, 100.0 + HOUR_S, 1, 100) == (Hour(100.0 + HOUR_S, 1), 0)
    assert spend(None, 0.0, 101, 100)[1] == HOUR_S


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 60)), max_size=20), st.integers(1, 100))
def test_no_hour_has_more_than_it_may(steps, most):
    now, hour, spent = 0, None, {}
    for later, size in steps:
        now += later
        hour, wait = spend(hour, now, size, most)
        if not wait:
            spent[hour.began] = spent.get(hour.began, 0) + size
        assert 0 <= wait <= HOUR_S
    assert all(total <= most for total in spent.values())


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_accounts_count_apart():
    counted = Counted(Clock())
    assert [counted.enter("a", 2), counted.enter("a", 2), counted.enter("a", 2)] == [True, True, False]
    assert counted.enter("b", 1)
    counted.leave("a")
    assert counted.enter("a", 2)
    assert counted.spend("a", 10, 10) == 0
    assert counted.spend("a", 1, 10) == HOUR_S
    assert counted.spend("b", 1, 10) == 0


def test_what_is_remembered_is_bounded():
    clock = Clock()
    counted = Counted(clock)
    for number in range(4096):
        clock.now += 0.5
        counted.spend(f"10.0.{number}", 10, 10)
    assert counted.spend("10.0.0", 1, 10) > 0
    counted.spend("another", 1, 10)
    assert counted.spend("10.0.0", 1, 10) == 0, "the oldest was forgotten"
    assert counted.spend("10.0.4095", 1, 10) > 0
