"""One file becomes an object in the vault, as if it had come over the network."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from gateway.errors import ObjectRefused
from gateway.header import identity_of
from gateway.part10 import Malformed, Meta, read_meta
from gateway.refusals import CANNOT_UNDERSTAND, not_understood
from gateway.spool import HEAD, Announced, Received, Spool

_CHUNK = 1 << 20
_FIRST = 4 * HEAD
"""Bytes in which the identity is looked for: real headers have fewer in front of it."""
_MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
_MEDIA_SOP_CLASS, _MEDIA_SOP_INSTANCE, _TRANSFER_SYNTAX = 0x00020002, 0x00020003, 0x00020010


class NotTaken(ObjectRefused):
    """A file that is no object to import: no DICOM, or a list of others."""

    def __init__(self, reason: str, why: str) -> None:
        super().__init__(CANNOT_UNDERSTAND, reason, why)


@contextlib.contextmanager
def take(stream: BinaryIO, begin: Callable[[Announced], Spool]) -> Iterator[Received]:
    """Copy a DICOM Part 10 file into a spool, with file meta information of ours in front of its data set.

    So the same image is the same file in the vault, whatever way it came.

    Parameters
    ----------
    begin
        Opens the spool of an announced object.

    Raises
    ------
    ObjectRefused
        When it is no object to be kept, or can't be kept now; nothing of it remains.
    OSError
        When it can't be read.
    """
    first = stream.read(_FIRST)
    try:
        meta = read_meta(first)
        if meta.text(_MEDIA_SOP_CLASS) == _MEDIA_DIRECTORY:
            raise NotTaken("dicomdir", "a DICOMDIR: it lists objects and is none")
        announced = _announced(first, meta)
    except Malformed as error:
        if error.code == "not-part10":
            raise NotTaken(error.code, "no DICOM file") from error
        raise not_understood(error) from error
    spool = begin(announced)
    try:
        spool.write(memoryview(first)[meta.dataset :])
        while chunk := stream.read(_CHUNK):
            spool.write(chunk)
        yield spool.finish()
    finally:
        spool.discard()


def _announced(first: bytes, meta: Meta) -> Announced:
    """Tell what a file is: by its data set, and by its meta information where that does not say it at once.

    Raises
    ------
    Malformed
        When neither does.
    """
    try:
        found = identity_of(first)
    except Malformed:
        if len(first) < _FIRST:
            raise
        # Deflated, or with a long element in front: storing reads the file itself, and compares.
        return Announced(
            *(meta.text(tag) for tag in (_MEDIA_SOP_CLASS, _MEDIA_SOP_INSTANCE, _TRANSFER_SYNTAX))
        )
    return Announced(found.sop_class_uid, found.sop_instance_uid, found.transfer_syntax_uid)
