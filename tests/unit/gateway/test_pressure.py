"""Nobody new comes in when there is little room, and each reason is told."""

from __future__ import annotations

import pytest

from gateway.pressure import BACKLOG, DISK_LOW, Marks, congestion, told


@pytest.mark.parametrize(
    ("free", "backlog", "found"),
    [(100, 10, None), (99, 0, DISK_LOW), (99, 11, DISK_LOW), (100, 11, BACKLOG), (1000, 0, None)],
)
def test_marks(free, backlog, found):
    assert congestion(Marks(100, 10), free=free, backlog=backlog) == found


def test_without_a_bound_the_journal_may_wait():
    assert congestion(Marks(100, 0), free=100, backlog=10**9) is None


def test_both_are_transient_congestion_and_told_apart():
    # rejected transient, presentation service provider, temporary congestion (PS3.8, 9.3.4)
    assert DISK_LOW[:3] == BACKLOG[:3] == (2, 3, 1)
    assert "CHIPS_DISK_LOW_MB" in told(DISK_LOW)
    assert "CHIPS_JOURNAL_MOST" in told(BACKLOG)
