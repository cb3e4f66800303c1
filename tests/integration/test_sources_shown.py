"""From the wire to what a page reads of who sends: counted once, whatever is started again."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec
import pytest

from agents.arrivals import sources
from agents.arrivals.sources import SourcesShown
from schemas.catalogue import LIVE, decode
from schemas.sources import RECORD, Sources
from streams.clock import utc_now
from streams.errors import Unavailable
from streams.opening import open_producer, open_tail
from streams.store.memory.store import MemoryStore
from tests.door import CT, associated, encoded, image, open_door, rejection_of, settings_in, store_bytes

FILE = """
unknown = "open"
[source.ct]
calling_ae = ["TESTER"]
[source.never]
calling_ae = ["NEVER"]
"""


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "PERIOD_S", 0.05)
    monkeypatch.setattr(sources, "AGAIN_S", 0.05)
    file = tmp_path / "sources.toml"
    file.write_text(FILE)
    return settings_in(tmp_path, sources_file=str(file))


@contextlib.asynccontextmanager
async def shown(settings, records):
    producer = open_producer(settings)
    task = asyncio.create_task(SourcesShown(records, producer, lambda: open_tail(settings), utc_now).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await producer.close()


async def view_when(records, name, fits):
    """Wait until what is kept of a source fits; give it."""
    view = None
    async with asyncio.timeout(30):
        while view is None or not fits(view):
            await asyncio.sleep(0.02)
            if kept := await records.get(RECORD, RECORD):
                found = msgspec.json.decode(kept.body, type=Sources).sources
                view = next((one for one in found if one.source == name), None)
    return view


def push(association, series, numbers):
    for number in numbers:
        one = image(series, number=number)
        assert store_bytes(association, encoded(one), one.SOPInstanceUID).Status == 0


@pytest.mark.parametrize("processes", [1, 2])
async def test_who_sends_and_what_was_refused(settings, processes):
    settings = msgspec.structs.replace(settings, dicom_processes=processes)
    records = MemoryStore().records
    async with open_door(settings) as door, shown(settings, records):
        never = await view_when(records, "never", lambda _: True)
        assert (never.is_configured, never.seen, never.images) == (True, None, 0)
        with associated(door.port, [CT]) as association:
            await view_when(records, "ct", lambda view: view.associations == 1)
            await asyncio.to_thread(push, association, "1.2.3.4", [1, 2, 3])
            view = await view_when(records, "ct", lambda view: view.images == 3)
            assert [(one.state, one.images) for one in view.incomplete] == [("open", 3)]
            assert sum(one[2] for one in view.minutes) == view.bytes > 0
            one = image()
            await asyncio.to_thread(store_bytes, association, encoded(one)[:200], one.SOPInstanceUID)
            view = await view_when(records, "ct", lambda view: view.refusals)
            assert [(one.kind, one.reason) for one in view.refusals] == [("object", "truncated")]
        assert (await view_when(records, "ct", lambda view: not view.associations)).images == 3
        assert await asyncio.to_thread(rejection_of, door.port, "NEVER") is None
        await view_when(records, "never", lambda view: view.seen)
        assert await asyncio.to_thread(rejection_of, door.port, "ct") == (1, 1, 3)
        await view_when(records, "ct", lambda view: len(view.refusals) == 2)

    tail, told = open_tail(settings), []
    left = sum((await tail.ends([LIVE.name])).values())
    async for record in tail.records([LIVE.name], start="beginning"):
        told.append(decode(record.value).data.shown)
        if len(told) == left:
            break
    await tail.close()
    of_ct = [one for one in told if one.source == "ct"]
    assert [one.version for one in of_ct] == sorted({one.version for one in of_ct})
    assert of_ct[-1].images == 3


async def test_whatever_starts_again_counts_nothing_twice(settings):
    records = MemoryStore().records
    async with open_door(settings) as door:
        with associated(door.port, [CT]) as association:
            async with shown(settings, records):
                await asyncio.to_thread(push, association, "1.2.3.4", [1, 2])
                before = await view_when(records, "ct", lambda view: view.images == 2)
            await asyncio.to_thread(push, association, "1.2.3.4", [3])
            async with shown(settings, records):
                view = await view_when(records, "ct", lambda view: view.images > 2)
                assert (view.images, view.since) == (3, before.since)
                assert view.version > before.version
            await records.delete(RECORD, RECORD)
            async with shown(settings, records):
                again = await view_when(records, "ct", lambda view: view.images > 2)
                assert (again.images, again.since, again.minutes) == (3, view.since, view.minutes)


async def test_a_record_that_nobody_can_read_is_made_anew(settings):
    records = MemoryStore().records
    await records.put(RECORD, RECORD, b'{"format":99,"offsets":{"0":10},"sources":[]}')
    async with open_door(settings), shown(settings, records):
        assert (await view_when(records, "never", lambda _: True)).is_configured


class Away:
    """Records that fail once when they are written."""

    def __init__(self, records):
        self._records, self.failed = records, 0

    async def get(self, kind, key):
        return await self._records.get(kind, key)

    async def put(self, kind, key, body):
        if not self.failed:
            self.failed = 1
            raise Unavailable("the store is away")
        return await self._records.put(kind, key, body)


async def test_a_store_that_is_away_is_waited_for(settings):
    records = Away(MemoryStore().records)
    async with open_door(settings), shown(settings, records):
        assert (await view_when(records, "never", lambda _: True)).is_configured
    assert records.failed
