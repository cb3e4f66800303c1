"""Protocol data units (PS3.8, 9.3): their frames, and the fragments in those that carry data. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple


class Kind(IntEnum):
    """PDU types."""

    ASSOCIATE_RQ = 1
    ASSOCIATE_AC = 2
    ASSOCIATE_RJ = 3
    P_DATA_TF = 4
    RELEASE_RQ = 5
    RELEASE_RP = 6
    ABORT = 7


class Reason(IntEnum):
    """Why a provider aborts (PS3.8, table 9-26)."""

    NOT_SPECIFIED = 0
    UNRECOGNIZED_PDU = 1
    UNEXPECTED_PDU = 2
    UNRECOGNIZED_PARAMETER = 4
    UNEXPECTED_PARAMETER = 5
    INVALID_PARAMETER = 6


class Violation(Exception):  # noqa: N818 - what the peer did, not an error of ours
    """The peer does what no conforming peer does; its association is aborted.

    Attributes
    ----------
    reason
        What the abort says.
    """

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Fragment(NamedTuple):
    """A presentation data value (PS3.8, 9.3.5.1): a piece of a command or of a data set."""

    context_id: int
    is_command: bool
    is_last: bool
    data: memoryview


HEAD = struct.Struct(">BxI")
"""Type and length of what follows, bytes."""
_VALUE = struct.Struct(">IBB")
_COMMAND, _LAST = 1, 2
_SERVICE_USER, _SERVICE_PROVIDER = 0, 2
_LEAST = 1024

RELEASE_RP = HEAD.pack(Kind.RELEASE_RP, 4) + bytes(4)


def fragments(body: memoryview) -> Iterator[Fragment]:
    """Give the fragments of a P-DATA-TF; they are views of its body.

    Raises
    ------
    Violation
        When lengths or control headers can't be so.
    """
    at, end = 0, len(body)
    if not end:
        raise Violation(Reason.INVALID_PARAMETER, "A P-DATA-TF without a value.")
    while at < end:
        if end - at < _VALUE.size:
            raise Violation(Reason.INVALID_PARAMETER, "A presentation data value is cut.")
        length, context_id, control = _VALUE.unpack_from(body, at)
        stop = at + 4 + length
        if length < 2 or stop > end or control > _COMMAND | _LAST:  # noqa: PLR2004 - context and control header
            raise Violation(
                Reason.INVALID_PARAMETER, "A presentation data value's length or header is wrong."
            )
        yield Fragment(
            context_id, bool(control & _COMMAND), bool(control & _LAST), body[at + _VALUE.size : stop]
        )
        at = stop


def command_pdu(context_id: int, command: bytes) -> bytes:
    """Give a P-DATA-TF that carries a whole command; commands of ours fit any PDU."""
    return _data_pdu(context_id, command, _COMMAND | _LAST)


def data_set_pdus(context_id: int, data: bytes, largest: int) -> Iterator[bytes]:
    """Give P-DATA-TFs that carry a data set.

    Parameters
    ----------
    largest
        Bytes of a PDU's body that the peer takes; 0 when it takes any. Who takes less than `_LEAST` is sent
        as many: else a peer could have a report in pieces of a byte, or in none.
    """
    step = max(largest or len(data) + _VALUE.size, _LEAST) - _VALUE.size
    for at in range(0, len(data), step):
        yield _data_pdu(context_id, data[at : at + step], _LAST if at + step >= len(data) else 0)


def abort_pdu(reason: Reason | None = None) -> bytes:
    """Give an A-ABORT: of the provider, for a reason, or of the user when there is none to give."""
    source = _SERVICE_USER if reason is None else _SERVICE_PROVIDER
    return HEAD.pack(Kind.ABORT, 4) + bytes((0, 0, source, reason or 0))


def _data_pdu(context_id: int, data: bytes, control: int) -> bytes:
    return (
        HEAD.pack(Kind.P_DATA_TF, _VALUE.size + len(data))
        + _VALUE.pack(2 + len(data), context_id, control)
        + data
    )
