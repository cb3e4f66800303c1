from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ui.auth.attempts import PER_NAME, WINDOW, Attempts, failed, wait_s

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_fifth_failure_makes_the_next_attempt_wait_until_the_window_ends():
    attempts = None
    for _ in range(PER_NAME - 1):
        attempts = failed(attempts, NOW)
        assert wait_s(attempts, PER_NAME, NOW) == 0
    attempts = failed(attempts, NOW)
    assert wait_s(attempts, PER_NAME, NOW) == WINDOW.total_seconds() + 1
    assert wait_s(attempts, PER_NAME, NOW + WINDOW) == 0


def test_a_failure_after_the_window_begins_a_new_one():
    old = Attempts(NOW, 100)
    assert failed(old, NOW + WINDOW) == Attempts(NOW + WINDOW, 1)


@given(st.lists(st.integers(0, 2000), max_size=60))
def test_never_more_than_the_limit_in_one_window(pauses):
    now, attempts, tried = NOW, None, []
    for pause in pauses:
        now += timedelta(seconds=pause)
        if wait_s(attempts, PER_NAME, now) == 0:
            attempts = failed(attempts, now)
            tried.append(now)
    # Windows are fixed and not sliding: two neighbouring ones can share at most twice the limit.
    for start in tried:
        assert sum(start <= moment < start + WINDOW for moment in tried) <= 2 * PER_NAME
