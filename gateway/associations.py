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


def carry(state: Carried, series: str, limit: int = MAX_SERIES) -> Carried:
    """Count one acknowledged image of a series. The same image twice counts twice: both were acknowledged."""
    counts = dict(state.series)
    again = series in counts and series != next(reversed(counts))
    counts[series] = counts.pop(series, 0) + 1
    while len(counts) > limit:
        del counts[next(iter(counts))]
    returned = state.returned | {series} if again else state.returned
    return state._replace(series=counts, returned=returned & counts.keys())


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
            ),
            event_id=derived_id("gateway", state.association, series),
            source=SOURCE,
            subject=series_stream(state.project, series),
            time=time,
            correlationid=state.association,
        )
        for series, count in state.series.items()
    ]
