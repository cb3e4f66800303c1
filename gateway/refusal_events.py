"""Refusals on their way to becoming events: told once a minute for each source and reason, with their count.

The first of a kind is told at once, those that follow within `PERIOD` together: a flood of refusals fills
neither the journal nor memory.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from urllib.parse import quote

import msgspec

from gateway.associations import SOURCE
from schemas.envelope import Event
from schemas.make import first
from schemas.pacs import AssociationRefused, ObjectRefused

PERIOD = timedelta(minutes=1)
MOST = 128
"""Kinds told within `PERIOD`; what is of further ones counts under its reason alone."""


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One refusal; no value of an object is in it."""

    kind: Literal["association", "object"]
    project: str
    source: str
    """Name of the source, or a valid AE title; empty when it gave none."""
    reason: str
    """One of the words of `gateway.dul.negotiation.Rejection`, `gateway.tls` or `gateway.refusals`."""
    address: str
    association: str | None = None
    """The one that brought the object."""


def closed_unheard(project: str, address: str) -> Refused:
    """Give the refusal of a connection that was closed because there were too many."""
    return Refused(kind="association", project=project, source="", reason="connections", address=address)


class _Kind(NamedTuple):
    kind: str
    project: str
    source: str
    reason: str


class _Pending(NamedTuple):
    since: datetime
    until: datetime
    number: int
    last: Refused


class Refusals:
    """Gathers refusals; safe for many threads. Time comes in as an argument.

    Parameters
    ----------
    new_id
        Makes an event's id.
    """

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._lock = threading.Lock()
        self._pending: dict[_Kind, _Pending] = {}
        self._told: dict[_Kind, datetime] = {}

    def note(self, refused: Refused, now: datetime) -> None:
        """Count one."""
        kind = _Kind(refused.kind, refused.project, refused.source, refused.reason)
        with self._lock:
            if kind not in self._pending.keys() | self._told.keys() and self._is_full():
                refused = msgspec.structs.replace(refused, source="", address="", association=None)
                kind = kind._replace(source="")
            before = self._pending.get(kind)
            since, number = (before.since, before.number) if before else (now, 0)
            self._pending[kind] = _Pending(since, now, number + 1, refused)

    def due(self, now: datetime, *, all_of_them: bool = False) -> list[Event]:
        """Give events for what was not told within `PERIOD`, and forget it."""
        with self._lock:
            self._told = {kind: at for kind, at in self._told.items() if timedelta() <= now - at < PERIOD}
            ready = [kind for kind in self._pending if all_of_them or kind not in self._told]
            self._told |= dict.fromkeys(ready, now)
            return [_event(self._pending.pop(kind), self._new_id()) for kind in ready]

    def _is_full(self) -> bool:
        return len(self._pending.keys() | self._told.keys()) >= MOST


def _event(pending: _Pending, event_id: str) -> Event:
    last = pending.last
    return first(
        _data(pending),
        event_id=event_id,
        source=SOURCE,
        subject=f"source/{last.project}/{quote(last.source, safe='')}",
        time=pending.until,
        correlationid=last.association,
    )


def _data(pending: _Pending) -> AssociationRefused | ObjectRefused:
    last, address = pending.last, pending.last.address or None
    if last.kind == "association":
        return AssociationRefused(
            project=last.project,
            source=last.source,
            reason=last.reason,
            count=pending.number,
            since=pending.since,
            until=pending.until,
            address=address,
        )
    return ObjectRefused(
        project=last.project,
        source=last.source,
        reason=last.reason,
        count=pending.number,
        since=pending.since,
        until=pending.until,
        address=address,
        association=last.association,
    )
