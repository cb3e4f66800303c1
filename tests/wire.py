"""DICOM on the wire, written by hand so that all of it can be wrong, and what is answered, in words."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from typing import Self

CT = b"1.2.840.10008.5.1.4.1.1.2"
ECHO = b"1.2.840.10008.1.1"
COMMITMENT = b"1.2.840.10008.1.20.1"
IMPLICIT, EXPLICIT = b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1"
BIG, DEFLATED = b"1.2.840.10008.1.2.2", b"1.2.840.10008.1.2.1.99"
JPEG = b"1.2.840.10008.1.2.4.50"

RQ, AC, RJ, DATA, RELEASE_RQ, RELEASE_RP, ABORT = range(1, 8)
WELL_KNOWN = b"1.2.840.10008.1.20.1.1"
"""The instance that storage commitment is asked of."""
RESPONSE = 0x8000
C_STORE, C_ECHO, C_FIND, C_MOVE, N_ACTION, C_CANCEL = 0x0001, 0x0030, 0x0020, 0x0021, 0x0130, 0x0FFF
N_EVENT_REPORT = 0x0100

LONG = frozenset((b"OB", b"OW", b"OF", b"SQ", b"UN", b"UT", b"UC", b"UR"))


def pdu(kind: int, body: bytes = b"", length: int | None = None) -> bytes:
    """A PDU, its length a lie if one is given."""
    return struct.pack(">BxI", kind, len(body) if length is None else length) + body


def value(
    context: int,
    data: bytes,
    *,
    command: bool = False,
    last: bool = True,
    length: int | None = None,
    control: int | None = None,
) -> bytes:
    """A presentation data value."""
    if control is None:
        control = command + 2 * last
    return struct.pack(">IBB", len(data) + 2 if length is None else length, context, control) + data


def item(kind: int, data: bytes, length: int | None = None) -> bytes:
    """An item or sub-item of an A-ASSOCIATE."""
    return struct.pack(">BxH", kind, len(data) if length is None else length) + data


def context(number: int, abstract: bytes, *syntaxes: bytes) -> bytes:
    """A presentation context item that is asked for."""
    syntax_items = b"".join(item(0x40, syntax) for syntax in syntaxes)
    return item(0x20, bytes((number, 0, 0, 0)) + item(0x30, abstract) + syntax_items)


CONTEXTS = context(1, CT, EXPLICIT)
ABOUT = item(0x51, struct.pack(">I", 16382)) + item(0x52, b"1.2.3.4")
APPLICATION = item(0x10, b"1.2.840.10008.3.1.1.1")


def request(
    contexts: bytes = CONTEXTS,
    *,
    called: bytes = b"CHIPS",
    calling: bytes = b"TESTER",
    version: int = 1,
    application: bytes = APPLICATION,
    about: bytes = ABOUT,
) -> bytes:
    """An A-ASSOCIATE-RQ."""
    fixed = struct.pack(">HH16s16s32x", version, 0, called.ljust(16), calling.ljust(16))
    return pdu(RQ, fixed + application + contexts + item(0x50, about))


def identity(kind: int, primary: bytes, secondary: bytes = b"", *, wants: int = 1) -> bytes:
    """A user identity sub-item (PS3.7, D.3.3.7)."""
    parts = struct.pack(">BBH", kind, wants, len(primary)) + primary
    return item(0x58, parts + struct.pack(">H", len(secondary)) + secondary)


def command_element(number: int, data: bytes, length: int | None = None) -> bytes:
    """An element of a command set."""
    return struct.pack("<HHI", 0, number, len(data) if length is None else length) + data


def uid(text: bytes) -> bytes:
    """A UI value."""
    return text + b"\0" * (len(text) % 2)


def command(
    field: int,
    instance: bytes = b"",
    *,
    sop_class: bytes = CT,
    number: int = 1,
    has_data_set: bool = True,
    more: bytes = b"",
    responds_to: int | None = None,
    status: int = 0,
) -> bytes:
    """A command set, of a response when it responds to something."""
    parts = b"".join(
        (
            command_element(0x0002, uid(sop_class)),
            command_element(0x0100, struct.pack("<H", field)),
            command_element(
                0x0110 if responds_to is None else 0x0120, struct.pack("<H", responds_to or number)
            ),
            command_element(0x0800, struct.pack("<H", 1 if has_data_set else 0x0101)),
            b"" if responds_to is None else command_element(0x0900, struct.pack("<H", status)),
            command_element(0x1000, uid(instance)) if instance else b"",
            more,
        )
    )
    return command_element(0x0000, struct.pack("<I", len(parts))) + parts


def sent(message: bytes, *, on: int = 1) -> bytes:
    """A P-DATA-TF with a whole command."""
    return pdu(DATA, value(on, message, command=True))


def data_set(data: bytes, *, on: int = 1, step: int = 200_000) -> bytes:
    """P-DATA-TFs with a whole data set."""
    return b"".join(
        pdu(DATA, value(on, data[at : at + step], last=at + step >= len(data)))
        for at in range(0, max(len(data), 1), step)
    )


def store(data: bytes, instance: bytes, *, on: int = 1, sop_class: bytes = CT) -> bytes:
    """A whole C-STORE."""
    return sent(command(C_STORE, instance, sop_class=sop_class), on=on) + data_set(data, on=on)


def element(group: int, number: int, vr: bytes, data: bytes, length: int | None = None) -> bytes:
    """An element, explicit VR little endian."""
    length = len(data) if length is None else length
    if vr in LONG:
        return struct.pack("<HH2sxxI", group, number, vr, length) + data
    return struct.pack("<HH2sH", group, number, vr, length) + data


def implicit(group: int, number: int, data: bytes, length: int | None = None) -> bytes:
    """An element, implicit VR little endian."""
    return struct.pack("<HHI", group, number, len(data) if length is None else length) + data


class Line:
    """A connection to a gateway.

    Parameters
    ----------
    patience_s
        How long an answer may take, s.
    """

    def __init__(self, port: int, patience_s: float = 5.0) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), patience_s)
        self._patience_s = patience_s

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def say(self, data: bytes) -> None:
        """Send; a peer that has hung up meanwhile is heard when its answer is read."""
        self._socket.settimeout(self._patience_s)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(data)

    def end(self) -> None:
        """Say that nothing more comes."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def hear(self) -> str:
        """Give the next answer: see `said`; `closed` when there is none; raises TimeoutError."""
        until = time.monotonic() + self._patience_s
        head = self._read(6, until)
        if len(head) < 6:
            return "closed"
        return said(head[0], self._read(struct.unpack(">I", head[2:])[0], until))

    def _read(self, count: int, until: float) -> bytes:
        found = b""
        while len(found) < count:
            self._socket.settimeout(max(until - time.monotonic(), 0.001))
            try:
                more = self._socket.recv(count - len(found))
            except ConnectionResetError:
                break
            if not more:
                break
            found += more
        return found


def said(kind: int, body: bytes) -> str:
    """Give a PDU of a gateway in words: `accepted`, `rejected RESULT/SOURCE/REASON`, `released`,
    `aborted SOURCE/REASON`, or `status HEX`.
    """
    match kind:
        case 2:
            return "accepted"
        case 3:
            return f"rejected {body[1]}/{body[2]}/{body[3]}"
        case 4:
            return f"status {answered(body)[0x0900]:04X}"
        case 6:
            return "released"
        case 7:
            return f"aborted {body[2]}/{body[3]}"
        case _:
            return f"PDU {kind}"


def is_command(body: bytes) -> bool:
    """Tell whether a P-DATA-TF of a gateway, which has one value, holds a command."""
    return bool(body[5] & 1)


def answered(body: bytes) -> dict[int, int]:
    """Give the numbers of the command set in a P-DATA-TF of ours: one value, a whole command."""
    length, _, control = struct.unpack_from(">IBB", body)
    assert length == len(body) - 4
    assert control == 3
    return numbers(body[6:])


def numbers(command: bytes) -> dict[int, int]:
    """Give the numbers of a command set, which has to be one."""
    found, at = {}, 0
    while at < len(command):
        group, number, size = struct.unpack_from("<HHI", command, at)
        assert group == 0
        assert at + 8 + size <= len(command)
        if size == 2:
            found[number] = struct.unpack_from("<H", command, at + 8)[0]
        at += 8 + size
    return found
