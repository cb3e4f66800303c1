"""The series stream: when a series is settled and graded, and when late images open its next version. Pure.

A series without a settled version has no stream yet. Nothing here refuses an image.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from schemas.envelope import Event
from schemas.facts import SeriesOfStudy, StoredInstance
from schemas.pacs import Completeness, Count, SeriesReopened, SeriesSettled
from streams.aggregates.handled import remember
from streams.aggregates.state import SeriesState

Evidence = Literal["released", "aborted", "lost", "quiet"]
AssociationOutcome = Literal["released", "aborted", "lost"]

_WORST: tuple[AssociationOutcome, ...] = ("lost", "aborted", "released")


class Census(msgspec.Struct, frozen=True, kw_only=True):
    """A series counted: distinct instances, other bytes under their UIDs, and why it is taken as whole."""

    instances: Count
    conflicts: Count
    evidence: Evidence

    @property
    def rows(self) -> int:
        """Images that lie in the vault."""
        return self.instances + self.conflicts


def census(stored: Iterable[StoredInstance], ended: Mapping[str, AssociationOutcome]) -> Census:
    """Count what is stored of a series.

    Parameters
    ----------
    ended
        How each association ended that told its end. When one that brought images has not, or none of
        them, only quiet says that the series is whole.
    """
    images = list(stored)
    instances = {image.instance for image in images}
    outcomes = {ended.get(image.association) for image in images}
    told = None not in outcomes
    worst = next((outcome for outcome in _WORST if outcome in outcomes), None)
    return Census(
        instances=len(instances),
        conflicts=len(images) - len(instances),
        evidence=worst if told and worst else "quiet",
    )


def decide_arrival(state: SeriesState, project: str, series: SeriesOfStudy) -> list[SeriesReopened]:
    """Decide what a new image means to a series: the first one after it was settled reopens it."""
    if not state.settled or state.gathering > state.settled:
        return []
    return [
        SeriesReopened(project=project, study=series.study, series=series.series, version=state.settled + 1)
    ]


def decide_due(
    state: SeriesState,
    project: str,
    series: SeriesOfStudy,
    counted: Census,
    completeness: Completeness,
) -> list[SeriesReopened | SeriesSettled]:
    """Decide what a passed deadline means: a new version, when there is an image that no version has.

    Without one, the last version is told again when it is graded otherwise than before: an association ended,
    or somebody announced what to expect. An image whose reopening was lost in a crash is made up for here.
    """
    fresh = counted.rows > state.rows
    if not fresh and (not state.settled or completeness == state.completeness):
        return []
    settled = SeriesSettled(
        project=project,
        patient=series.patient,
        study=series.study,
        series=series.series,
        modality=series.modality,
        version=state.settled + 1 if fresh else state.settled,
        instances=counted.instances,
        conflicts=counted.conflicts,
        evidence=counted.evidence,
        completeness=completeness,
        grading=0 if fresh else state.grading + 1,
    )
    return [*decide_arrival(state, project, series), settled] if fresh else [settled]


def evolve(state: SeriesState, event: Event) -> SeriesState:
    """Fold one event of the stream into its state."""
    handled = remember(state.handled, event)
    match event.data:
        case SeriesSettled() as data:
            return SeriesState(
                version=event.version,
                settled=data.version,
                gathering=data.version,
                rows=data.instances + data.conflicts,
                grading=data.grading,
                completeness=data.completeness,
                handled=handled,
            )
        case SeriesReopened() as data:
            return msgspec.structs.replace(
                state, version=event.version, gathering=data.version, handled=handled
            )
        case _:
            return msgspec.structs.replace(state, version=event.version, handled=handled)
