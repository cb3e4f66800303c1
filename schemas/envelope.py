"""The envelope of every event: CloudEvents 1.0 in structured JSON.

The same bytes travel on the bus, rest in the store, go to the browser and stand in a replay file;
so an event is encoded once and handed on as bytes. See the CloudEvents 1.0 specification and its
documented extensions (partitioning, sequence, recorded time, distributed tracing, auth context,
correlation).
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from schemas.identity import Uuid

MAX_BYTES = 64 * 1024
"""The largest encoded event, bytes. What is larger belongs into a blob that the event refers to."""

SEQUENCE_DIGITS = 16

Utc = Annotated[datetime, msgspec.Meta(tz=True)]
Sequence = Annotated[str, msgspec.Meta(pattern=rf"^[0-9]{{{SEQUENCE_DIGITS}}}$(?!\n)")]

AuthType = Literal["app_user", "service_account", "system", "unauthenticated"]


class InvalidEvent(ValueError):  # noqa: N818 - named for what the bytes are; it reads as one of the families
    """Bytes that are not an event of the catalogue: malformed, of unknown type, or too large."""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=False):
    """One CloudEvent. `data` is a struct of the catalogue, found by `type`.

    Attributes
    ----------
    id
        uuid7 for what a person asked, uuid5 of (consumer, cause, index) for what follows from it, so
        that handling a cause again makes the same events.
    source
        Who made it: ``/chips/<room>/<name>``.
    subject
        The stream it belongs to (``feed/<project>/<feed>``), or what it is about.
    partitionkey
        The key under which it is published; one key is one order.
    sequence
        For an event of a stream with invariants: the stream's version after it, zero padded so that
        it sorts as text (CloudEvents sequence extension).
    correlationid, causationid
        The story: the id of its first event, or of the DICOM association that brought the images; and the
        event that this follows from.
    recordedtime
        When it became part of our record; `time` is when it happened.
    authtype, authid
        Who is answerable: an opaque account id, never a name.
    dataref
        Where a large body lies, when `data` only names it.
    """

    specversion: Literal["1.0"]
    id: Uuid
    source: Annotated[str, msgspec.Meta(pattern=r"^/chips/[a-z0-9/_-]+$(?!\n)", max_length=128)]
    type: Annotated[str, msgspec.Meta(pattern=r"^chips(\.[a-z_]+)+\.v[0-9]+$(?!\n)", max_length=128)]
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    time: Utc
    datacontenttype: Literal["application/json"]
    partitionkey: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    data: Any
    sequence: Sequence | None = None
    correlationid: Uuid | None = None
    causationid: Uuid | None = None
    recordedtime: Utc | None = None
    traceparent: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    authtype: AuthType | None = None
    authid: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    dataref: Annotated[str, msgspec.Meta(max_length=256)] | None = None

    @property
    def version(self) -> int:
        """The stream version this event brings its stream to; 0 when it belongs to no stream."""
        return int(self.sequence) if self.sequence else 0


def sequence_of(version: int) -> str:
    """Write a stream version as a CloudEvents sequence, which must sort as text."""
    return f"{version:0{SEQUENCE_DIGITS}d}"


def encode(event: Event) -> bytes:
    """Encode an event; equal events give equal bytes.

    Raises
    ------
    InvalidEvent
        When it is larger than `MAX_BYTES`.
    """
    raw = msgspec.json.encode(event, order="deterministic")
    if len(raw) > MAX_BYTES:
        raise InvalidEvent(
            f"{event.type} {event.id} has {len(raw)} bytes, at most {MAX_BYTES} fit: put the body into a blob"
        )
    return raw


_STREAM = re.compile(r"(feed|job|series)/([a-z0-9][a-z0-9-]{0,62})/([A-Za-z0-9-]{1,64})")


def parse_stream(stream: str) -> tuple[str, str, str]:
    """Split a stream id into (category, project, id).

    Raises
    ------
    ValueError
        When it is not ``<category>/<project>/<id>`` with a known category.
    """
    found = _STREAM.fullmatch(stream)
    if not found:
        raise ValueError(f"{stream!r} is not a stream id: expected feed|job|series/<project>/<id>")
    return found[1], found[2], found[3]
