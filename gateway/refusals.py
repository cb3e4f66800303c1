"""Why an object is refused, as its sender hears it (PS3.4 B.2.3, PS3.7 C). Pure.

======  ==============================  =========================================================
status  reason                          when
======  ==============================  =========================================================
0xA700  no-room                         less than the reserve is free, or the disk is full: transient
0xA700  vault-failed                    the vault or its journal can't be written: transient
0xA700  over-quota                      its source sent as much as it may within an hour: transient
0xA900  other-class, other-instance     the data set is not the object that the command announced
0xC000  the code of `Malformed`         the data set can't be understood, or lacks a UID that places it
0x0117  invalid-instance                the command names no valid UID (PS3.7 C.4.2)
0x0124  not-authorized                  its source may not store (PS3.7 C.4.2)
0x0124  too-large                       it is larger than one of its source may be
0xC000  no-dataset                      a command without a data set
0xC001  failed                          a defect of ours, which the log tells
======  ==============================  =========================================================

An object without Study, Series or SOP Instance UID is refused instead of kept: it could be on no card, and
"success" would promise that it is. Non-patient objects (hanging protocols, palettes) are of this kind.
"""

from __future__ import annotations

from gateway.errors import ObjectRefused
from gateway.part10 import Malformed

OUT_OF_RESOURCES = 0xA700
INVALID_INSTANCE = 0x0117
NOT_AUTHORIZED = 0x0124
DOES_NOT_MATCH = 0xA900
CANNOT_UNDERSTAND = 0xC000
FAILED = 0xC001

COMMENT_LENGTH = 64
"""Error Comment has VR LO."""


def no_room() -> ObjectRefused:
    """Refuse for want of disk space."""
    return ObjectRefused(OUT_OF_RESOURCES, "no-room", "No room on the receiver's disk: send it again later")


def vault_failed() -> ObjectRefused:
    """Refuse because what was received can't be made durable."""
    return ObjectRefused(
        OUT_OF_RESOURCES, "vault-failed", "The receiver can't store now: send it again later"
    )


def no_dataset() -> ObjectRefused:
    """Refuse a C-STORE without a data set."""
    return ObjectRefused(CANNOT_UNDERSTAND, "no-dataset", "C-STORE without a data set: send the object")


def invalid_instance() -> ObjectRefused:
    """Refuse a command whose UIDs are none."""
    return ObjectRefused(INVALID_INSTANCE, "invalid-instance", "The command's SOP UIDs are not valid")


def not_authorized() -> ObjectRefused:
    """Refuse what its source may not do."""
    return ObjectRefused(NOT_AUTHORIZED, "not-authorized", "This source may not store: ask the operator")


def over_quota() -> ObjectRefused:
    """Refuse what is more than its source may send within an hour."""
    return ObjectRefused(
        OUT_OF_RESOURCES, "over-quota", "Over this source's hourly limit: send it again later"
    )


def too_large() -> ObjectRefused:
    """Refuse what is larger than an object of its source may be; sending it again changes nothing."""
    return ObjectRefused(NOT_AUTHORIZED, "too-large", "Larger than this source may send: ask the operator")


def other_class() -> ObjectRefused:
    """Refuse a data set of another SOP Class than the command says."""
    return ObjectRefused(DOES_NOT_MATCH, "other-class", "SOP Class UID is not that of the command")


def other_instance() -> ObjectRefused:
    """Refuse a data set that is another instance than the command says: it would be acknowledged wrongly."""
    return ObjectRefused(
        DOES_NOT_MATCH, "other-instance", "SOP Instance UID differs from that of the command"
    )


def not_understood(error: Malformed) -> ObjectRefused:
    """Refuse what can't be read far enough to know where it belongs."""
    return ObjectRefused(CANNOT_UNDERSTAND, error.code, str(error)[:COMMENT_LENGTH])


def failed() -> ObjectRefused:
    """Refuse because of a defect of ours: never acknowledge what was not stored."""
    return ObjectRefused(FAILED, "failed", "The receiver failed on this object: tell its operator")
