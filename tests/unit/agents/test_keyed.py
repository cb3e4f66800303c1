from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agents.keyed import Keyed


def test_one_key_runs_one_by_one_and_others_beside():
    keyed = Keyed()
    assert keyed.add("a", 1)
    assert not keyed.add("a", 2)
    assert keyed.add("b", 3)
    assert len(keyed) == 3
    assert keyed.done("a") == 2
    assert keyed.done("a") is None
    assert keyed.done("b") is None
    assert len(keyed) == 0
    assert keyed.add("a", 4)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60), st.randoms(use_true_random=False)
)
def test_each_key_is_served_in_order_whatever_ends_first(arrivals, chance):
    keyed = Keyed()
    running = {}
    served = {}
    given_in = {}
    for number, (key, end_one) in enumerate(arrivals):
        given_in.setdefault(key, []).append(number)
        if keyed.add(key, number):
            assert key not in running
            running[key] = number
        if end_one and running:
            end(keyed, running, served, chance.choice(sorted(running)))
    while running:
        end(keyed, running, served, chance.choice(sorted(running)))
    assert served == given_in
    assert len(keyed) == 0


def end(keyed, running, served, key):
    served.setdefault(key, []).append(running.pop(key))
    following = keyed.done(key)
    if following is not None:
        running[key] = following
