"""What pages read about who sends: one view a source, kept beside the streams (``records``), no history.

Times are what happened, not what a window holds: a page counts its last minute and hour by its own clock,
so that nothing is told while nothing happens.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from schemas.envelope import Utc
from schemas.identity import Key, ProjectId, Uuid
from schemas.pacs import Count, Grade, Lack, Modality, Reason, SourceName, TestOutcome

FORMAT = 1
"""Of `Sources`; one of another format is made anew from the topic."""
RECORD = "sources"
"""Kind and key of the record that holds `Sources`."""

Slice = tuple[int, int, int]
"""Start (s since 1970), images, bytes."""
Times = tuple[int, int]
"""Start of a minute (s since 1970), how often."""


class RefusalCount(msgspec.Struct, frozen=True, kw_only=True):
    """What was refused for one reason, lately."""

    kind: Literal["association", "object"]
    reason: Reason
    last: Utc
    minutes: Annotated[list[Times], msgspec.Meta(max_length=64)]
    """By the minute in which they were told, of the hour before `last`."""


class IncompleteSeries(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A series that is arriving, waits for its sender, or lacks something."""

    series: Key
    study: Key
    feed: Uuid
    """That the default rule opens for its study."""
    modality: Modality
    state: Literal["open"] | Grade
    """open: it is arriving, or was sent again."""
    images: Count
    """While it is open: received since then, repeats included; else its distinct ones."""
    last: Utc
    """When its last image came."""
    missing: Count = 0
    """Images that are known to be missing, at least."""
    lacks: Annotated[list[Lack], msgspec.Meta(max_length=8)] = []


class ConnectionTest(msgspec.Struct, frozen=True, kw_only=True):
    """The last ``chips sources test``."""

    outcome: TestOutcome
    at: Utc
    seconds: Annotated[float, msgspec.Meta(ge=0)]


class SourceView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A source as it is shown."""

    project: ProjectId
    source: SourceName
    """Name of the configured source, or a valid AE title; empty: who gave none, and who are too many."""
    version: Count
    """A higher one is newer."""
    is_configured: bool = False
    since: Utc | None = None
    """When it was first seen, as far back as the topic goes; None: never."""
    seen: Utc | None = None
    """When it last connected, sent something or was refused."""
    associations: Count = 0
    """Open now."""
    images: Count = 0
    """Acknowledged since `since`, repeats included."""
    bytes: Count = 0
    recent: Annotated[list[Slice], msgspec.Meta(max_length=8)] = []
    """Slices of 10 s of the minute before the last image."""
    minutes: Annotated[list[Slice], msgspec.Meta(max_length=64)] = []
    """Slices of a minute of the hour before the last image."""
    refusals: Annotated[list[RefusalCount], msgspec.Meta(max_length=16)] = []
    incomplete: Annotated[list[IncompleteSeries], msgspec.Meta(max_length=32)] = []
    """Those of which an image came last."""
    test: ConnectionTest | None = None


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """All sources, and how far the topic was read for them: what is kept is exact after any crash."""

    format: int = FORMAT
    offsets: dict[str, int] = {}
    """The next offset by partition."""
    sources: list[SourceView] = []
