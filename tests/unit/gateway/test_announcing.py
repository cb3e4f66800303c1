"""Announcements as events: whole lists in parts, the same when they are made again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.announcing import (
    PART,
    Announcement,
    announce_commitment,
    announce_count,
    announce_list,
)
from gateway.identity import ProjectKey
from schemas.catalogue import decode
from schemas.envelope import MAX_BYTES, encode
from schemas.identity import derived_id

KEY = ProjectKey(project="default", secret=bytes(range(32)))
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BY = Announcement("default", "announcement", derived_id("test", "P"), NOON)
ONE, TWO = "a" * 32, "b" * 32


def keys(numbers):
    return [f"{number:032x}" for number in numbers]


def told(events):
    found = {}
    for event in events:
        found.setdefault(event.data.series, []).extend(event.data.listed)
    return found


def test_a_count_is_one_event_under_the_key_of_its_series():
    (event,) = announce_count(BY, ONE, 240)
    assert (event.subject, event.data.instances, event.data.listed) == (f"series/default/{ONE}", 240, [])
    assert decode(encode(event)) == event


def test_a_long_list_is_told_in_parts_that_fit_and_know_the_whole():
    listed = keys(range(2 * PART + 1))
    events = announce_list(BY, ONE, listed)
    assert [event.data.part for event in events] == [0, 1, 2]
    assert {event.data.instances for event in events} == {len(listed)}
    assert told(events) == {ONE: listed}
    assert len({event.id for event in events}) == 3
    assert all(len(encode(event)) <= MAX_BYTES for event in events)
    assert announce_list(BY, ONE, listed[::-1]) == events


def test_a_commitment_tells_each_series_its_images_and_again_the_same():
    a, b, c = keys([1, 2, 3])
    events = announce_commitment(KEY, "1.2.3", {a: ONE, b: TWO, c: ONE}, NOON)
    assert told(events) == {ONE: [a, c], TWO: [b]}
    assert {event.data.by for event in events} == {"commitment"}
    assert announce_commitment(KEY, "1.2.3", {c: ONE, b: TWO, a: ONE}, NOON) == events
    other = announce_commitment(KEY, "1.2.4", {a: ONE, b: TWO, c: ONE}, NOON)
    assert not {event.id for event in other} & {event.id for event in events}
    assert "1.2.3" not in str(events)


@pytest.mark.parametrize("series", [ONE, None])
def test_what_is_not_here_counts_in_the_only_series_that_it_can_belong_to(series):
    a, b = keys([1, 2])
    events = announce_commitment(KEY, "1.2.3", {a: series, b: None}, NOON)
    assert told(events) == ({ONE: [a, b]} if series else {})


def test_with_several_series_nothing_is_said_when_something_is_not_here():
    a, b, c = keys([1, 2, 3])
    assert announce_commitment(KEY, "1.2.3", {a: ONE, b: TWO, c: None}, NOON) == []
