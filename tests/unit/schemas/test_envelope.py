"""The envelope against the CloudEvents 1.0 specification, and against what may be thrown at it."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import catalogue
from schemas.catalogue import TYPES, decode, topic_of, type_of
from schemas.envelope import MAX_BYTES, Event, InvalidEvent, encode, parse_stream, sequence_of
from schemas.feed import CommentPosted, FeedCreated
from schemas.identity import derived_id, feed_stream, instance_event_id, job_stream, series_stream
from schemas.make import derived, first
from schemas.samples import sample

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANY = "chips.feed.comment.posted.v1"


def wire(**changes) -> dict:
    return json.loads(encode(sample(ANY))) | changes


def raw(**changes) -> bytes:
    return json.dumps({key: value for key, value in wire(**changes).items() if value is not None}).encode()


def test_required_context_attributes_are_there_and_as_the_specification_says():
    """CloudEvents 1.0, "Required attributes": id, source, specversion, type; all non-empty strings."""
    said = wire()
    for name in ("id", "source", "specversion", "type"):
        assert isinstance(said[name], str)
        assert said[name]
        with pytest.raises(InvalidEvent, match=name):
            decode(raw(**{name: None}))
        with pytest.raises(InvalidEvent):
            decode(raw(**{name: ""}))
    assert said["specversion"] == "1.0"
    with pytest.raises(InvalidEvent):
        decode(raw(specversion="0.3"))


def test_attribute_names_are_lower_case_letters_and_digits():
    """CloudEvents 1.0, "Attribute naming convention": a to z and 0 to 9, at most 20 characters."""
    assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in Event.__struct_fields__)


def test_attribute_values_are_strings_and_time_is_rfc_3339():
    said = wire()
    assert all(isinstance(value, str) for name, value in said.items() if name != "data")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", said["time"])
    assert said["datacontenttype"] == "application/json"


def test_optional_attributes_may_be_missing():
    required = {
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "datacontenttype",
        "partitionkey",
        "data",
    }
    least = decode(json.dumps({key: value for key, value in wire().items() if key in required}).encode())
    assert set(json.loads(encode(least))) == required
    assert least.version == 0


def test_unknown_attributes_and_fields_are_tolerated():
    """A newer CHIPS within the major version, or another producer, may send more."""
    known = sample(ANY)
    more = wire(dataschema="urn:x", newextension="1")
    more["data"]["new_field"] = {"deep": [1, 2]}
    assert decode(json.dumps(more).encode()) == known


def test_times_with_another_offset_are_the_same_moment():
    assert decode(raw(time="2026-03-01T13:00:00.250+01:00")) == sample(ANY)
    east = timezone(timedelta(hours=9))
    assert decode(encode(msgspec.structs.replace(sample(ANY), time=NOON.astimezone(east)))).time == NOON
    with pytest.raises(InvalidEvent):
        decode(raw(time="2026-03-01T12:00:00"))


@given(st.lists(st.integers(0, 10**16 - 1), min_size=2))
def test_a_sequence_sorts_as_text(versions):
    """CloudEvents sequence extension: a later event has a lexicographically greater value."""
    assert sorted(map(sequence_of, versions)) == list(map(sequence_of, sorted(versions)))
    assert all(int(sequence_of(version)) == version for version in versions)


def test_a_sequence_that_would_not_sort_is_refused():
    for wrong in ("7", "00000000000000007", "-000000000000007", "000000000000000a"):
        with pytest.raises(InvalidEvent, match="sequence"):
            decode(raw(sequence=wrong))
    assert decode(raw(sequence=sequence_of(12))).version == 12


def test_an_event_has_at_most_64_kib():
    """CloudEvents 1.0, "Size limits": consumers should accept events of at most 64 KiB."""
    assert MAX_BYTES == 65_536
    wide = msgspec.structs.replace(
        sample(ANY), data=CommentPosted(comment=str(uuid.uuid4()), text="x" * MAX_BYTES)
    )
    with pytest.raises(InvalidEvent, match="blob"):
        encode(wide)


def test_equal_events_have_equal_bytes_and_come_back_as_they_were():
    for event_type in TYPES:
        one = sample(event_type)
        assert encode(decode(encode(one))) == encode(one)
        assert decode(encode(one)) == one
        assert decode(memoryview(encode(one))) == one


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"text"',
        b"\xff\xfe",
        b'{"specversion":"1.0"',
        raw(type="chips.feed.unheard_of.v1"),
        raw(type="org.example.event"),
        raw(data=5),
        raw(data={"comment": "no uuid", "text": "x"}),
        raw(id="not-a-uuid"),
        raw(id=str(uuid.uuid4()) + "\n"),
        raw(source="http://elsewhere/"),
        raw(datacontenttype="text/xml"),
        raw(authtype="root"),
        raw(subject="x" * 257),
        json.dumps(wire()).encode("utf-16"),
    ],
)
def test_what_is_no_event_is_invalid(bad):
    with pytest.raises(InvalidEvent):
        decode(bad)


def test_an_invalid_event_is_told_without_its_values():
    secret = "Mustermann"
    with pytest.raises(InvalidEvent) as told:
        decode(raw(data={"comment": secret, "text": [secret]}))
    assert secret not in str(told.value)


@given(st.binary(max_size=300))
def test_any_bytes_are_an_event_or_invalid(noise):
    with pytest.raises(InvalidEvent):
        decode(noise)


@pytest.mark.parametrize("stream", [feed_stream, job_stream, series_stream])
def test_streams_are_parsed(stream):
    made = stream("a-project", "0" * 32)
    assert parse_stream(made) == (made.split("/")[0], "a-project", "0" * 32)


@pytest.mark.parametrize(
    "wrong", ["", "feed/p", "share/p/x", "feed/P/x", "feed/p/x/y", "feed/p/x\n", "feed/p/"]
)
def test_what_is_no_stream_id_is_refused(wrong):
    with pytest.raises(ValueError, match="stream id"):
        parse_stream(wrong)


def test_derived_ids_repeat_and_differ():
    made = {derived_id("feeds", "cause", index) for index in range(3)}
    assert len(made | {derived_id("feeds", "other"), derived_id("arrivals", "cause")}) == 5
    assert derived_id("feeds", "cause", 0) == derived_id("feeds", "cause")
    assert uuid.UUID(derived_id("feeds", "cause")).version == 5
    assert instance_event_id("p", "k", "d") == instance_event_id("p", "k", "d")
    assert (
        len({instance_event_id(*parts) for parts in (("p", "k", "d"), ("q", "k", "d"), ("p", "k", "e"))}) == 3
    )


def test_a_derived_event_carries_its_story():
    created = FeedCreated(project="default", feed=str(uuid.uuid4()), title="A feed")
    stream = feed_stream("default", created.feed)
    cause = first(
        created,
        event_id=str(uuid.uuid4()),
        source="/chips/ui",
        subject=stream,
        time=NOON,
        authtype="app_user",
        authid="u-1",
    )
    assert (cause.correlationid, cause.causationid, cause.version) == (cause.id, None, 0)
    later = NOON + timedelta(seconds=5)
    made = [
        derived(created, cause=cause, consumer="feeds", subject=stream, recorded=later, version=3)
        for _ in "ab"
    ]
    assert made[0] == made[1]
    assert made[0].id == derived_id("feeds", cause.id, 0)
    assert (made[0].correlationid, made[0].causationid, made[0].version) == (cause.id, cause.id, 3)
    assert (made[0].authtype, made[0].authid, made[0].time, made[0].recordedtime) == (
        "app_user",
        "u-1",
        NOON,
        later,
    )


def test_the_catalogue_is_sound():
    assert len({struct for struct, _ in TYPES.values()}) == len(TYPES)
    for name, (struct, topic) in TYPES.items():
        assert type_of_struct(struct) == name
        assert topic_of(name) is topic
        assert topic.name in catalogue.TOPICS
    assert {catalogue.dead_letters(agent).name for agent in catalogue.AGENTS} <= set(catalogue.TOPICS)
    inner = {name for name, topic in catalogue.TOPICS.items() if topic.zone == "inner"}
    assert inner == {"chips.pacs.v1", "chips.dlq.arrivals.v1", "chips.dlq.anonymization.v1"}


def type_of_struct(struct) -> str:
    return type_of(next(sample(name).data for name, (found, _) in TYPES.items() if found is struct))
