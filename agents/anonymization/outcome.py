"""What comes of an object: anonymized bytes, or quarantine with a reason. Types without identities."""

from __future__ import annotations

import msgspec

from schemas.identity import Digest, Key
from schemas.image import ReasonCode, SeriesAttributes, Text
from schemas.pacs import Modality


class GroupCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to the elements of one group (the first half of the tag), at every depth; no values."""

    kept: int = 0
    replaced: int = 0
    removed: int = 0


class Anonymized(msgspec.Struct, frozen=True, kw_only=True):
    """An object that may leave the inner zone.

    Attributes
    ----------
    content
        The DICOM Part 10 file: same input, key and policy, same bytes.
    sha256
        Of `content`.
    patient, study, series, instance
        Pseudonymous keys.
    attributes, modality, instance_number, number_of_frames
        What cards and manifests may say, read from the anonymized object.
    policy
        The policy's label.
    counts
        By group, hexadecimal.
    """

    content: bytes
    sha256: Digest
    patient: Key
    study: Key
    series: Key
    instance: Key
    sop_class_uid: str
    transfer_syntax_uid: str
    modality: Modality
    instance_number: int | None
    number_of_frames: int
    attributes: SeriesAttributes
    policy: str
    counts: dict[str, GroupCounts]

    def __repr__(self) -> str:
        """Leave the bytes out of logs."""
        return f"Anonymized(instance={self.instance!r}, {len(self.content)} bytes)"


class Quarantine(msgspec.Struct, frozen=True, kw_only=True):
    """An object that stays in the inner zone.

    Attributes
    ----------
    reason
        A short code, to count by.
    message
        The reason in words, for people; holds no value of the object.
    policy
        The policy's label.
    """

    reason: ReasonCode
    message: Text
    policy: str


class Refusal(Exception):  # noqa: N818 - a decision that travels up, not an error anybody sees
    """Raised inside this package where an object turns out to be one for quarantine."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
