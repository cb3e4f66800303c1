"""What only Cassandra can do to us: answers that never come, half-done listings, clocks that disagree."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import pytest

from streams.errors import Conflict, Unavailable
from streams.settings import Settings
from streams.store.api import Appended, Deadline, OpenJob, Row
from streams.store.cassandra import statements as cql
from streams.store.cassandra.deadlines import HOUR_US
from streams.store.cassandra.store import definitions
from streams.store.opening import open_store
from streams.store.stamp import FORMAT
from streams.store.times import to_us
from tests.contract.making import NOON, events, new_project, new_stream

pytestmark = pytest.mark.real

HOUR = timedelta(hours=1)


class Silence:
    """Stands between a table and its session: a conditional write is done, or not, and is never answered."""

    def __init__(self, session, *, done: bool) -> None:
        self._session = session
        self._done = done
        self.silenced = 0

    def __getattr__(self, name):
        return getattr(self._session, name)

    async def applied(self, *arguments):
        return await self._silently(self._session.applied, *arguments)

    async def applied_together(self, *arguments):
        return await self._silently(self._session.applied_together, *arguments)

    async def _silently(self, write, *arguments):
        if self.silenced:
            return await write(*arguments)
        self.silenced += 1
        if self._done:
            await write(*arguments)
        raise Unavailable("no answer")


@pytest.fixture
async def store(cassandra_store_url):
    opened = await open_store(Settings(store=cassandra_store_url))
    yield opened
    await opened.close()


def silence(part, *, done: bool) -> Silence:
    part._session = Silence(part._session, done=done)
    return part._session


async def versions(store, stream):
    return [found.version async for found in store.events.read(stream)]


async def test_an_append_that_was_done_without_an_answer_has_succeeded(store):
    stream = new_stream()
    await store.events.append(stream, 0, events(stream, 0, 2))
    quiet = silence(store.events, done=True)
    assert await store.events.append(stream, 2, events(stream, 2, 3)) == Appended(5, repeated=False)
    assert quiet.silenced == 1
    assert await versions(store, stream) == [1, 2, 3, 4, 5]


async def test_an_append_that_was_not_done_can_be_repeated(store):
    stream = new_stream()
    silence(store.events, done=False)
    given = events(stream, 0, 2)
    with pytest.raises(Unavailable):
        await store.events.append(stream, 0, given)
    assert await versions(store, stream) == []
    assert await store.events.append(stream, 0, given) == Appended(2, repeated=False)


async def test_an_unanswered_append_that_lost_against_another_is_not_taken_for_done(store):
    stream = new_stream()
    await store.events.append(stream, 0, events(stream, 0, 1))
    silence(store.events, done=True)
    with pytest.raises(Unavailable):
        await store.events.append(stream, 0, events(stream, 0, 1))
    with pytest.raises(Conflict):
        await store.events.append(stream, 0, events(stream, 0, 1))


async def test_a_lease_and_a_record_that_were_written_without_an_answer_are_ours(store):
    resource, kind = uuid.uuid4().hex, uuid.uuid4().hex
    silence(store.leases, done=True)
    lease = await store.leases.acquire(resource, "a", NOON, NOON + HOUR)
    assert lease.fencing == 1
    silence(store.records, done=True)
    assert await store.records.put(kind, "k", b"x", expected=0) == 1
    silence(store.records, done=False)
    with pytest.raises(Unavailable):
        await store.records.put(kind, "k", b"x", expected=1)
    assert (await store.records.get(kind, "k")).version == 1


async def test_equal_bodies_of_two_writers_are_two_writes(store):
    """Whether an unanswered write was one's own is told by the writer's mark, not by the body."""
    kind = uuid.uuid4().hex
    quiet = silence(store.records, done=False)
    write = quiet._session.applied

    async def another_first(*arguments):
        await write(cql.NEW_RECORD, kind, "k", 1, b"same", uuid.uuid4(), 0)
        raise Unavailable("no answer")

    quiet.applied = another_first
    with pytest.raises(Unavailable):
        await store.records.put(kind, "k", b"same", expected=0)


async def test_a_deadline_listed_where_it_stands_no_more_is_tidied_up(store):
    kind, session = uuid.uuid4().hex, store.deadlines._session
    moved = Deadline(kind, "k", NOON + 3 * HOUR, b"")
    await store.deadlines.set(Deadline(kind, "k", NOON, b""))
    await store.deadlines.set(moved)
    hour = to_us(NOON) // HOUR_US

    async def listed():
        rows = await session.run_all(cql.DEADLINES_AT, [(kind, hour, shard) for shard in range(8)])
        return sum(map(len, rows))

    assert await listed() == 1
    assert await store.deadlines.due(kind, NOON + HOUR) == []
    assert await listed() == 0
    assert await store.deadlines.due(kind, NOON + 4 * HOUR) == [moved]


async def test_moving_a_deadline_within_its_hour_leaves_no_tombstones_to_read_over(store):
    """Three hundred moves of one deadline are one row, where a sweeper looks."""
    kind, session = uuid.uuid4().hex, store.deadlines._session
    for n in range(300):
        await store.deadlines.set(Deadline(kind, "k", NOON + n * timedelta(seconds=1), b""))
    rows = await session.run_all(cql.DEADLINES_AT, [(kind, to_us(NOON) // HOUR_US, s) for s in range(8)])
    assert sum(map(len, rows)) == 1


async def test_hours_long_past_and_empty_are_looked_at_no_more(store, monkeypatch):
    kind = uuid.uuid4().hex
    monkeypatch.setattr("streams.store.cassandra.buckets.MARGIN_US", 0)
    for n in range(4):
        deadline = Deadline(kind, f"k{n}", NOON + n * HOUR, b"")
        await store.deadlines.set(deadline)
        await store.deadlines.clear(kind, deadline.key, deadline.due)
    buckets = store.deadlines._buckets
    now = to_us(NOON + 9 * HOUR) // HOUR_US
    assert len(await buckets.until(f"deadline/{kind}", now)) == 4
    await store.deadlines.due(kind, NOON + 9 * HOUR)
    assert await buckets.until(f"deadline/{kind}", now) == []


async def test_an_hour_marked_while_it_is_being_retired_stays(store):
    purpose, buckets, ticker = uuid.uuid4().hex, store.deadlines._buckets, store.deadlines._ticker
    await buckets.mark(purpose, 5, ticker.now())
    looked = ticker.now()
    await buckets.mark(purpose, 5, ticker.now())
    await buckets.retire(purpose, 5, looked)
    assert await buckets.until(purpose, 5) == [5]


async def test_a_job_whose_opener_died_before_listing_it_is_listed_by_the_repeat(store):
    project, job = new_project(), uuid.uuid4().hex
    opened = to_us(NOON)
    await store.jobs._session.applied(cql.OPEN_JOB, project, job, opened, b"order", False)
    mine = [found for found in await store.jobs.list() if found.project == project]
    assert mine == []
    given = OpenJob(project, job, NOON, b"order")
    await store.jobs.open(given)
    assert [found for found in await store.jobs.list() if found.project == project] == [given]


async def test_a_closed_job_that_is_still_listed_is_not_given(store):
    project, job = new_project(), uuid.uuid4().hex
    await store.jobs.open(OpenJob(project, job, NOON, b"order"))
    await store.jobs._session.applied(cql.CLOSE_JOB, project, job)
    assert [found for found in await store.jobs.list() if found.project == project] == []


async def test_a_dropped_generation_leaves_no_row_whatever_its_version(store):
    """Rows of high versions have write timestamps of the far future; the drop must be later still."""
    view, project = uuid.uuid4().hex, new_project()
    number = await store.views.begin(view)
    await store.views.put(view, number, [Row(project, "s", f"k{v}", v, b"") for v in (1, 5_000, 4_000_000)])
    await store.views.drop(view, number)
    assert await store.views.rows(view, project, "s", generation=number) == []


async def test_more_requests_than_may_be_in_flight_wait_their_turn(store):
    streams = [new_stream() for _ in range(300)]
    await asyncio.gather(*(store.events.append(stream, 0, events(stream, 0, 1)) for stream in streams))
    found = await asyncio.gather(*(store.events.version(stream) for stream in streams))
    assert set(found) == {1}


async def test_a_task_that_gives_up_frees_its_place(store):
    for _ in range(200):
        task = asyncio.create_task(store.events.version(new_stream()))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert await store.events.version(new_stream()) == 0


async def test_the_keyspace_has_the_replication_of_the_settings(store, cassandra_store_url):
    rows = await store._session.run_unprepared(
        "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = %s",
        cassandra_store_url.rpartition("/")[2],
    )
    assert rows[0][0]["class"].endswith("NetworkTopologyStrategy")
    assert rows[0][0]["datacenter1"] == "1"


async def test_a_migration_that_broke_off_is_finished_by_the_next(store, cassandra_store_url):
    for statement in definitions(1):
        await store._session.run_unprepared(statement, keyspace=store._session.keyspace)
    await store.records.delete("format", "store")
    with pytest.raises(Unavailable, match="chips migrate"):
        await store.check()
    assert await store.migrate() == ["store format 1"]
    await store.check()


def test_every_statement_of_a_step_can_be_run_again():
    for step in range(1, FORMAT + 1):
        assert definitions(step)
        for statement in definitions(step):
            assert statement.startswith(("CREATE TABLE IF NOT EXISTS", "ALTER TABLE"))
            assert " IF NOT EXISTS " in statement


def test_no_statement_needs_filtering_and_no_table_an_index():
    text = " ".join(value for name, value in vars(cql).items() if isinstance(value, str) and name[0] != "_")
    assert "ALLOW FILTERING" not in text.upper()
    assert not [statement for statement in definitions(1) if "INDEX" in statement.upper().split()]
