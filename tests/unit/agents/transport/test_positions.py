from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agents.transport.positions import Positions

TP = ("t", 0)


def test_nothing_handed_out_has_no_position():
    assert Positions().position(TP) is None


def test_a_hole_at_the_head_holds_the_position():
    positions = Positions()
    for offset in range(5):
        positions.delivered(TP, offset)
    for offset in (1, 2, 3, 4):
        assert positions.acknowledged(TP, offset)
    assert positions.position(TP) == 0
    positions.acknowledged(TP, 0)
    assert positions.position(TP) == 5


def test_a_gap_in_the_log_is_no_hole():
    positions = Positions()
    for offset in (3, 10, 11):
        positions.delivered(TP, offset)
    positions.acknowledged(TP, 3)
    assert positions.position(TP) == 10
    positions.acknowledged(TP, 10)
    positions.acknowledged(TP, 11)
    assert positions.position(TP) == 12


def test_what_was_revoked_counts_no_more():
    positions = Positions()
    positions.delivered(TP, 7)
    positions.forget([TP])
    assert not positions.acknowledged(TP, 7)
    assert positions.position(TP) is None
    assert positions.partitions() == []


class Committing(RuleBasedStateMachine):
    """Deliveries with gaps, acknowledgements in any order, seeks back: nothing open is ever passed."""

    def __init__(self):
        super().__init__()
        self.positions = Positions()
        self.open = set()
        self.end = 0

    @rule(gap=st.integers(0, 3))
    def deliver(self, gap):
        self.positions.delivered(TP, self.end + gap)
        self.open.add(self.end + gap)
        self.end += gap + 1

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def acknowledge(self, data):
        offset = data.draw(st.sampled_from(sorted(self.open)))
        assert self.positions.acknowledged(TP, offset)
        self.open.discard(offset)

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def deliver_again(self, data):
        self.positions.delivered(TP, data.draw(st.sampled_from(sorted(self.open))))

    @precondition(lambda self: self.end)
    @rule(data=st.data())
    def acknowledge_something_else(self, data):
        closed = sorted(set(range(self.end + 2)) - self.open)
        if closed:
            assert not self.positions.acknowledged(TP, data.draw(st.sampled_from(closed)))

    @invariant()
    def the_first_open_one_is_the_position(self):
        if self.end:
            assert self.positions.position(TP) == (min(self.open) if self.open else self.end)


TestCommitting = Committing.TestCase


@given(st.permutations(range(8)))
def test_any_order_of_acknowledgement_ends_at_the_end(order):
    positions = Positions()
    for offset in range(8):
        positions.delivered(TP, offset)
    seen = [positions.acknowledged(TP, offset) and positions.position(TP) for offset in order]
    assert seen == sorted(seen)
    assert seen[-1] == 8
