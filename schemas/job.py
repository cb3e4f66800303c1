"""Work orders, their states (``chips.job.v1``, keyed by job) and results (``chips.result.v1``, by series)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from schemas.identity import BlobRef, Key, ProjectId, Uuid
from schemas.pacs import Count, Modality, Version

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,63}$(?!\n)")]
Cause = Annotated[str, msgspec.Meta(max_length=512)]
Attempt = Annotated[int, msgspec.Meta(ge=1)]
Fencing = Annotated[int, msgspec.Meta(ge=1)]
Isolation = Literal["docker", "subprocess"]
Unit = Annotated[str, msgspec.Meta(max_length=32)]


class WorkOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One plugin to run on one version of a series."""

    project: ProjectId
    job: Uuid
    """uuid5 of (plugin and its version, series, manifest digest): the same work is the same job."""
    study: Key
    series: Key
    version: Version
    modality: Modality
    plugin: Name
    plugin_version: Annotated[str, msgspec.Meta(max_length=32)]
    manifest: BlobRef


class JobRequested(msgspec.Struct, frozen=True, kw_only=True):
    """The work order exists; any runner may take it."""

    order: WorkOrder


class JobLeased(msgspec.Struct, frozen=True, kw_only=True):
    """A runner holds the lease; reports with a lower fencing number are refused from now on."""

    project: ProjectId
    job: Uuid
    runner: Annotated[str, msgspec.Meta(max_length=128)]
    fencing: Fencing
    attempt: Attempt


class JobRunning(msgspec.Struct, frozen=True, kw_only=True):
    """The step's process started."""

    project: ProjectId
    job: Uuid
    fencing: Fencing
    attempt: Attempt
    isolation: Isolation


class Artefact(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a plugin made. Roles: volume, key_slice, mip, render, strip."""

    name: Annotated[str, msgspec.Meta(max_length=128)]
    role: Name
    blob: BlobRef


class Measure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A number with its UCUM unit (mm, mL, 1, [hnsf'U])."""

    name: Name
    value: float
    unit: Unit
    label: Annotated[str, msgspec.Meta(max_length=128)] | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something noteworthy about the input: a gap, a duplicate, a missing spacing."""

    code: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{1,63}$(?!\n)")]
    severity: Literal["info", "warning", "error"]
    message: Annotated[str, msgspec.Meta(max_length=512)]


class JobSucceeded(msgspec.Struct, frozen=True, kw_only=True):
    """The step ended well; `outcome` says whether the series was a volume."""

    project: ProjectId
    job: Uuid
    fencing: Fencing
    attempt: Attempt
    outcome: Literal["measured", "not_a_volume"]
    seconds: Annotated[float, msgspec.Meta(ge=0)]
    artefacts: Annotated[list[Artefact], msgspec.Meta(max_length=32)]
    measures: Annotated[list[Measure], msgspec.Meta(max_length=64)]
    findings: Annotated[list[Finding], msgspec.Meta(max_length=32)]


class JobFailed(msgspec.Struct, frozen=True, kw_only=True):
    """The step ended badly; `final` when no further attempt will be made."""

    project: ProjectId
    job: Uuid
    fencing: Fencing
    attempt: Attempt
    cause: Cause
    final: bool


class ResultPublished(msgspec.Struct, frozen=True, kw_only=True):
    """What a plugin found in a version of a series; the first published result of a job wins."""

    project: ProjectId
    study: Key
    series: Key
    version: Version
    job: Uuid
    plugin: Name
    plugin_version: Annotated[str, msgspec.Meta(max_length=32)]
    outcome: Literal["measured", "not_a_volume"]
    instances: Count
    artefacts: Annotated[list[Artefact], msgspec.Meta(max_length=32)]
    measures: Annotated[list[Measure], msgspec.Meta(max_length=64)]
    findings: Annotated[list[Finding], msgspec.Meta(max_length=32)]
