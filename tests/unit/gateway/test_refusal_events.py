"""Refusals become events at once, and few of them, however many there are; none is lost from the count."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from gateway.refusal_events import MOST, PERIOD, Refusals, Refused
from schemas.catalogue import decode
from schemas.envelope import encode
from schemas.identity import derived_id
from schemas.pacs import AssociationRefused, ObjectRefused

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STORY = derived_id("test", "association")


def refusals():
    ids = count()
    return Refusals(lambda: derived_id("test", "id", next(ids)))


def association(source="CT1", reason="address", address="192.0.2.1"):
    return Refused(kind="association", project="default", source=source, reason=reason, address=address)


def at(seconds):
    return NOON + timedelta(seconds=seconds)


def test_the_first_is_told_at_once_and_the_rest_of_its_minute_together():
    told = refusals()
    told.note(association(), at(0))
    (first,) = told.due(at(1))
    assert first.data == AssociationRefused(
        project="default",
        source="CT1",
        reason="address",
        count=1,
        since=at(0),
        until=at(0),
        address="192.0.2.1",
    )
    for second in (2, 5, 50):
        told.note(association(address=f"192.0.2.{second}"), at(second))
    assert told.due(at(60)) == []
    (rest,) = told.due(at(61))
    assert (rest.data.count, rest.data.since, rest.data.until) == (3, at(2), at(50))
    assert rest.data.address == "192.0.2.50"
    assert rest.id != first.id
    assert told.due(at(1000)) == []


def test_an_object_has_the_story_of_its_association():
    told = refusals()
    told.note(
        Refused(
            kind="object",
            project="trial-7",
            source="A/B%",
            reason="bad-uid",
            address="::1",
            association=STORY,
        ),
        at(0),
    )
    (event,) = told.due(at(0))
    assert isinstance(event.data, ObjectRefused)
    assert (event.correlationid, event.data.association) == (STORY, STORY)
    assert event.subject == event.partitionkey == "source/trial-7/A%2FB%25"
    assert decode(encode(event)) == event


def test_at_the_end_all_are_told():
    told = refusals()
    told.note(association(), at(0))
    told.due(at(0))
    told.note(association(), at(1))
    assert told.due(at(2)) == []
    (last,) = told.due(at(2), all_of_them=True)
    assert last.data.count == 1


def test_a_flood_of_names_is_few_events_and_every_refusal_counts():
    told = refusals()
    for number in range(10_000):
        told.note(association(source=f"AE{number}"), at(number / 1000))
    events = told.due(at(10)) + told.due(at(11))
    assert len(events) <= MOST + 1
    assert sum(event.data.count for event in events) == 10_000
    (others,) = [event for event in events if not event.data.source]
    assert others.data.address is None


def test_a_clock_that_is_set_back_silences_nothing():
    told = refusals()
    told.note(association(), at(10_000))
    told.due(at(10_000))
    told.note(association(), at(0))
    assert len(told.due(at(1))) == 1


STEPS = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from("ABC"), st.sampled_from(["address", "calling-ae"])),
    max_size=60,
)


@given(STEPS)
def test_no_kind_is_told_twice_within_a_minute_and_none_is_lost(steps):
    told, now, events, noted = refusals(), at(0), [], Counter()
    for later, source, reason in steps:
        now += timedelta(seconds=later)
        told.note(association(source, reason), now)
        noted[source, reason] += 1
        events += [(now, event.data) for event in told.due(now)]
    last = {}
    for when, data in events:
        kind = (data.source, data.reason)
        assert when - last.get(kind, when - PERIOD) >= PERIOD
        last[kind] = when
    events += [(now, event.data) for event in told.due(now, all_of_them=True)]
    counted = Counter()
    for _, data in events:
        counted[data.source, data.reason] += data.count
    assert counted == noted
