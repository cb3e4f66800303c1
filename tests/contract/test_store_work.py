"""Facts, deadlines, leases and open jobs: what every store promises of the tables that drive the work."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from streams.store.api import Deadline, Fact, Lease, OpenJob
from tests.contract.making import NOON, new_project

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def name() -> str:
    return uuid.uuid4().hex


# Facts


async def test_facts_are_a_set(store, other):
    project, scope = new_project(), name()
    facts = [Fact(project, "stored", scope, f"k{n:04d}", f"画像 {n}".encode()) for n in range(700)]
    await store.facts.put(facts[:400])
    await other.facts.put(facts[300:])
    await store.facts.put([])
    assert await store.facts.count(project, "stored", scope) == 700
    assert await other.facts.all(project, "stored", scope) == facts
    assert await store.facts.has(project, "stored", scope, "k0699")
    assert not await store.facts.has(project, "stored", scope, "k0700")
    assert await other.facts.get(project, "stored", scope, "k0699") == facts[699]
    for where in (
        (project, "stored", scope, "k0700"),
        (project, "stored", "elsewhere", "k0699"),
        (project, "other", scope, "k0699"),
        (new_project(), "stored", scope, "k0699"),
    ):
        assert await other.facts.get(*where) is None


async def test_the_first_fact_under_a_key_stays(store, other):
    project, scope = new_project(), name()
    first = Fact(project, "stored", scope, "k", b"first")
    await store.facts.put([first])
    await other.facts.put([msgspec.structs.replace(first, body=b"second")])
    await store.facts.put([first, msgspec.structs.replace(first, body=b"a third")])
    assert await store.facts.all(project, "stored", scope) == [first]
    assert await store.facts.get(project, "stored", scope, first.key) == first
    assert await store.facts.count(project, "stored", scope) == 1


async def test_facts_of_other_projects_kinds_and_scopes_do_not_count(store):
    project, scope = new_project(), name()
    fact = Fact(project, "stored", scope, "k", b"")
    others = [
        msgspec.structs.replace(fact, project=new_project()),
        msgspec.structs.replace(fact, kind="anonymized"),
        msgspec.structs.replace(fact, scope=name()),
    ]
    await store.facts.put(others)
    assert await store.facts.count(project, "stored", scope) == 0
    assert await store.facts.all(project, "stored", scope) == []
    await store.facts.put([fact])
    assert await store.facts.all(project, "stored", scope) == [fact]


# Deadlines


async def test_deadlines_come_due_oldest_first(store, other):
    kind = name()
    given = [Deadline(kind, f"k{n}", NOON + n * SECOND, f"b{n}".encode()) for n in range(20)]
    for deadline in reversed(given):
        await store.deadlines.set(deadline)
    assert await other.deadlines.due(kind, NOON - SECOND) == []
    assert await other.deadlines.due(kind, NOON) == given[:1]
    assert await other.deadlines.due(kind, NOON + 9 * SECOND) == given[:10]
    assert await other.deadlines.due(kind, NOON + HOUR, limit=3) == given[:3]
    assert await store.deadlines.due(name(), NOON + HOUR) == []


@pytest.mark.parametrize("by", [SECOND, HOUR, 30 * HOUR, -SECOND, -HOUR])
async def test_a_deadline_that_was_moved_is_due_once_at_its_new_time(store, by):
    kind = name()
    before = Deadline(kind, "k", NOON, b"before")
    moved = Deadline(kind, "k", NOON + by, b"moved")
    await store.deadlines.set(before)
    await store.deadlines.set(moved)
    for _ in range(2):  # a second look finds what the first has tidied
        assert await store.deadlines.due(kind, NOON + by - timedelta(microseconds=1)) == []
        assert await store.deadlines.due(kind, NOON + 100 * HOUR) == [moved]


async def test_a_deadline_moved_away_and_back_is_due(store):
    kind = name()
    here, there = Deadline(kind, "k", NOON, b""), Deadline(kind, "k", NOON + HOUR, b"")
    for deadline in (here, there, here):
        await store.deadlines.set(deadline)
    assert await store.deadlines.due(kind, NOON) == [here]
    assert await store.deadlines.due(kind, NOON + 2 * HOUR) == [here]
    await store.deadlines.set(there)
    assert await store.deadlines.due(kind, NOON) == []
    await store.deadlines.set(here)
    assert await store.deadlines.due(kind, NOON) == [here]


async def test_clearing_forgets_a_deadline_unless_it_was_moved(store, other):
    kind = name()
    await store.deadlines.set(Deadline(kind, "k", NOON, b""))
    moved = Deadline(kind, "k", NOON + SECOND, b"")
    await other.deadlines.set(moved)
    await store.deadlines.clear(kind, "k", NOON)
    assert await store.deadlines.due(kind, NOON + HOUR) == [moved]
    await store.deadlines.clear(kind, "k", moved.due)
    assert await store.deadlines.due(kind, NOON + HOUR) == []
    await store.deadlines.clear(kind, "k", moved.due)
    await store.deadlines.clear(kind, "never", NOON)
    await store.deadlines.set(moved)
    assert await store.deadlines.due(kind, NOON + HOUR) == [moved]


async def test_hours_that_were_emptied_may_be_used_again(store):
    kind = name()
    for _ in range(3):
        past = Deadline(kind, "k", NOON, b"")
        await store.deadlines.set(past)
        assert await store.deadlines.due(kind, NOON + 5 * HOUR) == [past]
        await store.deadlines.clear(kind, "k", NOON)
        assert await store.deadlines.due(kind, NOON + 5 * HOUR) == []


async def test_deadlines_set_while_a_sweeper_looks_are_not_lost(store, other):
    kind = name()
    keys = [f"k{n}" for n in range(60)]

    async def setter():
        for round_ in range(3):
            for key in keys:
                await other.deadlines.set(Deadline(kind, key, NOON + round_ * HOUR, b""))

    setting = asyncio.create_task(setter())
    while not setting.done():
        await store.deadlines.due(kind, NOON + 10 * HOUR)
        await asyncio.sleep(0)
    await setting
    found = await store.deadlines.due(kind, NOON + 10 * HOUR)
    assert sorted(d.key for d in found) == sorted(keys)
    assert {d.due for d in found} == {NOON + 2 * HOUR}


async def test_a_deadline_keeps_microseconds_and_needs_a_zone(store):
    kind = name()
    due = datetime(2026, 3, 1, 23, 59, 59, 999_999, tzinfo=UTC)
    await store.deadlines.set(Deadline(kind, "k", due, b""))
    assert await store.deadlines.due(kind, due - timedelta(microseconds=1)) == []
    assert [d.due for d in await store.deadlines.due(kind, due)] == [due]


# Leases


async def test_a_lease_is_held_by_one(store, other):
    resource = name()
    assert await store.leases.holder(resource) is None
    lease = await store.leases.acquire(resource, "a", NOON, NOON + HOUR)
    assert lease == Lease(resource, "a", 1, NOON + HOUR)
    assert await other.leases.acquire(resource, "b", NOON + SECOND, NOON + 2 * HOUR) is None
    again = await store.leases.acquire(resource, "a", NOON + SECOND, NOON + 2 * HOUR)
    assert again == Lease(resource, "a", 1, NOON + 2 * HOUR)
    assert await other.leases.holder(resource) == again


async def test_an_expired_lease_is_stolen_with_a_higher_fencing_number(store, other):
    resource = name()
    stale = await store.leases.acquire(resource, "a", NOON, NOON + SECOND)
    stolen = await other.leases.acquire(resource, "b", NOON + SECOND, NOON + HOUR)
    assert stolen == Lease(resource, "b", 2, NOON + HOUR)
    assert await store.leases.renew(stale, NOON + 2 * HOUR) is None
    await store.leases.release(stale)
    assert await store.leases.holder(resource) == stolen
    assert await store.leases.acquire(resource, "a", NOON + 2 * SECOND, NOON + HOUR) is None


async def test_a_lease_that_was_renewed_is_not_stolen(store, other):
    resource = name()
    lease = await store.leases.acquire(resource, "a", NOON, NOON + SECOND)
    renewed = await store.leases.renew(lease, NOON + HOUR)
    assert renewed == Lease(resource, "a", 1, NOON + HOUR)
    assert await other.leases.acquire(resource, "b", NOON + 2 * SECOND, NOON + HOUR) is None
    assert await store.leases.renew(renewed, NOON + 2 * HOUR) is not None


async def test_the_fencing_number_grows_with_each_owner_also_after_release(store):
    resource = name()
    for round_ in range(1, 5):
        lease = await store.leases.acquire(resource, "ab"[round_ % 2], NOON, NOON + HOUR)
        assert lease.fencing == round_
        await store.leases.release(lease)
        assert (await store.leases.holder(resource)).fencing == round_
        assert await store.leases.renew(lease, NOON + HOUR) is None
    same = await store.leases.acquire(resource, lease.owner, NOON, NOON + HOUR)
    assert same.fencing == 5


async def test_many_ask_and_one_gets_it(store, other):
    for expired in (False, True):
        resource = name()
        if expired:
            await store.leases.acquire(resource, "dead", NOON - HOUR, NOON - SECOND)
        asked = await asyncio.gather(
            *((store, other)[n % 2].leases.acquire(resource, f"r{n}", NOON, NOON + HOUR) for n in range(8))
        )
        held = [lease for lease in asked if lease is not None]
        assert len(held) == 1
        assert held[0].fencing == 1 + expired
        assert await store.leases.holder(resource) == held[0]


async def test_a_lease_needs_an_owner(store):
    with pytest.raises(ValueError, match="owner"):
        await store.leases.acquire(name(), "", NOON, NOON + HOUR)


# Open jobs


def job(project: str, number: int) -> OpenJob:
    return OpenJob(project, name(), NOON + number * SECOND, f"order {number}".encode())


async def of(store, project):
    return [found for found in await store.jobs.list() if found.project == project]


async def test_open_jobs_are_listed_oldest_first(store, other):
    project = new_project()
    jobs = [job(project, number) for number in range(12)]
    for opened in reversed(jobs):
        await store.jobs.open(opened)
    assert await of(other, project) == jobs
    await store.jobs.open(msgspec.structs.replace(jobs[3], body=b"another", opened=NOON + 80 * HOUR))
    assert await of(store, project) == jobs
    await other.jobs.close(project, jobs[3].job)
    assert await of(store, project) == jobs[:3] + jobs[4:]
    assert len(await store.jobs.list(limit=2)) == 2


async def test_a_closed_job_does_not_open_again(store, other):
    project = new_project()
    opened = job(project, 1)
    await store.jobs.open(opened)
    await store.jobs.close(project, opened.job)
    await other.jobs.open(opened)
    await other.jobs.open(msgspec.structs.replace(opened, opened=NOON + 50 * HOUR))
    assert await of(store, project) == []
    await store.jobs.close(project, opened.job)
    assert await of(other, project) == []


async def test_a_job_closed_before_it_is_opened_stays_closed(store):
    project = new_project()
    early = job(project, 1)
    await store.jobs.close(project, early.job)
    await store.jobs.open(early)
    assert await of(store, project) == []


async def test_opening_and_closing_at_once_ends_closed(store, other):
    project = new_project()
    for number in range(10):
        racing = job(project, number)
        await asyncio.gather(store.jobs.open(racing), other.jobs.close(project, racing.job))
    assert await of(store, project) == []
