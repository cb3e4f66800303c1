"""Which associations broke off, and were not made good by a later one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

from schemas.facts import EndedAssociation, StoredInstance

Break = Literal["aborted", "lost", "refused", "unended"]


def broken_off(images: Iterable[StoredInstance], ends: Mapping[str, EndedAssociation]) -> dict[str, Break]:
    """Give the associations that did not bring all they should have, sorted, and why.

    Those are which broke off, in which objects were refused, or of which no end is told. One is made good by
    another that carried the series, began after that, and was released without a refusal: the sender came
    back, and knows itself what was not acknowledged. One that ran beside it makes nothing good. One that had
    left the series for another broke off that one.
    """
    received: dict[str, list[datetime]] = {}
    for image in images:
        received.setdefault(image.association, []).append(image.received)
    begins = [
        began
        for association, end in ends.items()
        if _is_clean(end) and (began := _began(end, received.get(association)))
    ]
    found: dict[str, Break] = {}
    for association in sorted(received.keys() | ends.keys()):
        end = ends.get(association)
        why = _broke(end)
        if why is None:
            continue
        at = end.ended if end else None
        at = at or max(received.get(association, ()), default=None)
        if at is None or not any(began > at for began in begins):
            found[association] = why
    return found


def _is_clean(end: EndedAssociation) -> bool:
    return end.outcome == "released" and not end.refused


def _broke(end: EndedAssociation | None) -> Break | None:
    """Tell why an association may not have brought all; None when nothing says so."""
    if end is None:
        return "unended"
    if end.refused:
        return "refused"
    return None if end.outcome == "released" or end.left else end.outcome


def left_before(ends: Mapping[str, EndedAssociation]) -> int:
    """Count the associations that had left the series when they broke off."""
    return sum(1 for end in ends.values() if end.left and end.outcome != "released")


def _began(end: EndedAssociation, received: list[datetime] | None) -> datetime | None:
    """Tell when an association began; of those that 0.1 recorded the first image says it."""
    return end.began or (min(received) if received else None)
