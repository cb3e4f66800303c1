"""Views and records: what every store promises of what pages read and of what may change."""

from __future__ import annotations

import asyncio
import time
import uuid

import pytest

from streams.errors import Conflict, Rejected
from streams.store.api import Row, Stored
from tests.contract.making import new_project


def name() -> str:
    return uuid.uuid4().hex


async def test_rows_are_given_by_key(store, other):
    view, project = name(), new_project()
    rows = [Row(project, "scope", f"{n:016d}", 7, f"ü{n}".encode()) for n in range(1, 41)]
    await store.views.put(view, 1, rows[::-1])
    await store.views.put(view, 1, [])
    assert await other.views.rows(view, project, "scope") == rows
    assert await other.views.row(view, project, "scope", rows[4].key) == rows[4]
    assert await other.views.row(view, project, "scope", "none") is None
    assert await other.views.rows(view, project, "another") == []
    assert await other.views.rows(view, new_project(), "scope") == []


async def test_rows_are_paged_in_both_directions(store):
    view, project = name(), new_project()
    keys = [f"{n:016d}" for n in range(1, 26)]
    await store.views.put(view, 1, [Row(project, "", key, 1, b"") for key in keys])
    for descending, expected in ((False, keys), (True, keys[::-1])):
        seen: list[str] = []
        while page := await store.views.rows(
            view, project, "", after=seen[-1] if seen else "", limit=10, descending=descending
        ):
            assert len(page) <= 10
            seen += [row.key for row in page]
        assert seen == expected


async def test_a_row_of_a_lower_version_is_not_written(store, other):
    view, project = name(), new_project()

    async def body():
        return (await store.views.row(view, project, "s", "k")).body

    await store.views.put(view, 1, [Row(project, "s", "k", 5, b"five")])
    await other.views.put(view, 1, [Row(project, "s", "k", 4, b"zz four")])
    assert await body() == b"five"
    await other.views.put(view, 1, [Row(project, "s", "k", 5, b"an equal one")])
    assert await body() == b"an equal one"
    await store.views.put(view, 1, [Row(project, "s", "k", 5, b"another equal one")])
    assert await body() == b"another equal one"
    await store.views.put(view, 1, [Row(project, "s", "k", 5, b"a")])
    assert await body() == b"a"
    await store.views.put(view, 1, [Row(project, "s", "k", 100_000, b"much later")])
    await other.views.put(view, 1, [Row(project, "s", "k", 99_999, b"late")])
    found = await other.views.row(view, project, "s", "k")
    assert found == Row(project, "s", "k", 100_000, b"much later")


async def test_late_writers_lose_whatever_the_order(store, other):
    view, project = name(), new_project()
    versions = [9, 3, 12, 1, 12, 7, 11, 5]
    await asyncio.gather(
        *(
            (store, other)[n % 2].views.put(
                view, 1, [Row(project, "s", "k", version, f"v{version}".encode())]
            )
            for n, version in enumerate(versions)
        )
    )
    assert await store.views.row(view, project, "s", "k") == Row(project, "s", "k", 12, b"v12")


async def test_a_row_is_taken_out_unless_a_newer_one_is_there(store, other):
    view, project = name(), new_project()
    old, new = Row(project, "s", "k", 5, b""), Row(project, "s", "k", 6, b"")
    await store.views.put(view, 1, [new])
    await other.views.delete(view, 1, old)
    assert await store.views.row(view, project, "s", "k") == new
    await other.views.delete(view, 1, new)
    assert await store.views.row(view, project, "s", "k") is None
    assert await store.views.rows(view, project, "s") == []
    newer = Row(project, "s", "k", 7, b"again")
    await store.views.put(view, 1, [newer])
    assert await store.views.rows(view, project, "s") == [newer]


async def test_scopes_with_rows_are_listed(store):
    view, project, elsewhere = name(), new_project(), new_project()
    rows = [Row(project, "a", "k", 1, b""), Row(project, "b", "k", 1, b""), Row(elsewhere, "a", "k", 1, b"")]
    await store.views.put(view, 1, rows)
    await store.views.put(view, 1, rows)
    assert sorted(await store.views.scopes(view, 1)) == sorted(
        [(project, "a"), (project, "b"), (elsewhere, "a")]
    )
    assert await store.views.scopes(view, 2) == []
    await store.views.delete(view, 1, rows[1])
    assert sorted(await store.views.scopes(view, 1)) == sorted([(project, "a"), (elsewhere, "a")])


async def test_a_rebuild_fills_a_generation_and_switches(store, other):
    view, project = name(), new_project()
    old, new = Row(project, "s", "k", 3_000, b"old"), Row(project, "s", "k", 1, b"new")
    assert (await store.views.active(view), await store.views.filling(view)) == (1, [1])
    await store.views.put(view, 1, [old])
    number = await store.views.begin(view)
    assert number == 2
    assert (await other.views.active(view), await other.views.filling(view)) == (1, [1, 2])
    await store.views.put(view, number, [new])
    assert await other.views.rows(view, project, "s") == [old]
    assert await other.views.rows(view, project, "s", generation=2) == [new]
    await store.views.activate(view, number)
    assert (await other.views.active(view), await other.views.filling(view)) == (2, [2])
    assert await other.views.rows(view, project, "s") == [new]
    assert await other.views.row(view, project, "s", "k") == new
    assert await store.views.rows(view, project, "s", generation=1) == []
    assert await store.views.scopes(view, 1) == []
    await store.views.activate(view, number)
    assert await store.views.begin(view) == 3


async def test_a_generation_can_be_given_up(store):
    view, project = name(), new_project()
    number = await store.views.begin(view)
    await store.views.put(view, number, [Row(project, "s", "k", 1, b"")])
    await store.views.drop(view, number)
    assert await store.views.filling(view) == [1]
    assert await store.views.scopes(view, number) == []
    with pytest.raises(Rejected):
        await store.views.activate(view, number)
    with pytest.raises(Rejected):
        await store.views.drop(view, 1)


async def test_a_new_rebuild_drops_an_unfinished_one(store):
    view, project = name(), new_project()
    first = await store.views.begin(view)
    await store.views.put(view, first, [Row(project, "s", "k", 1, b"")])
    second = await store.views.begin(view)
    assert second > first
    assert await store.views.filling(view) == [1, second]
    assert await store.views.scopes(view, first) == []


async def test_two_rebuilds_begun_at_once_get_different_generations(store, other):
    view = name()
    numbers = await asyncio.gather(store.views.begin(view), other.views.begin(view))
    assert sorted(numbers) == [2, 3]
    assert await store.views.filling(view) == [1, 3]


# Records


async def test_records_change_by_compare_and_set(store, other):
    kind = name()
    assert await store.records.get(kind, "k") is None
    assert await store.records.put(kind, "k", "ä".encode(), expected=0) == 1
    with pytest.raises(Conflict):
        await other.records.put(kind, "k", b"b", expected=0)
    assert await other.records.put(kind, "k", b"b", expected=1) == 2
    with pytest.raises(Conflict) as refused:
        await store.records.put(kind, "k", b"c", expected=1)
    assert (refused.value.expected, refused.value.actual) == (1, 2)
    assert await store.records.get(kind, "k") == Stored("k", 2, b"b")
    assert await store.records.put(kind, "k", b"d") == 3
    with pytest.raises(Conflict):
        await store.records.put(kind, "never", b"", expected=4)


async def test_of_many_writers_from_one_version_one_wins(store, other):
    kind = name()
    await store.records.put(kind, "k", b"")
    results = await asyncio.gather(
        *((store, other)[n % 2].records.put(kind, "k", b"same", expected=1) for n in range(6)),
        return_exceptions=True,
    )
    assert results.count(2) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 5


async def test_records_of_a_kind_are_listed_by_key(store):
    kind = name()
    for key in ("b", "c", "a", "ü"):
        await store.records.put(kind, key, key.encode())
    await store.records.put(name(), "d", b"")
    assert await store.records.list(kind) == [Stored(key, 1, key.encode()) for key in ("a", "b", "c", "ü")]
    assert [found.key for found in await store.records.list(kind, limit=2)] == ["a", "b"]
    await store.records.delete(kind, "b")
    await store.records.delete(kind, "b")
    assert [found.key for found in await store.records.list(kind)] == ["a", "c", "ü"]
    assert await store.records.put(kind, "b", b"again", expected=0) == 1


async def test_a_record_expires_unless_it_is_written_again(store):
    kind = name()
    await store.records.put(kind, "short", b"", ttl_s=2)
    await store.records.put(kind, "kept", b"", ttl_s=2)
    await store.records.put(kind, "stays", b"")
    assert len(await store.records.list(kind)) == 3
    await store.records.put(kind, "kept", b"", ttl_s=600)
    until = time.monotonic() + 20
    while await store.records.get(kind, "short") is not None:
        assert time.monotonic() < until, "never expired"
        await asyncio.sleep(0.05)
    assert [found.key for found in await store.records.list(kind)] == ["kept", "stays"]
    assert await store.records.put(kind, "short", b"new", expected=0) == 1
