from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.auth.attempts import PER_NAME, WINDOW, Attempts, counted, login_name, refunded, site, wait_s

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_fifth_failure_makes_the_next_attempt_wait_until_the_window_ends():
    attempts = None
    for _ in range(PER_NAME - 1):
        attempts = counted(attempts, NOW)
        assert wait_s(attempts, PER_NAME, NOW) == 0
    attempts = counted(attempts, NOW)
    assert wait_s(attempts, PER_NAME, NOW) == WINDOW.total_seconds() + 1
    assert wait_s(attempts, PER_NAME, NOW + WINDOW) == 0


def test_a_failure_after_the_window_begins_a_new_one():
    old = Attempts(NOW, 100)
    assert counted(old, NOW + WINDOW) == Attempts(NOW + WINDOW, 1)


@given(st.lists(st.integers(0, 2000), max_size=60))
def test_never_more_than_the_limit_in_one_window(pauses):
    now, attempts, tried = NOW, None, []
    for pause in pauses:
        now += timedelta(seconds=pause)
        if wait_s(attempts, PER_NAME, now) == 0:
            attempts = counted(attempts, now)
            tried.append(now)
    # Windows are fixed and not sliding: two neighbouring ones can share at most twice the limit.
    for start in tried:
        assert sum(start <= moment < start + WINDOW for moment in tried) <= 2 * PER_NAME


def test_a_refund_takes_back_one_of_its_own_window_and_of_no_other():
    assert refunded(Attempts(NOW, 3), NOW) == Attempts(NOW, 2)
    assert refunded(Attempts(NOW + WINDOW, 3), NOW) is None
    assert refunded(Attempts(NOW, 0), NOW) is None
    assert refunded(None, NOW) is None


@pytest.mark.parametrize("spelling", ["ana", "Ana", "\uff21na", "\uff41\uff4e\uff41"])
def test_every_spelling_that_finds_an_account_is_the_same_name(spelling):
    assert login_name(spelling) == "ana"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.1", "203.0.113.1", True),
        ("203.0.113.1", "203.0.113.2", False),
        ("203.0.113.1", "::ffff:203.0.113.1", True),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::9", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("unknown", "unknown", True),
    ],
)
def test_an_ipv6_site_is_counted_as_one(one, other, same):
    assert (site(one) == site(other)) is same
