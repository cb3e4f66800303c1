"""What pages read: cards, feed details and timelines, made by projections from a feed's events alone."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from schemas.envelope import Utc
from schemas.feed import Tag, Title
from schemas.identity import Key, ProjectId, Uuid
from schemas.image import ReasonCount, SeriesAttributes
from schemas.job import Artefact, Finding, Isolation, Measure
from schemas.pacs import Completeness, Count, Grade

CardState = Literal["empty", "receiving", "queued", "running", "done", "attention", "failed"]
"""attention: something is in quarantine, conflicts or is missing and nothing failed; failed: a run failed for
good."""

MAX_CARD_REASONS = 16
"""A card travels to every open home page; the page of the feed has all reasons."""

RunState = Literal["queued", "running", "succeeded", "failed"]


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """A plugin's run on a version of a series."""

    job: Uuid
    plugin: str
    state: RunState
    version: Count
    attempt: Count = 0
    isolation: Isolation | None = None
    outcome: Literal["measured", "not_a_volume"] | None = None
    cause: str | None = None
    seconds: float | None = None
    artefacts: list[Artefact] = []
    measures: list[Measure] = []
    findings: list[Finding] = []


class SeriesView(msgspec.Struct, frozen=True, kw_only=True):
    """A series of a feed: the newest anonymized version, and its newest run."""

    study: Key
    series: Key
    modality: str
    version: Count = 0
    anonymized: Count = 0
    quarantined: Count = 0
    conflicts: Count = 0
    attributes: SeriesAttributes = SeriesAttributes()
    reasons: list[ReasonCount] = []
    run: RunView | None = None
    completeness: Completeness | msgspec.UnsetType = msgspec.UNSET
    """Of the version; left out when 0.1 settled it."""
    since: Count | msgspec.UnsetType = msgspec.UNSET
    """The first version with these images: a run on an earlier one lacks some. Left out when it is 1."""


class CommentView(msgspec.Struct, frozen=True, kw_only=True):
    """A comment in its present wording, sealed as it rests: who serves a page opens it."""

    comment: Uuid
    author: str
    posted: Utc
    text: str
    edited: Utc | None = None


class InputView(msgspec.Struct, frozen=True, kw_only=True):
    """A study that is an input of the feed."""

    study: Key
    patient: Key


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A feed on the home page."""

    project: ProjectId
    feed: Uuid
    version: Count
    title: Title
    tags: list[Tag]
    state: CardState
    created: Utc
    updated: Utc
    patients: list[Key]
    studies: Count
    series: list[Key]
    """The series, so that live progress finds its card."""
    modalities: list[str]
    attributes: SeriesAttributes
    """Of the first series that has any."""
    anonymized: Count
    quarantined: Count
    conflicts: Count
    measured: Count
    not_volumes: Count
    failed: Count
    comments: Count
    people: list[str]
    """Opaque ids of those who commented, the latest first, at most five."""
    pictures: list[Artefact]
    """key_slice, render, mip and strip of the series with the most anonymized instances."""
    steps: list[RunState | Literal["receiving", "held"]]
    """One segment of the progress bar a series; held: it is partial, and nothing ran on it."""
    reasons: Annotated[list[ReasonCount], msgspec.Meta(max_length=MAX_CARD_REASONS)] | msgspec.UnsetType = (
        msgspec.UNSET
    )
    """Why images are in quarantine, over all series, the most frequent first; left out when none is, and by
    0.1. Reasons beyond the bound are in `quarantined` only."""
    partial: Count | msgspec.UnsetType = msgspec.UNSET
    """Series that are partial; left out when none is. So are the next three."""
    missing: Count | msgspec.UnsetType = msgspec.UNSET
    """Images that are known to be missing in them, at least."""
    open: Count | msgspec.UnsetType = msgspec.UNSET
    """Series of which an association has not ended yet."""
    outdated: Count | msgspec.UnsetType = msgspec.UNSET
    """Series whose newest run lacks images that came later."""


class FeedDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A feed's page."""

    card: Card
    inputs: list[InputView]
    series: list[SeriesView]
    comments: list[CommentView]


TimelineKind = Literal[
    "created", "renamed", "tagged", "untagged", "input", "series", "run", "comment", "edit"
]


class TimelineRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event as the timeline tells it; `seq` is the feed's version after it."""

    seq: Annotated[int, msgspec.Meta(ge=1)]
    event: Uuid
    type: str
    kind: TimelineKind
    time: Utc
    system: bool
    actor: str | None = None
    series: Key | None = None
    job: Uuid | None = None
    comment: Uuid | None = None
    text: str | None = None
    """Title, tag, comment (sealed), cause or message: whatever the event says."""
    state: str | None = None
    counts: dict[str, int] = {}
    grade: Grade | None = None
    """Of a version of a series; None: 0.1 settled it."""


class SeriesCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Live counts of a series, from facts (sizes of sets)."""

    series: Key
    stored: Count
    anonymized: Count
    quarantined: Count
