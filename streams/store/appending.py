"""What every store decides about an append, and in which partition an event lies. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.envelope import Event, encode, parse_stream
from streams.errors import Conflict
from streams.store.api import BUCKET, MAX_APPEND, Appended


def encoded(stream: str, expected: int, events: Sequence[Event]) -> list[bytes]:
    """Check an append's form and encode its events.

    Raises
    ------
    ValueError
        When the stream is no stream id, there are no events or too many, their sequences do not follow
        `expected`, or one is too large.
    """
    parse_stream(stream)
    if not 1 <= len(events) <= MAX_APPEND:
        raise ValueError(f"An append carries 1 to {MAX_APPEND} events, this one {len(events)}: split it")
    for version, event in enumerate(events, expected + 1):
        if event.version != version:
            raise ValueError(
                f"{event.type} {event.id} has sequence {event.sequence}, expected is {version}: "
                "number the events from the version that was loaded"
            )
    return [encode(event) for event in events]


def outcome(
    stream: str, expected: int, events: Sequence[Event], version: int, stored: Sequence[str]
) -> Appended | None:
    """Decide what an append does to a stream that is at `version`.

    Parameters
    ----------
    stored
        Ids of the events at versions expected+1, expected+2, …, as far as there are any, at most as many
        as `events`.

    Returns
    -------
    None when it is to be written; the result when this very append is there already.

    Raises
    ------
    Conflict
        When the stream is elsewhere.
    """
    if version == expected:
        return None
    if version > expected and list(stored) == [event.id for event in events]:
        return Appended(expected + len(events), repeated=True)
    raise Conflict(stream, expected, version)


def bucket_of_append(expected: int, bucket: int = BUCKET) -> int:
    """Give the bucket of an append: that of its first event.

    All writers that race from one version must meet in one partition, or both would win at a border. So it
    is `expected` that decides, which they share, not the last version, which they need not.
    """
    return expected // bucket


def first_bucket_after(after: int, bucket: int = BUCKET) -> int:
    """Give the first bucket that may hold version after+1.

    It lies in the bucket of its append's first event, which is at most `MAX_APPEND` - 1 versions before.
    """
    return max(0, after - (MAX_APPEND - 1)) // bucket
