"""The first look at a file: which object it is, and what it calls people. An adapter; reads headers alone."""

from __future__ import annotations

import mmap
from pathlib import Path

from agents.anonymization.files.entries import Result
from agents.anonymization.files.known import named_in
from agents.anonymization.files.objects import found_object, resembles_dicom
from agents.anonymization.files.tasks import Examine, Examined, Lines, Place
from agents.anonymization.policy.rules import book_of
from gateway.header import identity_of
from gateway.part10 import PREAMBLE, Malformed, read_meta

_DIRECTORY = "1.2.840.10008.1.3.10"
_HEAD_BYTES = 64 * 1024
_MEDIA_CLASS = 0x00020002


def examine(task: Examine, place: Place, lines: Lines) -> Examined:
    """Look at a file."""

    def none(result: Result, reason: str, message: str) -> Examined:
        return Examined(lines.entry(task.path, task.stamp, result, reason=reason, message=message))

    path = place.source / task.path
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
        if not head:
            return none("left-out", "empty-file", "An empty file.")
        if head[128:PREAMBLE] != b"DICM" and not resembles_dicom(head):
            return none("left-out", "not-dicom", "Not a DICOM file.")
        if _is_directory(head):
            return none("left-out", "media-directory", "A DICOMDIR: it lists objects and is none.")
        return _object(path, task, place)
    except Malformed as error:
        return none("quarantined", error.code, str(error))
    except OSError as error:
        return none("failed", "unreadable", f"It can't be read: {error.strerror}.")


def _object(path: Path, task: Examine, place: Place) -> Examined:
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        identity = identity_of(data)
        rules = book_of(place.policy).of(identity.sop_class_uid)
        named = frozenset(named_in(data, rules))
    return Examined(found_object(task.path, task.stamp, identity, key=place.key, policy=place.policy), named)


def _is_directory(head: bytes) -> bool:
    try:
        return read_meta(head).text(_MEDIA_CLASS) == _DIRECTORY
    except Malformed:
        return False
