"""Shows who sends: folds the inner topic beside the handler, keeps the result, tells pages what changed.

It reads the topic by itself, commits nothing, and keeps how far it is in the same record as what came of it:
after any crash it goes on where that record stands, and counts nothing twice. Without a record, or with one
of another format, it begins at the first event that the topic still has. Two processes that do this at once
write the same. The record is written before pages are told, so that who reads it then misses nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

import msgspec

from schemas.catalogue import LIVE, PACS, decode
from schemas.envelope import InvalidEvent, encode
from schemas.live import SourceChanged
from schemas.make import first
from schemas.sources import FORMAT, RECORD, Sources, SourceView
from streams.bus import Message, Producer, Record, Tail
from streams.clock import Clock
from streams.errors import Unavailable
from streams.ids import fresh_id
from streams.projections.sources import Seen, changed, fold
from streams.store.api import Records

PERIOD_S = 1.0
"""Between two times that the record is written and pages are told, s."""
AGAIN_S = 5.0
"""After a failure of store or bus, s."""

log = logging.getLogger(__name__)


class SourcesShown:
    """Runs beside the agent; store or bus being away makes it wait and go on from its record."""

    def __init__(
        self, records: Records, producer: Producer, open_tail: Callable[[], Tail], clock: Clock
    ) -> None:
        self._records = records
        self._producer = producer
        self._open_tail = open_tail
        self._clock = clock
        self._offsets: dict[tuple[str, int], int] = {}
        self._seen: Seen = {}
        self._told: Seen = {}

    async def run(self) -> None:
        """Follow the topic until cancelled."""
        while True:
            try:
                await self._follow()
            except* Unavailable as away:
                log.warning("Sources wait: %s", away.exceptions[0])
            await asyncio.sleep(AGAIN_S)

    async def _follow(self) -> None:
        tail = self._open_tail()
        try:
            await self._begin(tail)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._read(tail))
                both.create_task(self._tell())
        finally:
            await tail.close()

    async def _begin(self, tail: Tail) -> None:
        """Go back to what the record says, or to the first event that there is."""
        kept = await self._records.get(RECORD, RECORD)
        before = _decoded(kept.body) if kept else Sources()
        starts = await tail.starts([PACS.name])
        ends = await tail.ends([PACS.name])
        self._offsets = {
            # Of a topic that was made anew, what was read is behind its end.
            at: start if (read := before.offsets.get(str(at[1]), start)) > ends[at] else max(start, read)
            for at, start in starts.items()
        }
        self._seen = self._told = {(one.project, one.source): one for one in before.sources}

    async def _read(self, tail: Tail) -> None:
        async for record in tail.records([PACS.name], start=dict(self._offsets)):
            self._take(record)

    def _take(self, record: Record) -> None:
        self._offsets[record.topic, record.partition] = record.offset + 1
        with contextlib.suppress(InvalidEvent):  # the handler dead-letters it
            self._seen = fold(self._seen, decode(record.value))

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(PERIOD_S)
            await self.flush()

    async def flush(self) -> None:
        """Keep and tell what changed since the last time."""
        seen, version = self._seen, sum(self._offsets.values())
        fresh = [msgspec.structs.replace(view, version=version) for view in changed(self._told, seen)]
        if not fresh and seen.keys() == self._told.keys():
            return
        offsets = {str(partition): offset for (_, partition), offset in self._offsets.items()}
        shown = {**seen, **{(one.project, one.source): one for one in fresh}}
        body = msgspec.json.encode(Sources(offsets=offsets, sources=list(shown.values())))
        await self._records.put(RECORD, RECORD, body)
        self._seen = {key: shown[key] if view is seen.get(key) else view for key, view in self._seen.items()}
        self._told = shown
        with contextlib.suppress(Unavailable):  # pages read the record when the bus is back
            await self._producer.send_all([self._message(view) for view in fresh])

    def _message(self, view: SourceView) -> Message:
        event = first(
            SourceChanged(shown=view),
            event_id=fresh_id(),
            source="/chips/agents/arrivals",
            subject=f"source/{view.project}",
            time=self._clock(),
        )
        return Message(LIVE.name, event.partitionkey, encode(event))


def _decoded(body: bytes) -> Sources:
    """Read a record; one of another format is as none."""
    try:
        found = msgspec.json.decode(body, type=Sources)
    except msgspec.DecodeError:
        return Sources()
    return found if found.format == FORMAT else Sources()
