"""What comes of an object: anonymized bytes, or quarantine with a reason. Types without identities."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Literal, TypeVar

import msgspec

from schemas.identity import Digest, Key
from schemas.image import ReasonCode, SeriesAttributes, Text
from schemas.pacs import Modality
from streams.copying import Spliced

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

    def add(self, tag: int, reason: str, what: What, times: int = 1) -> None:
        """Count elements of a group."""
        self._groups[tag >> 16, what] += times
        self._reasons[reason, what] += times

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
    output
        The DICOM Part 10 file: same input, key and policy, same bytes. Of a file on disk its pixels may be
        yet to be copied; that file must not change until then.
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

    output: bytes | Spliced
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

    @property
    def content(self) -> bytes:
        """The file's bytes, read now if they were not; raises OSError when they can't be."""
        return self.output if isinstance(self.output, bytes) else self.output.read()

    @property
    def sha256(self) -> Digest:
        """The sha256 of `content`, computed now; `streams.copying.write` computes it while it copies."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of `content`."""
        return len(self.output) if isinstance(self.output, bytes) else self.output.size

    def __repr__(self) -> str:
        """Leave the bytes out of logs."""
        return f"Anonymized(instance={self.instance!r}, {self.size} bytes)"


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
