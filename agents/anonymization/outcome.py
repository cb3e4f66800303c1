"""What comes of an object: anonymized bytes, or quarantine with a reason. Types without identities."""

from __future__ import annotations

from collections import Counter
from typing import Literal, TypeVar

import msgspec

from schemas.identity import Digest, Key
from schemas.image import ReasonCode, SeriesAttributes, Text
from schemas.pacs import Modality

What = Literal["kept", "replaced", "removed"]


class GroupCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to elements, at every depth; no values."""

    kept: int = 0
    replaced: int = 0
    removed: int = 0


class Tally:
    """Counts what happens to the elements of one object, by group and by reason; holds no values."""

    def __init__(self) -> None:
        self._groups: Counter[tuple[int, What]] = Counter()
        self._reasons: Counter[tuple[str, What]] = Counter()

    def count(self, tag: int, reason: str, before: bytes, after: bytes | None) -> None:
        """Count an element by what came of its value; None: it went."""
        self.add(tag, reason, "removed" if after is None else "kept" if after == before else "replaced")

    def add(self, tag: int, reason: str, what: What) -> None:
        """Count an element."""
        self._groups[tag >> 16, what] += 1
        self._reasons[reason, what] += 1

    def groups(self) -> dict[str, GroupCounts]:
        """Give the counts by group, hexadecimal."""
        return {f"{group:04x}": counts for group, counts in _by_first(self._groups).items()}

    def reasons(self) -> dict[str, GroupCounts]:
        """Give the counts by the reason of the decision."""
        return _by_first(self._reasons)


_First = TypeVar("_First", int, str)


def _by_first(counts: Counter[tuple[_First, What]]) -> dict[_First, GroupCounts]:
    return {
        first: GroupCounts(
            kept=counts[first, "kept"], replaced=counts[first, "replaced"], removed=counts[first, "removed"]
        )
        for first in sorted({first for first, _ in counts})
    }


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
    counts, reasons
        What happened to its elements: by group, hexadecimal, and by the reason of the decision.
    tools
        What decided beside the policy, with versions: detectors and codecs.
    face
        Whether a face can be seen in it, which is to be taken out with its whole series.
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
    reasons: dict[str, GroupCounts] = {}
    tools: tuple[str, ...] = ()
    face: bool = False

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
