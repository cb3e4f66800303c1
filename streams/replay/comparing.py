"""Comparing a view with what the store says it should be; nothing is written.

Feeds go on changing meanwhile. A difference is looked at again before it is told, so that what is only on
its way is not taken for wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Literal, NamedTuple

import msgspec

from schemas.catalogue import FEED, JOB, PACS
from schemas.identity import feed_stream
from streams.bus import Tail
from streams.projections.views import View, rows
from streams.replay.reading import Gap, Step, feeds, fold, gaps
from streams.replay.rebuilding import OnProgress, Progress
from streams.replay.tailing import Filter, follow
from streams.store.api import Row, Store

LOOKS = 5
LOOK_S = 0.3
"""How often a difference is looked at, and between two looks, s."""

PAGE = 1000

OTHERS = ("job", "series")
"""Streams that no view is made from, and that must have no gap either."""

STREAM_TOPICS = (FEED, JOB, PACS)
"""Where the events of feeds, jobs and series travel; the last one is the inner zone's alone."""

OnRead = Callable[[int], None]
"""Told how many have been read so far."""

Kind = Literal["wrong", "missing", "surplus", "ahead", "gap", "unstored"]
"""wrong: a row says another thing. missing: a row is not there. surplus: a row that no event makes.
ahead: a row of a version that its stream does not have: an event is missing at the stream's end.
gap: an event is missing within a stream. unstored: an event lies on the bus and not in the store."""


class Difference(NamedTuple):
    """One finding; `detail` names places and fields, never their values."""

    kind: Kind
    stream: str
    place: str
    detail: str


async def diff(
    store: Store, view: View, *, on_progress: OnProgress = lambda _: None
) -> AsyncIterator[Difference]:
    """Yield where the active generation of a view differs from the store.

    Raises
    ------
    streams.errors.Unavailable
        When the store is away.
    """
    streams = await feeds(store.events)
    for number, stream in enumerate(streams, 1):
        for difference in await _settled(store, view, stream):
            yield difference
        on_progress(Progress(number, len(streams), 0))
    async for difference in _orphans(store, view, set(streams)):
        yield difference


async def diff_streams(store: Store, *, on_read: OnRead = lambda _: None) -> AsyncIterator[Difference]:
    """Yield the gaps in the streams of jobs and series.

    Parameters
    ----------
    on_read
        Told how many streams have been read.

    Raises
    ------
    streams.errors.Unavailable
        When the store is away.
    """
    read = 0
    for category in OTHERS:
        async for stream in store.events.streams(category):
            async for gap in gaps(store.events, stream):
                yield _gap(gap)
            read += 1
            on_read(read)


async def diff_bus(
    store: Store, tail: Tail, topic: str, *, on_read: OnRead = lambda _: None
) -> AsyncIterator[Difference]:
    """Yield events of streams that lie in a topic and not in the store; the truth has lost them.

    Parameters
    ----------
    topic
        One of `STREAM_TOPICS`.
    on_read
        Told how many events of streams have been read.

    Raises
    ------
    streams.errors.Unavailable
        When store or bus are away, or the bus did not give all that it has.
    streams.errors.Refused
        When there is no such topic for us.
    """
    read = 0
    async for seen in follow(tail, [topic], Filter(), forever=False):
        if seen.event.sequence is None:
            continue  # of no stream
        stored = [
            one async for one in store.events.read(seen.event.subject, after=seen.event.version - 1, limit=1)
        ]
        if not stored or stored[0].id != seen.event.id:
            lies = f"{seen.record.topic}/{seen.record.partition}/{seen.record.offset}"
            detail = f"event {seen.event.id}, version {seen.event.version}, is on the bus only"
            yield Difference("unstored", seen.event.subject, lies, detail)
        read += 1
        on_read(read)


async def _settled(store: Store, view: View, stream: str) -> list[Difference]:
    """Compare a feed; again while it differs, in case it is just being written."""
    found: list[Difference] = []
    for look in range(LOOKS):
        found = await _compare(store, view, stream)
        if not found or all(one.kind == "gap" for one in found):
            return found
        if look < LOOKS - 1:
            await asyncio.sleep(LOOK_S)
    return found


async def _compare(store: Store, view: View, stream: str) -> list[Difference]:
    wanted: dict[str, Row] = {}
    found: list[Difference] = []
    last: Step | None = None
    async for step in fold(store.events, stream):
        last = step
        if step.gap:
            found.append(_gap(step.gap))
        if view == "timeline":
            wanted |= {row.key: row for row in rows(view, step.state, [step.event])}
    if last and view != "timeline":
        wanted = {row.key: row for row in rows(view, last.state, [last.event])}
    version = last.state.version if last else 0
    there = await _there(store, view, stream)
    for key in sorted(wanted.keys() | there.keys()):
        difference = _judge(stream, key, wanted.get(key), there.get(key), version)
        if difference:
            found.append(difference)
    return found


def _judge(stream: str, key: str, wanted: Row | None, there: Row | None, version: int) -> Difference | None:
    if there is None:
        return Difference("missing", stream, key, f"no row, the store is at version {version}")
    if there.version > version:
        detail = f"the row is of version {there.version}, the stream ends at {version}"
        return Difference("ahead", stream, key, detail)
    if wanted is None:
        return Difference("surplus", stream, key, "no event makes this row")
    if there.version != wanted.version:
        detail = f"the row is of version {there.version}, not {wanted.version}"
        return Difference("wrong", stream, key, detail)
    if there.body != wanted.body:
        return Difference("wrong", stream, key, f"differs in {', '.join(_fields(wanted.body, there.body))}")
    return None


def _gap(gap: Gap) -> Difference:
    which = f"version {gap.first}" if gap.first == gap.last else f"versions {gap.first} to {gap.last}"
    return Difference("gap", gap.stream, str(gap.first), f"{which} missing in the store")


def _fields(wanted: bytes, there: bytes) -> Sequence[str]:
    try:
        one = msgspec.json.decode(wanted, type=dict[str, msgspec.Raw])
        other = msgspec.json.decode(there, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return ["its body, which is no JSON object"]
    empty = msgspec.Raw(b"")
    names = sorted(one.keys() | other.keys())
    return [name for name in names if bytes(one.get(name, empty)) != bytes(other.get(name, empty))] or [
        "its encoding"
    ]


async def _there(store: Store, view: View, stream: str) -> dict[str, Row]:
    """Give a feed's rows as pages read them."""
    _, project, feed = stream.split("/")
    if view != "timeline":
        row = await store.views.row(view, project, "", feed)
        return {row.key: row} if row else {}
    return {row.key: row async for row in _pages(store, view, project, feed)}


async def _pages(store: Store, view: View, project: str, scope: str) -> AsyncIterator[Row]:
    after = ""
    while page := await store.views.rows(view, project, scope, after=after, limit=PAGE):
        for row in page:
            yield row
        after = page[-1].key
        if len(page) < PAGE:
            return


async def _orphans(store: Store, view: View, streams: set[str]) -> AsyncIterator[Difference]:
    """Find rows of feeds that have no stream."""
    for project, scope in await store.views.scopes(view, await store.views.active(view)):
        if view == "timeline":
            keys = [scope]
        else:
            keys = [row.key async for row in _pages(store, view, project, scope)]
        for feed in keys:
            stream = feed_stream(project, feed)
            if stream not in streams and await store.events.version(stream) == 0:
                yield Difference("surplus", stream, feed, "the store has no such feed")
