"""The pure decisions of the stores: appends, buckets, leases, generations, write timestamps, the stamp."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import NewerFormat, Rejected
from streams.store import stamp
from streams.store.api import MAX_APPEND, Lease, Stored
from streams.store.appending import bucket_of_append, first_bucket_after
from streams.store.cassandra.connecting import parse_contact
from streams.store.cassandra.timestamps import MOST_VERSION, Ticker, first_wins, newest_version_wins
from streams.store.generations import Generations, activated, begun
from streams.store.leasing import acquired, is_held, released
from streams.store.times import from_us, to_us

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
NOW_US = to_us(NOON)


@given(st.lists(st.integers(1, MAX_APPEND), max_size=60), st.integers(MAX_APPEND, 100))
def test_every_event_is_found_by_walking_the_buckets(counts, bucket):
    """Lay events into buckets as appends do, then read from anywhere as `read` does."""
    laid: dict[int, list[int]] = {}
    version = 0
    for count in counts:
        laid.setdefault(bucket_of_append(version, bucket), []).extend(range(version + 1, version + count + 1))
        version += count
    for after in range(version + 2):
        last, number, seen = after, first_bucket_after(after, bucket), []
        while True:
            found = [event for event in laid.get(number, []) if event > last]
            seen += found
            last = found[-1] if found else last
            if bucket_of_append(last, bucket) == number:
                break
            number = bucket_of_append(last, bucket)
        assert seen == list(range(after + 1, version + 1))


def test_where_stored_events_lie_never_changes():
    assert [bucket_of_append(version) for version in (0, 9_999, 10_000, 20_001)] == [0, 0, 1, 2]
    assert [first_bucket_after(version) for version in (0, 10_000, 10_030, 10_031)] == [0, 0, 0, 1]


def test_a_lease_is_decided():
    first = acquired(None, "r", "a", NOON, NOON + SECOND)
    assert first == Lease("r", "a", 1, NOON + SECOND)
    assert acquired(first, "r", "b", NOON, NOON + SECOND) is None
    assert acquired(first, "r", "b", NOON + SECOND, NOON + 2 * SECOND) == Lease(
        "r", "b", 2, NOON + 2 * SECOND
    )
    assert acquired(first, "r", "a", NOON + 9 * SECOND, NOON + 10 * SECOND).fencing == 1
    assert acquired(released(first), "r", "a", NOON, NOON + SECOND).fencing == 2
    assert is_held(first, first)
    assert not is_held(released(first), first)
    assert not is_held(None, first)
    with pytest.raises(ValueError, match="owner"):
        acquired(None, "r", "", NOON, NOON)


@given(st.lists(st.sampled_from(["begin", "activate", "drop"]), max_size=30))
def test_generations_never_come_back(steps):
    state, given_out = Generations(), {1}
    for step in steps:
        if step == "begin":
            before = state
            state, dropped = begun(state)
            assert state.building not in given_out
            assert dropped == ([before.building] if before.building else [])
            given_out.add(state.building)
        elif state.building and step == "activate":
            target = state.building
            state, others = activated(state, target)
            assert state.active == target
            assert target not in others
        elif state.building:
            state = state.without(state.building)
        assert state.active in state.filling
    with pytest.raises(Rejected):
        state.without(state.active)
    with pytest.raises(Rejected):
        activated(state, state.last + 1)


@given(st.integers(0, 3 * 10**8), st.integers(1, 10**9))
def test_the_first_write_of_a_fact_has_the_higher_timestamp(seconds, later):
    now = NOW_US + seconds * 1_000_000
    assert first_wins(now) > first_wins(now + later) > 0


@given(st.integers(0, MOST_VERSION - 1), st.integers(0, 30 * 365 * 86_400), st.integers(0, 30 * 365 * 86_400))
def test_a_higher_version_wins_whatever_the_clocks_say(version, one, other):
    lower = newest_version_wins(version, NOW_US + one * 1_000_000)
    assert newest_version_wins(version + 1, NOW_US + other * 1_000_000) > lower
    assert newest_version_wins(version, NOW_US + one * 1_000_000 + 1000) > lower
    assert 0 <= lower < 2**63 - 2


def test_a_version_that_does_not_fit_is_refused():
    for wrong in (-1, MOST_VERSION + 1):
        with pytest.raises(ValueError, match="beyond"):
            newest_version_wins(wrong, NOW_US)


def test_a_ticker_never_repeats():
    ticker = Ticker()
    given_out = [ticker.now() for _ in range(5000)]
    assert sorted(set(given_out)) == given_out


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - the strategy adds the zone
def test_times_keep_their_microsecond(time):
    assert from_us(to_us(time)) == time


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(TypeError):
        to_us(NOON.replace(tzinfo=None))


def test_the_stamp_says_what_to_do(monkeypatch):
    assert stamp.steps(None) == list(range(1, stamp.FORMAT + 1))
    ours = Stored("store", 1, stamp.encoded_stamp(stamp.FORMAT, NOON))
    assert stamp.steps(ours) == []
    monkeypatch.setattr(stamp, "FORMAT", stamp.FORMAT + 2)
    assert stamp.steps(ours) == [stamp.FORMAT - 1, stamp.FORMAT]
    newer = Stored("store", 1, stamp.encoded_stamp(stamp.FORMAT, NOON))
    monkeypatch.undo()
    with pytest.raises(NewerFormat, match="newer one"):
        stamp.steps(newer)


def test_contact_points_are_read():
    found = parse_contact("cassandra://a.example:9142,b.example,[::1]:9043/chips_1")
    assert found.hosts == [("a.example", 9142), ("b.example", 9042), ("::1", 9043)]
    assert found.keyspace == "chips_1"
