"""Reading topics to their end, or for ever, through a filter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import NamedTuple

from schemas.catalogue import TYPES, decode
from schemas.envelope import Event, InvalidEvent
from streams.bus import Record, Tail
from streams.errors import Unavailable

SILENT_S = 30.0
"""How long a message that must be there may take to come, s: a broker may just have lost its leader."""

Place = tuple[str, int]


class Filter(NamedTuple):
    """Which events to show; what is empty lets all through."""

    type_prefix: str = ""
    stream: str = ""
    correlation: str = ""

    def lets(self, event: Event) -> bool:
        """Tell whether an event is wanted."""
        return (
            event.type.startswith(self.type_prefix)
            and self.stream in {"", event.subject}
            and self.correlation in {"", event.correlationid}
        )


class Seen(NamedTuple):
    """An event and where it lies; `record.value` is the event as it was sent."""

    record: Record
    event: Event


def event_topics(type_prefix: str = "") -> list[str]:
    """Give the topics that may have events of types that begin so; dead letters are not among them."""
    return sorted({topic.name for name, (_, topic) in TYPES.items() if name.startswith(type_prefix)})


async def follow(
    tail: Tail, topics: Sequence[str], wanted: Filter, *, beginning: bool = False, forever: bool = True
) -> AsyncIterator[Seen]:
    """Yield events as they lie, in order within a partition; bytes that are no events are passed over.

    Parameters
    ----------
    beginning
        From the first message that is kept, instead of from now.
    forever
        False: everything that was there at the start, and no more.

    Raises
    ------
    streams.errors.Unavailable
        When the bus is away, or did not give all that it said it has.
    """
    if forever:
        records = tail.records(topics, start="beginning" if beginning else "end")
    else:
        records = to_the_end(tail, topics)
    async with aclosing(records):
        async for record in records:
            try:
                event = decode(record.value)
            except InvalidEvent:
                continue
            if wanted.lets(event):
                yield Seen(record, event)


async def to_the_end(tail: Tail, topics: Sequence[str]) -> AsyncGenerator[Record, None]:
    """Yield all records that lie in topics now; what comes meanwhile is left out.

    Raises
    ------
    streams.errors.Unavailable
        When they do not all come: whoever reads to an end must know that it was the end.
    """
    ends = await tail.ends(topics)
    left = _behind(await tail.starts(topics), ends)
    wanted = sum(left.values())
    read = 0
    async with aclosing(tail.records(topics, start="beginning")) as source:
        while left:
            try:
                record = await asyncio.wait_for(anext(source), SILENT_S)
            except (TimeoutError, StopAsyncIteration):
                break
            place = (record.topic, record.partition)
            if record.offset < ends[place]:
                read += 1
                yield record
            if record.offset + 1 >= ends[place]:
                left.pop(place, None)
    # Retention may have taken meanwhile what was still to come.
    if left and _behind(await tail.starts(list({topic for topic, _ in left})), ends).keys() & left.keys():
        raise Unavailable(
            f"Only {read} of {wanted} messages of {', '.join(topics)} came, then none for {SILENT_S:g} s: "
            "is the bus well?"
        )


def _behind(starts: dict[Place, int], ends: dict[Place, int]) -> dict[Place, int]:
    """Count the messages that lie before an end, by partition; those that hold none are left out."""
    return {place: ends[place] - start for place, start in starts.items() if start < ends[place]}
