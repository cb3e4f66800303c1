"""What may be dropped (``chips.live.v1``): progress between two durable events."""

from __future__ import annotations

from typing import Annotated

import msgspec

from schemas.identity import Key, ProjectId, Uuid
from schemas.pacs import Count
from schemas.sources import SourceView


class SeriesProgress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Counts of a series as a consumer knows them; each is a set's size, so a later message only grows it.

    A count is None when the sender does not know it.
    """

    project: ProjectId
    study: Key
    series: Key
    stored: Count | None = None
    anonymized: Count | None = None
    quarantined: Count | None = None


class JobProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run is."""

    project: ProjectId
    study: Key
    series: Key
    job: Uuid
    fraction: Annotated[float, msgspec.Meta(ge=0, le=1)]
    step: Annotated[str, msgspec.Meta(max_length=128)]


class SourceChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A source as it is shown now; one a source and second at most, the record before it."""

    shown: SourceView
