"""What is asked and answered: lists of references to objects, as data sets (PS3.4, J.3). Pure."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from gateway.dul.commands import is_uid, uid_value
from gateway.elements import UNDEFINED, Walker
from gateway.part10 import Bounds, Malformed, encoding_of

SOP_CLASS = "1.2.840.10008.1.20.1"
SOP_INSTANCE = "1.2.840.10008.1.20.1.1"
"""The well-known instance that requests are made to."""
REQUEST = 1
"""The only action type."""
SYNTAXES = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")
LARGEST = 16 * 1024 * 1024
"""Bytes of a request; one of 100,000 objects has 15 MB."""

ALL_KEPT, SOME_NOT = 1, 2
"""Event types of a report."""
NO_SUCH_INSTANCE, OTHER_CLASS = 0x0112, 0x0119
"""Failure Reason (0008,1197)."""

_TRANSACTION, _FAILED, _REFERENCED = 0x00081195, 0x00081198, 0x00081199
_CLASS, _INSTANCE, _REASON = 0x00081150, 0x00081155, 0x00081197
_MOST = 200_000
_BOUNDS = Bounds(depth=8, elements=100_000, bytes_per_element=20, elements_at_most=8 * _MOST)
"""An item and its two UIDs have 60 bytes; items of nothing would keep a process busy for seconds."""


class Reference(NamedTuple):
    """An object, by its UIDs; of the inner zone, for no log."""

    sop_class_uid: str
    sop_instance_uid: str


class Asked(NamedTuple):
    """A request for commitment."""

    transaction_uid: str
    references: tuple[Reference, ...]


class Failure(NamedTuple):
    """An object that is not kept, and why."""

    reference: Reference
    reason: int


def parse(data: bytes, transfer_syntax: str) -> Asked:
    """Read the data set of a request.

    Raises
    ------
    Malformed
        When it is none.
    """
    transaction = ""
    references: list[Reference] = []
    current = ["", ""]
    inside = False
    for element in Walker(data, 0, encoding_of(transfer_syntax), _BOUNDS):
        if not element.depth:
            inside = element.tag == _REFERENCED
        if element.length == UNDEFINED or element.tag not in (_TRANSACTION, _CLASS, _INSTANCE):
            continue
        value = data[element.offset : element.offset + element.length]
        uid = value.rstrip(b"\0 ").decode("ascii", "replace")
        if element.tag == _TRANSACTION and not element.depth:
            transaction = uid
        elif inside and element.depth == 1:
            current[element.tag == _INSTANCE] = uid
            if element.tag == _INSTANCE:  # the second of the two, by the order of tags
                references.append(Reference(*current))
                current = ["", ""]
    if not is_uid(transaction):
        raise Malformed("bad-uid", "Transaction UID is missing or not valid.")
    if not references or not all(is_uid(uid) for reference in references for uid in reference):
        raise Malformed("bad-uid", "A Referenced SOP Class or Instance UID is missing or not valid.")
    return Asked(transaction, tuple(references))


def report(asked: Asked, failures: Sequence[Failure], transfer_syntax: str) -> bytes:
    """Write the data set of a report; what failed in the order asked for."""
    failed = {failure.reference for failure in failures}
    kept = [reference for reference in asked.references if reference not in failed]
    write = _Writer(implicit=encoding_of(transfer_syntax).implicit)
    return b"".join(
        (
            write.element(_TRANSACTION, b"UI", uid_value(asked.transaction_uid)),
            write.sequence(_FAILED, [(failure.reference, failure.reason) for failure in failures]),
            write.sequence(_REFERENCED, [(reference, None) for reference in kept]),
        )
    )


class _Writer:
    """Writes little endian."""

    def __init__(self, *, implicit: bool) -> None:
        self._implicit = implicit

    def element(self, tag: int, vr: bytes, value: bytes) -> bytes:
        head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
        if self._implicit:
            return head + struct.pack("<I", len(value)) + value
        if vr == b"SQ":
            return head + vr + struct.pack("<xxI", len(value)) + value
        return head + vr + struct.pack("<H", len(value)) + value

    def sequence(self, tag: int, items: Sequence[tuple[Reference, int | None]]) -> bytes:
        """Give a sequence of references, with reasons where there are any; nothing without items."""
        if not items:
            return b""
        return self.element(tag, b"SQ", b"".join(self._item(*item) for item in items))

    def _item(self, reference: Reference, reason: int | None) -> bytes:
        content = (
            self.element(_CLASS, b"UI", uid_value(reference.sop_class_uid))
            + self.element(_INSTANCE, b"UI", uid_value(reference.sop_instance_uid))
            + (b"" if reason is None else self.element(_REASON, b"US", struct.pack("<H", reason)))
        )
        return b"\xfe\xff\x00\xe0" + struct.pack("<I", len(content)) + content
