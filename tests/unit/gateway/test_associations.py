from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.associations import Carried, carry, ended, outcome_of, refuse
from schemas.catalogue import decode
from schemas.envelope import encode

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ASSOCIATION = "01a207b6-ffd8-762b-9ab6-06032647caec"
series = st.sampled_from([f"{number:032x}" for number in range(5)])


@given(st.lists(series))
def test_each_series_hears_once_what_was_stored_of_it(stored):
    state = Carried(ASSOCIATION, "default")
    for one in stored:
        state = carry(state, one)
    events = ended(state, "released", NOON)
    assert {event.data.series: event.data.instances for event in events} == Counter(stored)
    assert len({event.id for event in events}) == len(events)
    assert [decode(encode(event)) for event in events] == events
    assert ended(state, "released", NOON) == events
    for event in events:
        assert event.correlationid == ASSOCIATION
        assert event.subject == event.partitionkey == f"series/default/{event.data.series}"


@given(st.lists(series), st.integers(1, 4))
def test_the_series_not_fed_for_longest_are_forgotten(stored, limit):
    state = Carried(ASSOCIATION, "default")
    for one in stored:
        state = carry(state, one, limit)
    newest_first = list(dict.fromkeys(reversed(stored)))
    assert list(state.series) == newest_first[:limit][::-1]


def test_an_end_tells_when_its_association_began():
    (event,) = ended(carry(Carried(ASSOCIATION, "default", began=NOON), "a" * 32), "lost", NOON)
    assert event.data.began == NOON


@pytest.mark.parametrize(
    ("carried", "left"),
    [("aaab", "a"), ("aabbcc", "ab"), ("abab", ""), ("aabca", "bc"), ("a", ""), ("", "")],
)
def test_an_end_tells_which_series_it_had_left_for_another(carried, left):
    state = Carried(ASSOCIATION, "default")
    for one in carried:
        state = carry(state, one * 32)
    assert {event.data.series[0] for event in ended(state, "lost", NOON) if event.data.left} == set(left)


CT, HANGING, PRIVATE = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.38.1", "1.2.3.4"


@pytest.mark.parametrize(
    ("carried", "refused"),
    [
        ("aa!a", {"a": 1}),
        ("a!b", {"a": 1, "b": 1}),
        ("!ab!!", {"a": 1, "b": 2}),
        ("abab", {}),
        ("a?b", {}),
        ("a&", {"a": 1}),
        ("!", {}),
    ],
)
def test_a_refused_object_counts_in_the_series_beside_it(carried, refused):
    state = Carried(ASSOCIATION, "default")
    for one in carried:
        sop_class = {"!": CT, "?": HANGING, "&": PRIVATE}.get(one)
        state = refuse(state, sop_class) if sop_class else carry(state, one * 32)
    events = ended(state, "released", NOON)
    assert {event.data.series[0]: event.data.refused for event in events if event.data.refused} == refused


def test_states_are_values():
    before = carry(Carried(ASSOCIATION, "default"), "a" * 32)
    after = carry(before, "b" * 32)
    assert list(before.series) == ["a" * 32]
    assert list(after.series) == ["a" * 32, "b" * 32]


@pytest.mark.parametrize(
    ("released", "aborted", "outcome"),
    [(True, False, "released"), (True, True, "released"), (False, True, "aborted"), (False, False, "lost")],
)
def test_outcome(released, aborted, outcome):
    assert outcome_of(released=released, aborted=aborted) == outcome
