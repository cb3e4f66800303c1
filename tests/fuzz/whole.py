"""A whole association over a pair of sockets, by the gateway's own code, with a vault in memory."""

from __future__ import annotations

import functools
import os
import socket
import struct
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from structlog.testing import capture_logs

from gateway.admission import Call
from gateway.association import Association
from gateway.commitment.reports import AT_ONCE
from gateway.reception import Limits
from gateway.vault import Vault
from tests import wire
from tests.reception import Counts, Kept, incoming, reception_of

_MEMORY = Path("/dev/shm")
"""A file system in memory, where there is one."""
_CONTEXTS = b"".join(
    wire.context(number, abstract, syntax)
    for number, abstract, syntax in (
        (1, wire.CT, wire.EXPLICIT),
        (3, wire.CT, wire.IMPLICIT),
        (5, wire.CT, wire.DEFLATED),
        (7, wire.CT, wire.BIG),
        (9, wire.ECHO, wire.IMPLICIT),
        (11, wire.COMMITMENT, wire.EXPLICIT),
    )
)
OPENING = wire.request(_CONTEXTS)
RAW, FRAMED = 0, 1
_PART = struct.Struct("<BBH")
_DEFECTS = frozenset(("association.failed", "object.failed", "commitment.failed"))


def association(data: bytes) -> int:
    """Nothing is a defect of ours, each success was stored before, and what is not stored leaves no file.

    The first byte says what the others are: 0 all that the peer sends, else parts (context, control, length,
    bytes) that become P-DATA-TFs of an open association, as which most bytes get further. Gives how many
    objects were stored.
    """
    if not data:
        return 0
    sent = data[1:] if data[0] == RAW else OPENING + b"".join(framed(data[1:]))
    vault, journal, counting = _vault(), Kept(), Counts()
    reception = reception_of(vault, journal, counting, Limits(1.0, 1.0, 1.0, 1.0))
    ours, theirs = socket.socketpair()
    heard: list[bytes] = []
    peer = threading.Thread(target=_talk, args=(theirs, sent, heard), daemon=True)
    peer.start()
    with capture_logs() as lines:
        Association(reception, ours, Call("127.0.0.1")).serve()
    peer.join(2.0)
    theirs.close()
    assert not peer.is_alive()
    defects = [line for line in lines if line["event"] in _DEFECTS]
    assert not defects, defects
    assert not incoming(vault.root, os.getpid()), "a file is left"
    assert not list((vault.root / "reports").iterdir()), "a report is left that nobody can have"
    assert vault.reports.desk._value == AT_ONCE, "a place to read requests is not given back"
    originals = [path for path in (vault.root / "objects").rglob("*") if path.is_file()]
    successes = sum(
        1
        for kind, body in answers(b"".join(heard))
        if kind == wire.DATA
        and wire.is_command(body)
        and (told := wire.answered(body))[0x0100] == wire.RESPONSE | wire.C_STORE
        and told[0x0900] == 0
    )
    assert successes <= counting.objects
    assert len(originals) <= counting.objects <= len(journal.entries)
    for path in originals:
        assert len(path.name) == 64
        path.unlink()
    return counting.objects


def framed(data: bytes) -> Iterator[bytes]:
    """Give P-DATA-TFs of parts, and other PDUs for controls beyond those of a presentation data value."""
    at = 0
    while at + _PART.size <= len(data):
        context, control, length = _PART.unpack_from(data, at)
        part = data[at + _PART.size : at + _PART.size + length]
        at += _PART.size + length
        if control <= 4:
            yield wire.pdu(wire.DATA, wire.value(context, part, control=control))
        else:
            yield wire.pdu(control & 7, part)


def part(context: int, control: int, data: bytes) -> bytes:
    """Give a part, as `framed` reads it."""
    return _PART.pack(context, control, len(data)) + data


def answers(heard: bytes) -> Iterator[tuple[int, bytes]]:
    """Give the PDUs that came back, of which all but the last are whole."""
    at = 0
    while at + 6 <= len(heard):
        kind, length = struct.unpack_from(">BxI", heard, at)
        assert kind in (wire.AC, wire.RJ, wire.DATA, wire.RELEASE_RP, wire.ABORT)
        if at + 6 + length > len(heard):
            return
        yield kind, heard[at + 6 : at + 6 + length]
        at += 6 + length
    assert at == len(heard)


def _talk(line: socket.socket, sent: bytes, heard: list[bytes]) -> None:
    """Say it all and listen meanwhile, to the end."""

    def say() -> None:
        try:
            line.sendall(sent)
            line.shutdown(socket.SHUT_WR)
        except OSError:  # the other side has hung up
            pass

    speaker = threading.Thread(target=say, daemon=True)
    speaker.start()
    try:
        while got := line.recv(1 << 16):
            heard.append(got)
    except OSError:  # likewise
        pass
    speaker.join()


@functools.cache
def _vault() -> Vault:
    folder = tempfile.TemporaryDirectory(
        prefix="chips-fuzz-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None
    )
    _KEPT.append(folder)
    return Vault(Path(folder.name), 0)


_KEPT: list[object] = []
"""Folders that go when the process does."""
