"""Events of the inner zone's ``chips.pacs.v1``: what the hospital sent, keyed by series.

They carry keys and references, no identifying value; the originals lie in the vault.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from schemas.envelope import Utc
from schemas.identity import BlobRef, Digest, Key, ProjectId, Uuid

Count = Annotated[int, msgspec.Meta(ge=0)]
Version = Annotated[int, msgspec.Meta(ge=1)]
Uid = Annotated[str, msgspec.Meta(pattern=r"^[0-9.]{1,64}$(?!\n)")]
Modality = Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9_]{1,16}$(?!\n)")]
"""DICOM Modality (0008,0060), or OT when the object has none that the standard knows."""


Reason = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,64}$(?!\n)")]
"""A word of ours, as metrics have it."""
SourceName = Annotated[str, msgspec.Meta(max_length=64)]
"""Name of the configured source, or the calling AE title; empty when there is none."""
Address = Annotated[str, msgspec.Meta(max_length=64)]
"""An IP address."""

Number = Annotated[int, msgspec.Meta(ge=-(10**12), le=10**12)]


class Placement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where an object stands in its series, as its header says; None: it does not, or not understandably."""

    number: Number | None = None
    """Instance Number (0020,0013)."""
    acquisition: Number | None = None
    """Acquisition Number (0020,0012)."""
    temporal: Number | None = None
    """Temporal Position Identifier (0020,0100)."""
    position: float | None = None
    """Of the first voxel along the normal of the image's plane, mm."""
    normal: tuple[float, float, float] | None = None
    """Of the image's plane, a unit vector in patient coordinates."""


class InstanceStored(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An object is durable in the vault and its sender was told so."""

    project: ProjectId
    patient: Key
    study: Key
    series: Key
    instance: Key
    digest: Digest
    """sha256 of (transfer syntax, data set without file meta): the same image whatever the way in."""
    blob: BlobRef
    sop_class_uid: Uid
    transfer_syntax_uid: Uid
    modality: Modality
    association: Uuid
    origin: Annotated[str, msgspec.Meta(max_length=64)]
    """Name of the configured source, or the calling AE title."""
    received: Utc
    placement: Placement | None = None
    """None: its header tells nothing of it, or 0.1 wrote the event."""


class AssociationEnded(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An association that carried images of this series is over; told to each series it carried."""

    project: ProjectId
    series: Key
    association: Uuid
    outcome: Literal["released", "aborted", "lost"]
    instances: Count
    """Images of this series that the association stored."""
    began: Utc | None = None
    """When the association was accepted. None: 0.1 wrote the event."""


class SeriesDue(msgspec.Struct, frozen=True, kw_only=True):
    """A series' deadline passed: look whether it is settled. Decided in key order, by the one consumer."""

    project: ProjectId
    series: Key
    due: Utc


class SeriesSettled(msgspec.Struct, frozen=True, kw_only=True):
    """No more images are expected; later ones reopen the series as the next version."""

    project: ProjectId
    patient: Key
    study: Key
    series: Key
    modality: Modality
    version: Version
    instances: Count
    conflicts: Count
    """Instances of which other bytes arrived under the same SOP Instance UID; all are kept."""
    evidence: Literal["released", "aborted", "lost", "quiet"]


class SeriesReopened(msgspec.Struct, frozen=True, kw_only=True):
    """Images came after the series was settled; `version` is the one now being gathered."""

    project: ProjectId
    study: Key
    series: Key
    version: Version


class AssociationRefused(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Requestors were sent away; one event tells of all of a source and a reason within a minute."""

    project: ProjectId
    source: SourceName
    reason: Reason
    count: Annotated[int, msgspec.Meta(ge=1)]
    since: Utc
    until: Utc
    address: Address | None = None
    """Of the last one."""


class ObjectRefused(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Objects were not kept, as was answered; one event tells of a source and a reason within a minute."""

    project: ProjectId
    source: SourceName
    reason: Reason
    count: Annotated[int, msgspec.Meta(ge=1)]
    since: Utc
    until: Utc
    address: Address | None = None
    association: Uuid | None = None
    """That brought the last one."""
