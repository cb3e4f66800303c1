"""Streams: what every store promises of append and read."""

from __future__ import annotations

import asyncio
import time
import uuid

import msgspec
import pytest

from schemas.envelope import MAX_BYTES, Event, InvalidEvent, encode, sequence_of
from schemas.feed import FeedSeriesAnonymized
from schemas.image import ReasonCount, SeriesAttributes
from schemas.make import first
from streams.errors import Conflict
from streams.store.api import MAX_APPEND, Appended, Store
from tests.contract.making import NOON, event, events, new_project, new_stream


async def read_all(store, stream, **options):
    return [found async for found in store.events.read(stream, **options)]


async def fill(store: Store, stream: str, count: int) -> None:
    """Append `count` events in full appends."""
    for after in range(0, count, MAX_APPEND):
        await store.events.append(stream, after, events(stream, after, min(MAX_APPEND, count - after)))


async def test_appended_events_are_read_as_they_were(store):
    stream = new_stream()
    given = events(stream, 0, 3)
    assert await store.events.version(stream) == 0
    assert await read_all(store, stream) == []
    assert await store.events.append(stream, 0, given) == Appended(3, repeated=False)
    assert await store.events.version(stream) == 3
    found = await read_all(store, stream)
    assert found == given
    assert [encode(one) for one in found] == [encode(one) for one in given]


async def test_read_begins_after_a_version_and_ends_at_a_limit(store):
    stream = new_stream()
    await fill(store, stream, 70)
    assert [e.version for e in await read_all(store, stream, after=40)] == list(range(41, 71))
    assert [e.version for e in await read_all(store, stream, after=40, limit=3)] == [41, 42, 43]
    assert await read_all(store, stream, limit=0) == []
    assert await read_all(store, stream, after=70) == []
    assert await read_all(store, stream, after=1_000) == []


async def test_the_same_append_again_changes_nothing(store, other):
    stream = new_stream()
    given = events(stream, 0, 4)
    await store.events.append(stream, 0, given)
    await store.events.append(stream, 4, events(stream, 4, 2))
    assert await other.events.append(stream, 0, given) == Appended(4, repeated=True)
    assert await store.events.append(stream, 0, given[:2]) == Appended(2, repeated=True)
    assert await store.events.version(stream) == 6
    assert (await read_all(store, stream))[:4] == given


async def test_a_repeat_that_only_overlaps_is_a_conflict_and_writes_nothing(store):
    stream = new_stream()
    given = events(stream, 0, 3)
    await store.events.append(stream, 0, given[:2])
    with pytest.raises(Conflict) as refused:
        await store.events.append(stream, 0, given)
    assert (refused.value.expected, refused.value.actual) == (0, 2)
    with pytest.raises(Conflict):
        await store.events.append(stream, 1, [given[1], event(stream, 3)])
    assert await read_all(store, stream) == given[:2]


async def test_another_writer_was_first(store, other):
    stream = new_stream()
    winner = events(stream, 0, 2)
    await store.events.append(stream, 0, winner)
    with pytest.raises(Conflict) as refused:
        await other.events.append(stream, 0, events(stream, 0, 1))
    assert (refused.value.stream, refused.value.expected, refused.value.actual) == (stream, 0, 2)
    with pytest.raises(Conflict):
        await other.events.append(stream, 1, events(stream, 1, 4))
    assert await read_all(store, stream) == winner


async def test_a_gap_is_a_conflict(store):
    stream = new_stream()
    with pytest.raises(Conflict):
        await store.events.append(stream, 1, events(stream, 1, 1))
    await store.events.append(stream, 0, events(stream, 0, 1))
    with pytest.raises(Conflict) as refused:
        await store.events.append(stream, 2, events(stream, 2, 1))
    assert refused.value.actual == 1
    assert await store.events.version(stream) == 1


async def test_the_form_of_an_append_is_checked(store):
    stream = new_stream()
    with pytest.raises(ValueError, match="1 to 32"):
        await store.events.append(stream, 0, [])
    with pytest.raises(ValueError, match="1 to 32"):
        await store.events.append(stream, 0, events(stream, 0, MAX_APPEND + 1))
    with pytest.raises(ValueError, match="sequence"):
        await store.events.append(stream, 0, events(stream, 1, 1))
    with pytest.raises(ValueError, match="sequence"):
        await store.events.append(stream, 0, [*events(stream, 0, 1), *events(stream, 2, 1)])
    with pytest.raises(ValueError, match="stream id"):
        await store.events.append("feed/nowhere", 0, events(stream, 0, 1))
    assert await store.events.version(stream) == 0


async def test_two_writers_race_and_exactly_one_wins_every_round(store, other):
    stream = new_stream()
    for version in range(0, 60, 2):
        offers = [events(stream, version, 2) for _ in range(4)]
        results = await asyncio.gather(
            *(
                writer.events.append(stream, version, offer)
                for writer, offer in zip([store, other, store, other], offers, strict=True)
            ),
            return_exceptions=True,
        )
        won = [
            offer
            for offer, result in zip(offers, results, strict=True)
            if result == Appended(version + 2, False)
        ]
        assert len(won) == 1
        assert sum(isinstance(result, Conflict) for result in results) == 3
        assert await read_all(store, stream, after=version) == won[0]


SMALL = 40
"""Events in a bucket for the tests of borders: more than an append has, as the real ones."""


@pytest.fixture
def small_buckets(store, other):
    for opened in (store, other):
        if hasattr(opened.events, "bucket"):
            opened.events.bucket = SMALL


@pytest.mark.usefixtures("small_buckets")
@pytest.mark.parametrize("border", [SMALL, 3 * SMALL])
async def test_writers_that_race_with_appends_of_different_length_at_a_bucket_border(store, other, border):
    """One would lie before the border and the other beyond it, were it not the first event that decides."""
    stream = new_stream()
    await fill(store, stream, border - 1)
    short, long = events(stream, border - 1, 1), events(stream, border - 1, 4)
    results = await asyncio.gather(
        store.events.append(stream, border - 1, short),
        other.events.append(stream, border - 1, long),
        return_exceptions=True,
    )
    assert {type(result) for result in results} == {Appended, Conflict}
    won = short if isinstance(results[0], Appended) else long
    assert await read_all(store, stream, after=border - 1) == won
    version = await store.events.version(stream)
    await store.events.append(stream, version, events(stream, version, 3))
    found = [e.version for e in await read_all(store, stream, after=border - 5)]
    assert found == list(range(border - 4, version + 4))


@pytest.mark.usefixtures("small_buckets")
@pytest.mark.parametrize("count", [2, 5, MAX_APPEND])
@pytest.mark.parametrize("before", [1, 2])
async def test_an_append_across_a_bucket_border_is_one_append(store, before, count):
    stream = new_stream()
    begin = 2 * SMALL - before
    await fill(store, stream, begin)
    across = events(stream, begin, count)
    end = begin + count
    assert await store.events.append(stream, begin, across) == Appended(end, repeated=False)
    assert await store.events.append(stream, begin, across) == Appended(end, repeated=True)
    for expected in range(begin + 1, end):
        # Versions within it are taken, though its bucket is the one before theirs.
        with pytest.raises(Conflict):
            await store.events.append(stream, expected, events(stream, expected, 2))
        rest = across[expected - begin :]
        assert await store.events.append(stream, expected, rest) == Appended(end, repeated=True)
    assert await store.events.version(stream) == end
    await store.events.append(stream, end, events(stream, end, 1))
    assert await store.events.version(stream) == end + 1
    for after in range(end + 2):
        found = [e.version for e in await read_all(store, stream, after=after)]
        assert found == list(range(after + 1, end + 2))


@pytest.mark.usefixtures("small_buckets")
async def test_the_version_of_a_stream_of_many_buckets_is_found(store):
    stream = new_stream()
    for after in range(0, 30 * MAX_APPEND, MAX_APPEND):
        await store.events.append(stream, after, events(stream, after, MAX_APPEND))
        assert await store.events.version(stream) == after + MAX_APPEND


async def test_a_full_append_of_large_events_is_one_append(store):
    """A megabyte and a half at once; Cassandra's limit on batches must not bite a batch in one partition."""
    stream = new_stream()
    large = [event_of_size(stream, 48 * 1024, version) for version in range(1, MAX_APPEND + 1)]
    await store.events.append(stream, 0, large)
    assert await read_all(store, stream) == large


async def test_a_reader_sees_no_gap_while_others_write(store, other):
    stream = new_stream()
    total = 640
    writing = asyncio.create_task(fill(other, stream, total))
    seen: list[int] = []
    rounds = 0
    while len(seen) < total:
        assert rounds < 20_000, "the writer never finished"
        rounds += 1
        await asyncio.sleep(0)  # memory never waits by itself
        batch = [e.version async for e in store.events.read(stream, after=len(seen))]
        seen += batch
        assert seen == list(range(1, len(seen) + 1))
        assert len(seen) % MAX_APPEND == 0, "part of an append was visible"
    await writing


async def test_an_event_of_exactly_64_kib_survives_and_a_larger_one_is_refused(store):
    stream = new_stream()
    big = event_of_size(stream, MAX_BYTES)
    assert len(encode(big)) == MAX_BYTES
    await store.events.append(stream, 0, [big])
    assert await read_all(store, stream) == [big]
    larger = msgspec.structs.replace(big, source=big.source + "/x", sequence=sequence_of(2))
    with pytest.raises(InvalidEvent, match="blob"):
        await store.events.append(stream, 1, [larger])
    assert await store.events.version(stream) == 1


def event_of_size(stream: str, size: int, version: int = 1) -> Event:
    """An event of so many encoded bytes, most of them in characters of four bytes."""

    def made(messages: list[str], description: str | None) -> Event:
        data = FeedSeriesAnonymized(
            study="0" * 32,
            series="1" * 32,
            modality="CT",
            version=1,
            anonymized=1,
            quarantined=64,
            conflicts=0,
            attributes=SeriesAttributes(series_description=description),
            reasons=[ReasonCount(reason="not-safe", message=text, instances=1) for text in messages],
        )
        event_id = str(uuid.uuid4())
        first_of_all = first(data, event_id=event_id, source="/chips/tests", subject=stream, time=NOON)
        return msgspec.structs.replace(first_of_all, sequence=sequence_of(version))

    def left(messages: list[str], description: str = "") -> int:
        return size - len(msgspec.json.encode(made(messages, description)))

    messages: list[str] = []
    while left([*messages, "🩻" * 256]) > 0:
        messages.append("🩻" * 256)
    while left([*messages, "x" * 100]) > 0:
        messages.append("x" * 100)
    return made(messages, "x" * left(messages))


async def test_streams_are_listed_by_category_and_project(store):
    project, elsewhere = new_project(), new_project()
    feeds = {new_stream("feed", project) for _ in range(20)}
    strange = [new_stream("job", project), new_stream("feed", elsewhere)]
    for stream in [*feeds, *strange]:
        await store.events.append(stream, 0, events(stream, 0, 1))
        await store.events.append(stream, 1, events(stream, 1, 1))
    found = [stream async for stream in store.events.streams("feed", project)]
    assert len(found) == len(feeds)
    assert set(found) == feeds
    everywhere = {stream async for stream in store.events.streams("feed")}
    assert everywhere >= feeds | {strange[1]}
    assert strange[0] not in everywhere
    assert [s async for s in store.events.streams("job", project)] == [strange[0]]


async def test_the_newest_snapshot_of_a_schema_number_is_given(store, other):
    stream = new_stream()
    assert await store.events.load_snapshot(stream, 1) is None
    await store.events.save_snapshot(stream, 10, 1, b"ten")
    await store.events.save_snapshot(stream, 20, 1, b"twenty" * 20_000)
    await store.events.save_snapshot(stream, 15, 1, b"fifteen")
    assert await other.events.load_snapshot(stream, 1) == (20, b"twenty" * 20_000)
    assert await other.events.load_snapshot(stream, 2) is None
    await store.events.save_snapshot(stream, 5, 2, b"five")
    assert await other.events.load_snapshot(stream, 2) == (5, b"five")


@pytest.mark.timeout(280)
async def test_a_hundred_thousand_events(store, store_settings):
    """Five streams of 20,000, each across a bucket border; the rates are printed."""
    per_stream, streams = 20_000, [new_stream() for _ in range(5)]
    began = time.perf_counter()
    await asyncio.gather(*(fill(store, stream, per_stream) for stream in streams))
    wrote = time.perf_counter() - began

    async def versions(stream):
        return [e.version async for e in store.events.read(stream)]

    began = time.perf_counter()
    for stream in streams:
        assert await versions(stream) == list(range(1, per_stream + 1))
        assert await store.events.version(stream) == per_stream
    read = time.perf_counter() - began
    total = per_stream * len(streams)
    engine = store_settings.store_url.partition(":")[0]
    print(f"\n{engine}: {total / wrote:,.0f} events written/s, {total / read:,.0f} read/s")
