"""States of series, jobs and feeds: frozen structs, folded from events, small enough for a snapshot."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from schemas.envelope import Utc
from schemas.feed import FeedSeriesAnonymized
from schemas.identity import Key
from schemas.image import SeriesAttributes
from schemas.job import Artefact, Finding, Isolation, Measure, WorkOrder
from schemas.pacs import Completeness, Count
from schemas.views import CommentView
from streams.aggregates.handled import Handled

FEED_SCHEMA = 1
JOB_SCHEMA = 1
SERIES_SCHEMA = 2
"""Numbers of the snapshots' layouts: a change makes older snapshots be passed over."""


class SeriesState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A series as arrivals knows it.

    Attributes
    ----------
    version
        Of the stream.
    settled
        The last settled version; 0 when none is.
    gathering
        The version being gathered; equal to `settled` when nothing came since.
    rows
        Images (fact rows) that the last settled version counted.
    grading, completeness
        How often the last settled version was graded anew, and what it is; None when 0.1 settled it.
    """

    version: Count = 0
    settled: Count = 0
    gathering: Count = 1
    rows: Count = 0
    grading: Count = 0
    completeness: Completeness | None = None
    handled: Handled = Handled()


JobPhase = Literal["unknown", "requested", "leased", "running", "failed", "ended"]


class JobState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A job. `failed` means that a further attempt may be made, `ended` that none will.

    Attributes
    ----------
    fencing
        The highest fencing number that leased it: a report with a lower one is refused.
    attempt
        The attempt that is leased, running, or failed last.
    failures
        Attempts that failed.
    leases
        How often it was leased.
    """

    version: Count = 0
    order: WorkOrder | None = None
    phase: JobPhase = "unknown"
    fencing: Count = 0
    attempt: Count = 0
    failures: Count = 0
    leases: Count = 0
    succeeded: bool = False
    handled: Handled = Handled()


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a run found."""

    outcome: Literal["measured", "not_a_volume"]
    artefacts: list[Artefact]
    measures: list[Measure]
    findings: list[Finding]
    seconds: Annotated[float, msgspec.Meta(ge=0)]


class Run(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run of a feed. Each field only grows, so that reports in any order end the same.

    Attributes
    ----------
    started, isolation
        The highest attempt that started, and how.
    failed, cause
        The highest attempt that failed, and why.
    dead
        That no further attempt will be made.
    """

    job: str
    series: Key
    version: Count
    plugin: str
    started: Count = 0
    isolation: Isolation | None = None
    failed: Count = 0
    cause: str | None = None
    dead: bool = False
    ended: Outcome | None = None


class FeedSeries(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A series of a feed and its newest record."""

    study: Key
    series: Key
    modality: str
    record: FeedSeriesAnonymized | None = None

    @property
    def version(self) -> int:
        """The newest recorded version; 0 while the first is arriving."""
        return self.record.version if self.record else 0

    @property
    def since(self) -> int:
        """The first version with the images of the newest record: a run on an earlier one lacks some."""
        return self.record.since if self.record else 0

    def has(self, record: FeedSeriesAnonymized) -> bool:
        """Tell whether a record says nothing newer than the newest known."""
        known = self.record
        return known is not None and (known.version, known.grading) >= (record.version, record.grading)

    @property
    def attributes(self) -> SeriesAttributes:
        """What may be said of it."""
        return self.record.attributes if self.record else SeriesAttributes()


class FeedState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A feed, whole: decisions and views need nothing else. `version` 0 means that there is none yet."""

    version: Count = 0
    project: str = ""
    feed: str = ""
    title: str = ""
    created: Utc | None = None
    updated: Utc | None = None
    tags: tuple[str, ...] = ()
    inputs: dict[Key, Key] = {}
    """Patient of each study."""
    series: dict[Key, FeedSeries] = {}
    runs: dict[str, Run] = {}
    comments: dict[str, CommentView] = {}
    handled: Handled = Handled()
