"""What an association carried, and what its end tells to each of those series. Pure.

States are values: each function gives the next one. An association that dies with the gateway leaves no
end; its series settle when they have been quiet long enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from schemas.envelope import Event
from schemas.identity import derived_id, series_stream
from schemas.make import first
from schemas.pacs import AssociationEnded

SOURCE = "/chips/gateway"
_STANDARD, _OF_PATIENTS = "1.2.840.10008.5.1.4.", "1.2.840.10008.5.1.4.1.1."
"""Storage classes of the standard, and those of patients (DICOM PS3.4, B.5)."""
MAX_SERIES = 4096
"""Series remembered in one association. The one not fed for longest is forgotten, as quiet has settled it."""

Outcome = Literal["released", "aborted", "lost"]


class Carried(NamedTuple):
    """Images stored by an association, by series, the series fed last at the end."""

    association: str
    project: str
    series: Mapping[str, int] = {}
    began: datetime | None = None
    """When it was accepted."""
    returned: frozenset[str] = frozenset()
    """Series that it came back to after another one."""
    refused: Mapping[str, int] = {}
    """Objects that were refused next to images of a series, and so may have been of it."""
    refused_since: int = 0
    """Objects that were refused since the last image."""


def carry(state: Carried, series: str, limit: int = MAX_SERIES) -> Carried:
    """Count one acknowledged image of a series. The same image twice counts twice: both were acknowledged."""
    counts = dict(state.series)
    last = next(reversed(counts), None)
    again = series in counts and series != last
    refused = dict(state.refused)
    if state.refused_since and series != last:
        refused[series] = refused.get(series, 0) + state.refused_since
    counts[series] = counts.pop(series, 0) + 1
    while len(counts) > limit:
        del counts[next(iter(counts))]
    returned = state.returned | {series} if again else state.returned
    return state._replace(
        series=counts,
        returned=returned & counts.keys(),
        refused={one: number for one, number in refused.items() if one in counts},
        refused_since=0,
    )


def refuse(state: Carried, sop_class_uid: str) -> Carried:
    """Count an object that was refused: of which series it is, its neighbours have to say.

    One of a class that the standard has for no patient, such as a hanging protocol, is of none.
    """
    if sop_class_uid.startswith(_STANDARD) and not sop_class_uid.startswith(_OF_PATIENTS):
        return state
    last = next(reversed(list(state.series)), None)
    refused = dict(state.refused)
    if last is not None:
        refused[last] = refused.get(last, 0) + 1
    return state._replace(refused=refused, refused_since=state.refused_since + 1)


def outcome_of(*, released: bool, aborted: bool) -> Outcome:
    """Tell how an association ended: released, aborted (by either side), else the connection was lost."""
    if released:
        return "released"
    return "aborted" if aborted else "lost"


def ended(state: Carried, outcome: Outcome, time: datetime) -> list[Event]:
    """Give an event for each series; ids are those of (association, series), so that a repeat is the same."""
    last = next(reversed(list(state.series)), None)
    return [
        first(
            AssociationEnded(
                project=state.project,
                series=series,
                association=state.association,
                outcome=outcome,
                instances=count,
                began=state.began,
                left=series != last and series not in state.returned,
                refused=state.refused.get(series, 0),
            ),
            event_id=derived_id("gateway", state.association, series),
            source=SOURCE,
            subject=series_stream(state.project, series),
            time=time,
            correlationid=state.association,
        )
        for series, count in state.series.items()
    ]
