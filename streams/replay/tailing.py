"""Reading topics to their end, or for ever, through a filter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from schemas.catalogue import TYPES, decode
from schemas.envelope import Event, InvalidEvent
from streams.bus import Record, Tail

IDLE_S = 2.0
"""Without a message for so long a topic is read to its end: retention may have taken its last ones, s."""


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
    tail: Tail, topics: Sequence[str], wanted: Filter, *, beginning: bool, forever: bool
) -> AsyncIterator[Seen]:
    """Yield events as they lie, in order within a partition; bytes that are no events are passed over.

    Parameters
    ----------
    beginning
        From the first message that is kept, instead of from now.
    forever
        False: end with the messages that were there at the start.

    Raises
    ------
    streams.errors.Unavailable
        When the bus is away.
    """
    source = tail.records(topics, start="beginning" if beginning else "end")
    if forever:
        records = source
    elif beginning:
        records = to_the_end(source, await tail.ends(topics))
    else:
        return
    async for record in records:
        try:
            event = decode(record.value)
        except InvalidEvent:
            continue
        if wanted.lets(event):
            yield Seen(record, event)


async def to_the_end(
    source: AsyncIterator[Record], ends: dict[tuple[str, int], int]
) -> AsyncIterator[Record]:
    """Yield records up to the given offsets; an end that does not come is not waited for."""
    open_ends = {place: end for place, end in ends.items() if end > 0}
    while open_ends:
        try:
            record = await asyncio.wait_for(anext(source), IDLE_S)
        except (TimeoutError, StopAsyncIteration):
            return
        place = (record.topic, record.partition)
        if record.offset < ends.get(place, 0):
            yield record
        if record.offset + 1 >= ends.get(place, 0):
            open_ends.pop(place, None)
