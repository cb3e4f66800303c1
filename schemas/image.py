"""Events of the outer zone's ``chips.image.v1``: anonymized images, keyed by series. No identities."""

from __future__ import annotations

from typing import Annotated

import msgspec

from schemas.identity import BlobRef, Key, ProjectId
from schemas.pacs import Completeness, Count, Modality, Version

ReasonCode = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{1,63}$(?!\n)")]
Text = Annotated[str, msgspec.Meta(max_length=256)]


class SeriesAttributes(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a card may say of a series: anonymized attributes only, each retained by the policy.

    Names are the DICOM keywords in snake case; units as in DICOM (mm).
    """

    body_part_examined: Text | None = None
    patient_sex: Text | None = None
    patient_age: Text | None = None
    """DICOM AS, for example 054Y."""
    series_description: Text | None = None
    study_description: Text | None = None
    rows: int | None = None
    columns: int | None = None
    slice_thickness: float | None = None
    """mm."""


class ReasonCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many instances stand in quarantine for one reason, and the reason in words."""

    reason: ReasonCode
    message: Text
    instances: Count


class SeriesReceiving(msgspec.Struct, frozen=True, kw_only=True):
    """The first image of a series arrived. Only pseudonyms and the modality are known yet."""

    project: ProjectId
    patient: Key
    study: Key
    series: Key
    modality: Modality


class SeriesAnonymized(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Every instance of a settled version is anonymized or in quarantine; again when graded anew."""

    project: ProjectId
    patient: Key
    study: Key
    series: Key
    modality: Modality
    version: Version
    anonymized: Count
    quarantined: Count
    conflicts: Count
    manifest: BlobRef | None
    """The list of anonymized instances (`SeriesManifest`); none when all are in quarantine."""
    policy: Text
    attributes: SeriesAttributes
    reasons: Annotated[list[ReasonCount], msgspec.Meta(max_length=64)]
    completeness: Completeness | None = None
    """None: 0.1 settled the version."""
    grading: Count = 0
    """How often the version was graded anew."""
    since: Version = 1
    """The first version with all of these anonymized images: what used an earlier one lacks some."""


class InstanceQuarantined(msgspec.Struct, frozen=True, kw_only=True):
    """An instance stays in the inner zone because it can't be shown to be safe."""

    project: ProjectId
    study: Key
    series: Key
    instance: Key
    reason: ReasonCode
    message: Text


class ManifestEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One anonymized instance of a manifest."""

    instance: Key
    blob: BlobRef


class SeriesManifest(msgspec.Struct, frozen=True, kw_only=True):
    """The anonymized instances of one version, sorted by key, so that the same set has the same digest."""

    project: ProjectId
    series: Key
    instances: list[ManifestEntry]
