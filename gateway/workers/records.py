"""Journal entries on their way from a worker to the one journal, and the answer that they are durable.

A worker sends what its associations have to record in one go; whatever comes up meanwhile goes with the next.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Sequence
from typing import Literal

import msgspec

from gateway.errors import JournalBroken
from gateway.grouping import Grouped
from gateway.journal import Appends
from schemas.envelope import MAX_BYTES
from streams.errors import Unavailable

_LENGTH = struct.Struct(">I")
_ENTRIES = 256
_LARGEST = 64 * 1024 * 1024
"""Of a message, bytes: no worker has more associations than make that many entries at once."""


class Verdict(msgspec.Struct, frozen=True, array_like=True):
    """What became of the entries."""

    kind: Literal["durable", "refused", "broken"]
    text: str = ""
    errno: int = 0
    """Of what the system refused."""


_encode = msgspec.msgpack.Encoder().encode
_entries = msgspec.msgpack.Decoder(list[bytes]).decode
_verdict = msgspec.msgpack.Decoder(Verdict).decode


class Recorder:
    """The journal, as a worker sees it; safe for many threads."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._grouped = Grouped(self._send)

    def append(self, payloads: Sequence[bytes]) -> None:
        """Make entries durable; blocks until the gateway says so.

        Raises
        ------
        OSError, gateway.errors.JournalBroken
            As the journal's own.
        streams.errors.Unavailable
            When the gateway is gone.
        """
        self._grouped.add(payloads)

    def _send(self, payloads: list[bytes]) -> None:
        for start in range(0, len(payloads), _ENTRIES):
            try:
                _put(self._connection, _encode(payloads[start : start + _ENTRIES]))
                verdict = _verdict(_take(self._connection))
            except (OSError, msgspec.DecodeError) as error:
                raise Unavailable("The gateway that keeps the journal is gone") from error
            if verdict.kind == "broken":
                raise JournalBroken(verdict.text)
            if verdict.kind == "refused":
                raise OSError(verdict.errno, verdict.text)


def keep_records(connection: socket.socket, journal: Appends) -> None:
    """Append what a worker sends until it is gone; blocks.

    Invariant: the answer "durable" is sent only after `append` returned.
    """
    try:
        while True:
            payloads = _entries(_take(connection))
            _put(connection, _encode(_appended(journal, payloads)))
    except OSError:
        return  # the worker is gone; its senders were not told of success
    finally:
        with contextlib.suppress(OSError):  # whoever waits for an answer hears that there is none
            connection.shutdown(socket.SHUT_RDWR)


def _appended(journal: Appends, payloads: list[bytes]) -> Verdict:
    try:
        journal.append(payloads)
    except JournalBroken as error:
        return Verdict("broken", str(error))
    except OSError as error:
        return Verdict("refused", error.strerror or "", error.errno or 0)
    return Verdict("durable")


def _put(connection: socket.socket, message: bytes) -> None:
    connection.sendall(_LENGTH.pack(len(message)) + message)


def _take(connection: socket.socket) -> bytes:
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    if length > _LARGEST + MAX_BYTES:
        raise ConnectionError("A message that is longer than any.")
    return _exactly(connection, length)


def _exactly(connection: socket.socket, count: int) -> bytes:
    found = bytearray(count)
    view, at = memoryview(found), 0
    while at < count:
        read = connection.recv_into(view[at:])
        if not read:
            raise ConnectionError("The other side is gone.")
        at += read
    return bytes(found)
