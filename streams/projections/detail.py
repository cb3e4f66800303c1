"""A feed's page, from its state. Pure."""

from __future__ import annotations

from schemas.views import FeedDetail, InputView
from streams.aggregates.state import FeedState
from streams.projections.card import card
from streams.projections.runs import series_views


def detail(state: FeedState) -> FeedDetail:
    """Make the page of a feed that exists. Series and inputs stand in the order of their keys."""
    series = series_views(state)
    return FeedDetail(
        card=card(state, series),
        inputs=[InputView(study=study, patient=patient) for study, patient in sorted(state.inputs.items())],
        series=series,
        comments=sorted(state.comments.values(), key=lambda comment: (comment.posted, comment.comment)),
    )
