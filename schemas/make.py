"""Making events: from a person's or system's wish, and from the event that caused them. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec

from schemas.catalogue import type_of
from schemas.envelope import AuthType, Event, sequence_of
from schemas.identity import derived_id


def first(
    data: msgspec.Struct,
    *,
    event_id: str,
    source: str,
    subject: str,
    time: datetime,
    partitionkey: str | None = None,
    correlationid: str | None = None,
    authtype: AuthType = "system",
    authid: str | None = None,
    traceparent: str | None = None,
) -> Event:
    """Make an event that follows from no other.

    Parameters
    ----------
    correlationid
        The story that it belongs to; when not given it begins one, and its id is that story's.
    """
    return Event(
        specversion="1.0",
        id=event_id,
        source=source,
        type=type_of(data),
        subject=subject,
        time=time,
        datacontenttype="application/json",
        partitionkey=partitionkey or subject,
        data=data,
        correlationid=correlationid or event_id,
        recordedtime=time,
        traceparent=traceparent,
        authtype=authtype,
        authid=authid,
    )


def derived(
    data: msgspec.Struct,
    *,
    cause: Event,
    consumer: str,
    subject: str,
    recorded: datetime,
    index: int | str = 0,
    partitionkey: str | None = None,
    version: int | None = None,
    time: datetime | None = None,
) -> Event:
    """Make an event that follows from `cause`: same story, same answerable person, an id that repeats itself.

    Parameters
    ----------
    consumer
        Who derives it (``feeds``); also its source.
    index
        Which of the events that this consumer derives from this cause.
    version
        The stream version after it, for an event of a stream with invariants.
    time
        When it happened; the time of its cause when not given, so that a re-run makes the same event.
    """
    return Event(
        specversion="1.0",
        id=derived_id(consumer, cause.id, index),
        source=f"/chips/agents/{consumer}",
        type=type_of(data),
        subject=subject,
        time=time or cause.time,
        datacontenttype="application/json",
        partitionkey=partitionkey or subject,
        data=data,
        sequence=None if version is None else sequence_of(version),
        correlationid=cause.correlationid or cause.id,
        causationid=cause.id,
        recordedtime=recorded,
        traceparent=cause.traceparent,
        authtype=cause.authtype,
        authid=cause.authid,
    )
