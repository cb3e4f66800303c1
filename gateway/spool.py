"""An object on its way in: fragments become a DICOM Part 10 file, hashed as it grows.

Nothing is decoded. Writing never raises: a full disk is remembered, the rest of the object is swallowed (the
peer sends it whole anyway), and the sender is told when it is complete.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gateway.errors import ObjectRefused
from gateway.incoming import begin
from gateway.refusals import no_room, too_large, vault_failed

IMPLEMENTATION_CLASS_UID = "2.25.300744203586316871262310471961213174032"
IMPLEMENTATION_VERSION = "CHIPS"
"""Without a release number, so that the same object gives the same file for ever."""

HEAD = 64 * 1024
"""Bytes of a file that are kept in memory for whoever reads its header, which is seldom longer."""
_CHECK_BYTES = 16 * 1024 * 1024
FULL = frozenset((errno.ENOSPC, errno.EDQUOT))


class Announced(NamedTuple):
    """What command and presentation context say of the data set that follows."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str


class Received(NamedTuple):
    """A whole object in a file that is there until its spool is discarded; nothing of it is durable yet."""

    path: Path
    announced: Announced
    sha256: str
    """Of the file: the same for the same data set in the same transfer syntax, whatever way it came."""
    size: int
    """Of the file, bytes."""
    head: bytes
    """The file's first bytes, at most `HEAD`."""


def file_meta(announced: Announced) -> bytes:
    """Give preamble and file meta information (PS3.10 7.1); the same for the same object."""
    elements = b"".join(
        (
            _element(0x0001, b"OB\0\0", b"\0\1"),
            _element(0x0002, b"UI", _text(announced.sop_class_uid, b"\0")),
            _element(0x0003, b"UI", _text(announced.sop_instance_uid, b"\0")),
            _element(0x0010, b"UI", _text(announced.transfer_syntax_uid, b"\0")),
            _element(0x0012, b"UI", _text(IMPLEMENTATION_CLASS_UID, b"\0")),
            _element(0x0013, b"SH", _text(IMPLEMENTATION_VERSION, b" ")),
        )
    )
    return bytes(128) + b"DICM" + _element(0x0000, b"UL", struct.pack("<I", len(elements))) + elements


def _element(number: int, vr: bytes, value: bytes) -> bytes:
    length = struct.pack("<I" if len(vr) > 2 else "<H", len(value))  # noqa: PLR2004 - OB has a long length
    return struct.pack("<HH", 2, number) + vr + length + value


def _text(text: str, pad: bytes) -> bytes:
    raw = text.encode("ascii", "replace")
    return raw + pad * (len(raw) % 2)


class Spool:
    """One object being received.

    Parameters
    ----------
    folder
        On the vault's file system, so that the file can be moved there.
    announced
        What it is said to be.
    has_room
        Tells whether more may be written; asked at the start and every 16 MiB.
    largest
        Bytes that its file may have; None: any.
    """

    def __init__(
        self,
        folder: Path,
        announced: Announced,
        has_room: Callable[[], bool],
        largest: int | None = None,
    ) -> None:
        self.announced = announced
        self.path = folder
        self._has_room = has_room
        self._largest = largest
        self._problem: ObjectRefused | None = None
        self._fd: int | None = None
        self._size = 0
        self._check_at = 0
        self._head = bytearray()
        self._hash = hashlib.sha256()
        try:
            self._fd, self.path = begin(folder)
        except OSError as error:
            self._fail(error)
        self._put(file_meta(announced))

    def write(self, data: bytes | memoryview) -> None:
        """Take a fragment of the data set."""
        self._put(data)

    def finish(self) -> Received:
        """Give the whole object.

        Raises
        ------
        gateway.errors.ObjectRefused
            When it could not be written; nothing of it remains.
        """
        if self._problem:
            raise self._problem
        return Received(self.path, self.announced, self._hash.hexdigest(), self._size, bytes(self._head))

    def discard(self) -> None:
        """Forget the object; its blob, when it became one, stays."""
        if self._fd is not None:
            fd, self._fd = self._fd, None
            with contextlib.suppress(OSError):  # what close can tell, the vault's fsync has told
                os.close(fd)
            with contextlib.suppress(OSError):  # without a name, moved away, or for the start's sweep
                self.path.unlink()

    def _put(self, data: bytes | memoryview) -> None:
        if self._fd is None:
            return
        if self._largest is not None and self._size + len(data) > self._largest:
            self._refuse(too_large())
            return
        if self._size >= self._check_at:
            self._check_at += _CHECK_BYTES
            if not self._has_room():
                self._refuse(no_room())
                return
        if len(self._head) < HEAD:
            self._head += data[: HEAD - len(self._head)]
        self._hash.update(data)
        self._size += len(data)
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self._refuse(no_room() if error.errno in FULL else vault_failed())

    def _refuse(self, problem: ObjectRefused) -> None:
        self._problem = problem
        self.discard()
