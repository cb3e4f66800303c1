"""The states of a series, from all evidence at one time. Pure; time is an argument.

OPEN, images may come; QUIESCENT, none came for a while but an association is still open; then one of
COMPLETE_EXPECTED, COMPLETE_ASSUMED and PARTIAL. `docs/completeness.md` has the table of cases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.facts import AnnouncedSeries, EndedAssociation, StoredInstance
from schemas.pacs import Completeness, Grade, Lack
from streams.completeness.expected import expectation_of
from streams.completeness.numbers import numbers_of
from streams.completeness.positions import positions_of
from streams.completeness.transfers import Break, broken_off, left_before

TOLD = 16
"""Gaps, holes and associations that evidence names; their numbers count all."""


class Patience(NamedTuple):
    """How long things are waited for.

    Attributes
    ----------
    quiet
        Since the last image, while an association may bring more.
    settle
        Since the end of the last association.
    unended
        Since the last image, for the end of an association; the gateway tells each, unless it died.
    """

    quiet: timedelta
    settle: timedelta
    unended: timedelta = timedelta(minutes=15)


class Evidence(NamedTuple):
    """All that is known of a series, as sets: order and repetition of what told it make no difference."""

    stored: Sequence[StoredInstance]
    ends: Mapping[str, EndedAssociation]
    announced: Sequence[AnnouncedSeries] = ()


class Judged(NamedTuple):
    """What a series is. `completeness` is None while it is OPEN; `again` is when time alone may change it."""

    completeness: Completeness | None
    again: datetime | None = None


def judge(evidence: Evidence, now: datetime, patience: Patience) -> Judged:
    """Judge a series that has images."""
    last = max(image.received for image in evidence.stored)
    rests = _rests(evidence, last, patience)
    if now < rests:
        return Judged(None, rests)
    broken = broken_off(evidence.stored, evidence.ends)
    graded = _graded(first_of_each(evidence.stored), evidence, broken)
    ends = last + patience.unended
    if graded.grade == "partial" and "unended" in broken.values() and now < ends:
        return Judged(_quiescent(graded), ends)
    return Judged(graded)


def first_of_each(stored: Iterable[StoredInstance]) -> list[StoredInstance]:
    """Give of each instance the image that was received first; others under its UID are conflicts."""
    first: dict[str, StoredInstance] = {}
    for image in sorted(stored, key=lambda one: (one.received, one.digest)):
        first.setdefault(image.instance, image)
    return [first[key] for key in sorted(first)]


def _rests(evidence: Evidence, last: datetime, patience: Patience) -> datetime:
    """Tell when the series is quiescent."""
    if all(image.association in evidence.ends for image in evidence.stored):
        return max([last, *(end.ended for end in evidence.ends.values() if end.ended)]) + patience.settle
    return last + patience.quiet


def _graded(
    images: Sequence[StoredInstance], evidence: Evidence, broken: Mapping[str, Break]
) -> Completeness:
    expected = expectation_of(evidence.announced, [image.instance for image in images])
    numbers, positions = numbers_of(images), positions_of(images)
    lacks: list[Lack] = []
    if not expected.met:
        found: list[tuple[Lack, object]] = [
            ("shortfall", expected.missing),
            *((how, how in broken.values()) for how in ("aborted", "lost", "refused", "unended")),
            ("number-gap", numbers.missing),
            ("position-gap", positions.missing),
        ]
        lacks = [lack for lack, there in found if there]
    complete: Grade = "complete_expected" if expected.met else "complete_assumed"
    return Completeness(
        grade="partial" if lacks else complete,
        received=len(images),
        lacks=lacks,
        expected=expected.expected,
        by=expected.by,
        missing=expected.missing or (0 if expected.met else max(numbers.missing, positions.missing)),
        surplus=expected.surplus,
        numbers=numbers.said,
        gaps=list(numbers.gaps[:TOLD]),
        positions=positions.said,
        holes=list(positions.holes[:TOLD]),
        broken=[] if expected.met else list(broken)[:TOLD],
        left=left_before(evidence.ends),
    )


def _quiescent(graded: Completeness) -> Completeness:
    """Say that an end is waited for; what is missing until then may come."""
    return Completeness(
        grade="quiescent",
        received=graded.received,
        lacks=["unended"],
        expected=graded.expected,
        by=graded.by,
        broken=graded.broken,
    )
