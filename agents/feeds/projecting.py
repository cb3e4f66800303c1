"""Writing a feed's views, in every generation that is being filled. An adapter over pure projections."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from schemas.envelope import Event
from schemas.facts import FeedOfStudy
from schemas.feed import InputAdded
from streams.aggregates.state import FeedState
from streams.projections.views import VIEWS, rows
from streams.store.api import Fact, Store


async def project(store: Store, state: FeedState, events: Sequence[Event]) -> None:
    """Write what the new events of a feed show; writing it again changes nothing."""
    for view in VIEWS:
        made = rows(view, state, events)
        for generation in await store.views.filling(view):
            await store.views.put(view, generation, made)
    added = [
        Fact(
            state.project,
            "feed_of_study",
            event.data.study,
            state.feed,
            msgspec.json.encode(FeedOfStudy(feed=state.feed)),
        )
        for event in events
        if isinstance(event.data, InputAdded)
    ]
    if added:
        await store.facts.put(added)
