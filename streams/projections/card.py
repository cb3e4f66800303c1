"""A feed on the home page, from its state. Pure.

While anything moves the card says so; when all is still it says what needs a look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from schemas.image import ReasonCount, SeriesAttributes
from schemas.job import Artefact
from schemas.pacs import Grade
from schemas.views import MAX_CARD_REASONS, Card, CardState, CommentView, RunState, SeriesView
from streams.aggregates.state import FeedState

PEOPLE = 5
PICTURES = ("key_slice", "render", "mip", "strip")

Step = RunState | Literal["receiving", "held"]


def card(state: FeedState, series: Sequence[SeriesView]) -> Card:
    """Make the card of a feed that exists.

    Parameters
    ----------
    series
        Its series, as `streams.projections.runs.series_views` gives them.

    Raises
    ------
    ValueError
        When the feed does not exist.
    """
    if state.created is None or state.updated is None:
        raise ValueError("a feed without its first event has no card")
    steps = [step(view) for view in series]
    return Card(
        project=state.project,
        feed=state.feed,
        version=state.version,
        title=state.title,
        tags=list(state.tags),
        state=card_state(series, steps),
        created=state.created,
        updated=state.updated,
        patients=sorted(set(state.inputs.values())),
        studies=len(state.inputs),
        series=[view.series for view in series],
        modalities=sorted({view.modality for view in series}),
        attributes=next(
            (view.attributes for view in series if view.attributes != SeriesAttributes()), SeriesAttributes()
        ),
        anonymized=sum(view.anonymized for view in series),
        quarantined=sum(view.quarantined for view in series),
        conflicts=sum(view.conflicts for view in series),
        measured=sum(1 for view in series if view.run and view.run.outcome == "measured"),
        not_volumes=sum(1 for view in series if view.run and view.run.outcome == "not_a_volume"),
        failed=steps.count("failed"),
        comments=len(state.comments),
        people=_people(state.comments.values()),
        pictures=_pictures(series),
        steps=steps,
        reasons=_reasons(series) or msgspec.UNSET,
        partial=_graded(series, "partial") or msgspec.UNSET,
        missing=sum(view.completeness.missing for view in series if view.completeness) or msgspec.UNSET,
        open=_graded(series, "quiescent") or msgspec.UNSET,
        outdated=sum(map(is_outdated, series)) or msgspec.UNSET,
    )


def step(view: SeriesView) -> Step:
    """Tell how far a series is. One whose every image is in quarantine goes no further."""
    if view.run:
        return view.run.state
    if view.version == 0 or grade_of(view) == "quiescent":
        return "receiving"
    if not view.anonymized:
        return "succeeded"
    return "held" if grade_of(view) == "partial" else "queued"


def is_outdated(view: SeriesView) -> bool:
    """Tell whether the run that is shown lacks images that came later."""
    return bool(view.run and view.since and view.run.version < view.since)


def grade_of(view: SeriesView) -> Grade | None:
    """Tell how whole the newest version is; None when 0.1 settled it, or none is."""
    return view.completeness.grade if view.completeness else None


def card_state(series: Sequence[SeriesView], steps: Sequence[Step]) -> CardState:
    """Tell what a card says of itself."""
    if not series:
        return "empty"
    for moving in ("receiving", "running", "queued"):
        if moving in steps:
            return moving
    if "failed" in steps:
        return "failed"
    if any(view.quarantined or view.conflicts or grade_of(view) == "partial" for view in series):
        return "attention"
    return "done"


def _graded(series: Sequence[SeriesView], grade: Grade) -> int:
    return sum(1 for view in series if grade_of(view) == grade)


def _reasons(series: Sequence[SeriesView]) -> list[ReasonCount]:
    """Sum up why images are in quarantine. The words are those of the first series that has the reason."""
    told = [one for view in series for one in view.reasons]
    counts: Counter[str] = Counter()
    for one in told:
        counts[one.reason] += one.instances
    messages = {one.reason: one.message for one in reversed(told)}
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [
        ReasonCount(reason=reason, message=messages[reason], instances=number)
        for reason, number in ordered[:MAX_CARD_REASONS]
    ]


def _people(comments: Iterable[CommentView]) -> list[str]:
    latest = sorted(comments, key=lambda comment: (comment.posted, comment.comment), reverse=True)
    return list(dict.fromkeys(comment.author for comment in latest))[:PEOPLE]


def _pictures(series: Sequence[SeriesView]) -> list[Artefact]:
    shown = [
        (view.anonymized, view.series, pictures)
        for view in series
        if view.run and (pictures := [one for one in view.run.artefacts if one.role in PICTURES])
    ]
    if not shown:
        return []
    _, _, pictures = max(shown, key=lambda one: (one[0], one[1]))
    return sorted(pictures, key=lambda one: PICTURES.index(one.role))
