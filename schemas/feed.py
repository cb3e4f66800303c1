"""Events of a feed (``chips.feed.v1``, keyed by feed): the history that people see and rely on.

Actors are in the envelope (`authid`), as opaque account ids.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from schemas.identity import Key, ProjectId, Uuid
from schemas.image import ReasonCount, SeriesAttributes
from schemas.job import Artefact, Attempt, Cause, Finding, Isolation, Measure, Name
from schemas.pacs import Completeness, Count, Modality, Version
from schemas.sealed import MAX_SEALED

Title = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Tag = Annotated[str, msgspec.Meta(pattern=r"^[^\s,][^,\n\r\t]{0,39}$(?!\n)")]
CommentText = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_SEALED)]
"""What a person wrote, sealed (`schemas.sealed`). Release 0.1 wrote it clear, so any text decodes."""


class FeedCreated(msgspec.Struct, frozen=True, kw_only=True):
    """A feed exists; its first event."""

    project: ProjectId
    feed: Uuid
    title: Title


class FeedRenamed(msgspec.Struct, frozen=True, kw_only=True):
    """The title changed."""

    title: Title


class FeedTagged(msgspec.Struct, frozen=True, kw_only=True):
    """A tag was put on."""

    tag: Tag


class FeedUntagged(msgspec.Struct, frozen=True, kw_only=True):
    """A tag was taken off."""

    tag: Tag


class InputAdded(msgspec.Struct, frozen=True, kw_only=True):
    """A study became an input; its series show from now on."""

    study: Key
    patient: Key


class FeedSeriesReceiving(msgspec.Struct, frozen=True, kw_only=True):
    """A series of an input began to arrive. Counts come from facts, not from events."""

    study: Key
    series: Key
    modality: Modality


class FeedSeriesAnonymized(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A version of a series is anonymized, with its quarantined instances and why; again when graded anew."""

    study: Key
    series: Key
    modality: Modality
    version: Version
    anonymized: Count
    quarantined: Count
    conflicts: Count
    attributes: SeriesAttributes
    reasons: Annotated[list[ReasonCount], msgspec.Meta(max_length=64)]
    completeness: Completeness | None = None
    """None: 0.1 settled the version."""
    grading: Count = 0
    """How often the version was graded anew."""
    since: Version = 1
    """The first version with all of these anonymized images: what used an earlier one lacks some."""
    outdated: Annotated[list[Uuid], msgspec.Meta(max_length=64)] = []
    """Runs of this feed that lack images from now on, for they used a version before `since`; at most 64."""


class RunQueued(msgspec.Struct, frozen=True, kw_only=True):
    """A plugin is to run on a version of a series."""

    job: Uuid
    series: Key
    version: Version
    plugin: Name


class RunStarted(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt of a run started."""

    job: Uuid
    attempt: Attempt
    isolation: Isolation


class RunSucceeded(msgspec.Struct, frozen=True, kw_only=True):
    """A run ended with a result."""

    job: Uuid
    outcome: Literal["measured", "not_a_volume"]
    artefacts: Annotated[list[Artefact], msgspec.Meta(max_length=32)]
    measures: Annotated[list[Measure], msgspec.Meta(max_length=64)]
    findings: Annotated[list[Finding], msgspec.Meta(max_length=32)]
    seconds: Annotated[float, msgspec.Meta(ge=0)]


class RunFailed(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt failed; `final` when it was the last one."""

    job: Uuid
    attempt: Attempt
    cause: Cause
    final: bool


class CommentPosted(msgspec.Struct, frozen=True, kw_only=True):
    """A person said something, in a sealed text."""

    comment: Uuid
    text: CommentText


class CommentEdited(msgspec.Struct, frozen=True, kw_only=True):
    """Its author changed a comment, in a sealed text; the earlier one stays in the history."""

    comment: Uuid
    text: CommentText
