from __future__ import annotations

from deploy.backoff import FIRST_S, HEALTHY_S, LONGEST_S, failures_after, wait_s


def test_waits_double_up_to_a_bound():
    waits = [wait_s(failures) for failures in range(1, 12)]
    assert waits[:3] == [FIRST_S, FIRST_S * 2, FIRST_S * 4]
    assert waits[-1] == LONGEST_S
    assert wait_s(10_000) == LONGEST_S
    assert wait_s(0) == 0


def test_a_long_life_forgives():
    assert failures_after(7, HEALTHY_S) == 1
    assert failures_after(7, HEALTHY_S - 1) == 8
