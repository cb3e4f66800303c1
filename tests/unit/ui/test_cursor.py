from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ui.live.cursor import REPLAY_LIMIT, Step, needs_snapshot, step


@given(st.lists(st.integers(1, 30), max_size=200))
def test_what_is_delivered_is_contiguous_whatever_is_offered(offers):
    last = 0
    for offered in offers:
        decided = step(last, offered)
        assert (decided is Step.REPEAT) == (offered <= last)
        assert (decided is Step.GAP) == (offered > last + 1)
        if decided is Step.DELIVER:
            last += 1
            assert last == offered


def test_one_who_is_far_behind_or_ahead_gets_the_present_state():
    assert not needs_snapshot(0, REPLAY_LIMIT)
    assert needs_snapshot(0, REPLAY_LIMIT + 1)
    assert needs_snapshot(5, 4)
    assert not needs_snapshot(4, 4)
