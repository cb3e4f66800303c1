"""Command sets of DIMSE messages (PS3.7, 6.3 and annex E): implicit VR little endian. Pure."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from gateway.dul.pdus import Reason, Violation

_ELEMENT = struct.Struct("<HHI")
_SHORT = struct.Struct("<H")
_DATA_SET, _NO_DATA_SET = 0x0001, 0x0101
_LONGEST_UID = 64
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_MOST_ELEMENTS = 64

GROUP_LENGTH, SOP_CLASS, COMMAND_FIELD = 0x0000, 0x0002, 0x0100
REQUESTED_SOP_CLASS, MESSAGE_ID, RESPONDED_TO = 0x0003, 0x0110, 0x0120
DATA_SET_TYPE, STATUS, ERROR_COMMENT = 0x0800, 0x0900, 0x0902
SOP_INSTANCE, REQUESTED_SOP_INSTANCE = 0x1000, 0x1001
EVENT_TYPE, ACTION_TYPE = 0x1002, 0x1008


class Field(IntEnum):
    """Command Field (0000,0100) of requests; a response's is that of its request, and `RESPONSE`."""

    C_STORE = 0x0001
    C_ECHO = 0x0030
    N_EVENT_REPORT = 0x0100
    N_ACTION = 0x0130
    C_CANCEL = 0x0FFF


RESPONSE = 0x8000
SUCCESS = 0x0000
UNRECOGNIZED_OPERATION = 0x0211


class Command(NamedTuple):
    """A request or a response. UIDs are as they came, without padding, and may be any text: see `is_uid`."""

    field: int
    message_id: int
    sop_class_uid: str
    sop_instance_uid: str
    has_data_set: bool
    action_type: int
    responded_to: int = 0
    """Of a response: Message ID of its request."""
    status: int = 0
    """Of a response."""


def parse(data: bytes | bytearray) -> Command:
    """Read a command set.

    Raises
    ------
    Violation
        When it is none.
    """
    found: dict[int, bytes] = {}
    at, last = 0, -1
    while at < len(data):
        if len(data) - at < _ELEMENT.size or len(found) >= _MOST_ELEMENTS:
            raise _wrong("is cut or too long")
        group, number, length = _ELEMENT.unpack_from(data, at)
        at += _ELEMENT.size
        if group or number <= last or at + length > len(data):
            raise _wrong("holds what is no command element")
        found[number] = bytes(data[at : at + length])
        at, last = at + length, number
    field = _short(found, COMMAND_FIELD)
    if field is None:
        raise _wrong("has no command field")
    return Command(
        field=field,
        message_id=_short(found, MESSAGE_ID) or 0,
        sop_class_uid=_uid(found, SOP_CLASS) or _uid(found, REQUESTED_SOP_CLASS),
        sop_instance_uid=_uid(found, SOP_INSTANCE) or _uid(found, REQUESTED_SOP_INSTANCE),
        has_data_set=_short(found, DATA_SET_TYPE) not in (None, _NO_DATA_SET),
        action_type=_short(found, ACTION_TYPE) or 0,
        responded_to=_short(found, RESPONDED_TO) or 0,
        status=_short(found, STATUS) or 0,
    )


def response(
    request: Command, status: int, comment: str = "", more: Mapping[int, bytes] | None = None
) -> bytes:
    """Give the command set that answers a request, without a data set.

    Parameters
    ----------
    status, comment
        Status and Error Comment (at most 64 ASCII characters, empty for none).
    more
        Further elements by number.
    """
    return encode(
        {
            SOP_CLASS: uid_value(request.sop_class_uid),
            COMMAND_FIELD: short_value(request.field | RESPONSE),
            RESPONDED_TO: short_value(request.message_id),
            DATA_SET_TYPE: short_value(_NO_DATA_SET),
            STATUS: short_value(status),
            ERROR_COMMENT: _padded(comment.encode("ascii", "replace")[:64], b" "),
            SOP_INSTANCE: uid_value(request.sop_instance_uid),
            **(more or {}),
        }
    )


def event_report(sop_class_uid: str, sop_instance_uid: str, message_id: int, event_type: int) -> bytes:
    """Give the command set of an N-EVENT-REPORT-RQ, which a data set follows."""
    return encode(
        {
            SOP_CLASS: uid_value(sop_class_uid),
            COMMAND_FIELD: short_value(Field.N_EVENT_REPORT),
            MESSAGE_ID: short_value(message_id),
            DATA_SET_TYPE: short_value(_DATA_SET),
            SOP_INSTANCE: uid_value(sop_instance_uid),
            EVENT_TYPE: short_value(event_type),
        }
    )


def encode(elements: Mapping[int, bytes]) -> bytes:
    """Give a command set; elements without a value are left out, and the group length comes first."""
    body = b"".join(
        _ELEMENT.pack(0, number, len(value)) + value for number, value in sorted(elements.items()) if value
    )
    return _ELEMENT.pack(0, GROUP_LENGTH, 4) + struct.pack("<I", len(body)) + body


def is_uid(text: str) -> bool:
    """Tell whether a text is a UID (PS3.5, 9.1), leniently: leading zeros do occur."""
    return len(text) <= _LONGEST_UID and _UID.fullmatch(text) is not None


def short_value(number: int) -> bytes:
    """Give a US."""
    return _SHORT.pack(number)


def uid_value(uid: str) -> bytes:
    """Give a UI."""
    return _padded(uid.encode("ascii", "replace"), b"\0")


def _padded(value: bytes, pad: bytes) -> bytes:
    return value + pad * (len(value) % 2)


def _short(found: Mapping[int, bytes], number: int) -> int | None:
    value = found.get(number)
    if value is None:
        return None
    if len(value) != _SHORT.size:
        raise _wrong("has a number that is none")
    return int(_SHORT.unpack(value)[0])


def _uid(found: Mapping[int, bytes], number: int) -> str:
    return found.get(number, b"").rstrip(b"\0 ").decode("ascii", "replace")


def _wrong(what: str) -> Violation:
    return Violation(Reason.INVALID_PARAMETER, f"A command set {what}.")
