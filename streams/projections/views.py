"""The rows of each view that a feed's events make. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import msgspec

from schemas.envelope import Event, sequence_of
from streams.aggregates.state import FeedState
from streams.projections.card import card
from streams.projections.detail import detail
from streams.projections.runs import series_views
from streams.projections.timeline import timeline_row
from streams.store.api import Row

View = Literal["card", "feed", "timeline"]
VIEWS: tuple[View, ...] = get_args(View)

_ENCODER = msgspec.json.Encoder(order="deterministic")


def rows(view: View, state: FeedState, events: Sequence[Event]) -> list[Row]:
    """Make the rows of a view.

    Parameters
    ----------
    state
        The feed after the last of `events`.
    events
        Those that the rows shall tell, of this feed: the new ones, or all for a rebuild.
    """
    if state.version == 0:
        return []
    if view == "timeline":
        return [
            Row(
                state.project,
                state.feed,
                sequence_of(event.version),
                event.version,
                _ENCODER.encode(timeline_row(event)),
            )
            for event in events
        ]
    shown = detail(state) if view == "feed" else card(state, series_views(state))
    return [Row(state.project, "", state.feed, state.version, _ENCODER.encode(shown))]
