"""Which associations broke off, and were not made good by a later one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

from schemas.facts import EndedAssociation, StoredInstance

Break = Literal["aborted", "lost", "unended"]


def broken_off(images: Iterable[StoredInstance], ends: Mapping[str, EndedAssociation]) -> dict[str, Break]:
    """Give the associations that carried a series and did not end with a release, sorted, and how they ended.

    One is made good by another that carried the series, began after the break, and was released: the sender
    came back, and knows itself what was not acknowledged. One that ran beside it makes nothing good. One that
    had left the series for another broke off that one.
    """
    received: dict[str, list[datetime]] = {}
    for image in images:
        received.setdefault(image.association, []).append(image.received)
    begins = [
        began
        for association, end in ends.items()
        if end.outcome == "released" and (began := _began(end, received.get(association)))
    ]
    found: dict[str, Break] = {}
    for association in sorted(received.keys() | ends.keys()):
        end = ends.get(association)
        if end is not None and (end.outcome == "released" or end.left):
            continue
        at = end.ended if end else None
        at = at or max(received.get(association, ()), default=None)
        if at is None or not any(began > at for began in begins):
            found[association] = end.outcome if end and end.outcome != "released" else "unended"
    return found


def left_before(ends: Mapping[str, EndedAssociation]) -> int:
    """Count the associations that had left the series when they broke off."""
    return sum(1 for end in ends.values() if end.left and end.outcome != "released")


def _began(end: EndedAssociation, received: list[datetime] | None) -> datetime | None:
    """Tell when an association began; of those that 0.1 recorded the first image says it."""
    return end.began or (min(received) if received else None)
