"""Bodies of fact rows: immutable, upserted under deterministic keys, counted as sets.

A fact row is (project, kind, scope, key) and a body. No identifying value stands in any of them.

Kinds by scope. Of a series: stored, anonymized, quarantined, faced, association_ended, announced,
study_of_series. Of a version of a series (``<series>.<version>``), of images that are faced: anonymized,
quarantined. Of a study: series, feed_of_study. Of a project: study.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from schemas.envelope import Utc
from schemas.identity import BlobRef, Digest, Key, Uuid
from schemas.image import ReasonCode, SeriesAttributes, Text
from schemas.pacs import Authority, Count, Modality, Placement, Uid, Version


class StoredInstance(msgspec.Struct, frozen=True, kw_only=True):
    """Key ``<instance>.<digest>``: a second row of an instance is a conflict; the first received wins."""

    instance: Key
    digest: Digest
    blob: BlobRef
    sop_class_uid: Uid
    modality: Modality
    association: Uuid
    received: Utc
    version: Version | None = None
    """The first version of the series that has it. None: written before facts told; every version has it."""
    placement: Placement | None = None


class EndedAssociation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Key: the association. 0.1 wrote the outcome alone, as a string."""

    outcome: Literal["released", "aborted", "lost"]
    instances: Count = 0
    ended: Utc | None = None
    began: Utc | None = None
    left: bool = False
    refused: Count = 0


class AnnouncedSeries(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Key ``<announcement>.<part>``: what somebody said that a series consists of."""

    announcement: Uuid
    by: Authority
    told: Utc
    instances: Count
    listed: list[Key] = []
    part: Count = 0


class AnonymizedInstance(msgspec.Struct, frozen=True, kw_only=True):
    """Key ``<instance>.<digest>`` of the original."""

    instance: Key
    digest: Digest
    blob: BlobRef
    policy: Text
    attributes: SeriesAttributes


class QuarantinedInstance(msgspec.Struct, frozen=True, kw_only=True):
    """Key ``<instance>.<digest>`` of the original, which stays in the vault."""

    instance: Key
    digest: Digest
    reason: ReasonCode
    message: Text
    policy: Annotated[str, msgspec.Meta(max_length=64)]


class FacedInstance(msgspec.Struct, frozen=True, kw_only=True):
    """Key ``<instance>.<digest>`` of the original: it may come out, once its face went with its series.

    What became of it is told by each version's own facts; those of the series count it for the live page.
    """

    instance: Key
    digest: Digest


class SeriesOfStudy(msgspec.Struct, frozen=True, kw_only=True):
    """Key: the series."""

    patient: Key
    study: Key
    series: Key
    modality: Modality


class StudyOfProject(msgspec.Struct, frozen=True, kw_only=True):
    """Key: the study."""

    patient: Key
    study: Key


class FeedOfStudy(msgspec.Struct, frozen=True, kw_only=True):
    """Key: the feed that has the study as an input."""

    feed: Uuid
