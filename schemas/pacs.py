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
    """sha256 of the data set behind file meta information of ours: the same image whatever the way in."""
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
    left: bool = False
    """It brought the images of this series in one go, and went on to another series before it ended."""
    refused: Count = 0
    """Objects that were refused before or behind images of this series, and so may have been of it."""


class SeriesDue(msgspec.Struct, frozen=True, kw_only=True):
    """A series' deadline passed: look whether it is settled. Decided in key order, by the one consumer."""

    project: ProjectId
    series: Key
    due: Utc


Authority = Literal["announcement", "commitment", "query", "retrieve"]
"""Who said how many images a series has: an integration or a person, storage commitment, C-FIND, C-MOVE."""


class SeriesAnnounced(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody says what a series consists of: how many images, or which."""

    project: ProjectId
    series: Key
    announcement: Uuid
    """The same for all parts of a list."""
    by: Authority
    instances: Annotated[int, msgspec.Meta(ge=1)]
    """In all, also when they are listed in parts."""
    listed: Annotated[list[Key], msgspec.Meta(max_length=1000)] = []
    """Which; none: only their number is told."""
    part: Count = 0


Grade = Literal["quiescent", "complete_expected", "complete_assumed", "partial"]
"""quiescent: no image comes, but an association that brought some is still open. complete_expected: what
arrived is what was announced. complete_assumed: nothing speaks against it. partial: something does."""

Lack = Literal["shortfall", "aborted", "lost", "refused", "unended", "number-gap", "position-gap"]
"""shortfall: fewer than announced. aborted, lost: an association that brought images broke off, and none
came back for the rest. refused: objects beside its images were not kept, and none came back with them.
unended: an association's end is not told. number-gap, position-gap: images are missing between others."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Instance Numbers that are missing, both included."""

    first: Number
    last: Number


class Hole(msgspec.Struct, frozen=True, kw_only=True):
    """Slices that are missing between two positions along the normal, mm."""

    after: float
    before: float
    slices: Count


class Completeness(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How whole a version of a series is, and the evidence for it."""

    grade: Grade
    received: Count
    """Distinct instances."""
    lacks: Annotated[list[Lack], msgspec.Meta(max_length=8)] = []
    """What speaks against its being whole."""
    expected: Count | None = None
    by: Authority | None = None
    """Who told last what is expected."""
    missing: Count = 0
    """Images that are known to be missing, at least."""
    surplus: Count = 0
    """Images beyond what was announced, which says nothing of the whole then."""
    numbers: Literal["contiguous", "gaps", "unknown"] = "unknown"
    gaps: Annotated[list[Span], msgspec.Meta(max_length=16)] = []
    """The first ones."""
    positions: Literal["uniform", "gaps", "unknown"] = "unknown"
    holes: Annotated[list[Hole], msgspec.Meta(max_length=16)] = []
    """The first ones."""
    broken: Annotated[list[Uuid], msgspec.Meta(max_length=16)] = []
    """Associations that broke off or are still open, the first ones."""
    left: Count = 0
    """Associations that broke off when they had gone on to another series: no evidence against this one."""


class SeriesSettled(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """No more images are expected; later ones reopen the series as the next version.

    Told again, with the next `grading`, when there is other evidence of the same images.
    """

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
    completeness: Completeness | None = None
    """None: 0.1 wrote the event."""
    grading: Count = 0


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


class SourceAssociations(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Associations of one source."""

    source: SourceName
    open: Count = 0
    """Now."""
    opened: Count = 0
    """Since it was last told."""
    last: Utc | None = None
    """When the last one was opened."""


class AssociationsCounted(msgspec.Struct, frozen=True, kw_only=True):
    """Who has associations open; told when that changed, at most once a second, and when a gateway starts.

    Each tells everything, so that a lost end, as of a gateway that died, stays wrong until the next one only.
    It has no addresses: nothing that is shown needs them.
    """

    project: ProjectId
    sources: Annotated[list[SourceAssociations], msgspec.Meta(max_length=256)]
    """That have one open, or opened one since it was last told."""
    configured: Annotated[list[SourceName], msgspec.Meta(max_length=256)]
    """Sources that the gateway's file names."""


TestOutcome = Literal["ok", "unreachable", "tls-failed", "silent", "rejected", "no-echo", "failed"]
"""ok: C-ECHO succeeded. unreachable: no connection. tls-failed: no TLS on it. silent: no answer in time.
rejected: the association was refused. no-echo: it does not offer Verification. failed: it answered with
another status, or broke off."""


class SourceTested(msgspec.Struct, frozen=True, kw_only=True):
    """An operator had a source tested with a C-ECHO to where its answers go."""

    project: ProjectId
    source: SourceName
    outcome: TestOutcome
    seconds: Annotated[float, msgspec.Meta(ge=0)]
