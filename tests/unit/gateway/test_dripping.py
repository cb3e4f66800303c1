"""Who sends a little at a time is not waited for for ever, wherever it stands."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from gateway.admission import Call
from gateway.association import Association
from gateway.reception import Limits
from gateway.vault import Vault
from tests import wire
from tests.reception import Counts, Kept, incoming, reception_of

STEP_S = 0.02
SHORT_S, LONG_S = 0.4, 30.0


def request() -> tuple[bytes, Iterator[bytes]]:
    return b"", (bytes((one,)) for one in wire.request() + bytes(1000))


def pdu() -> tuple[bytes, Iterator[bytes]]:
    begun = wire.request() + wire.sent(wire.command(wire.C_STORE, b"1.2.3"))
    return begun + wire.pdu(wire.DATA, b"", 100_000), iter(lambda: b"x", b"")


def data_set() -> tuple[bytes, Iterator[bytes]]:
    begun = wire.request() + wire.sent(wire.command(wire.C_STORE, b"1.2.3"))
    return begun, iter(lambda: wire.pdu(wire.DATA, wire.value(1, b"x", last=False)), b"")


def command() -> tuple[bytes, Iterator[bytes]]:
    return wire.request(), iter(
        lambda: wire.pdu(wire.DATA, wire.value(1, b"", command=True, last=False)), b""
    )


@pytest.mark.parametrize(
    ("drips", "limits"),
    [
        (request, Limits(SHORT_S, LONG_S, LONG_S, LONG_S)),
        (pdu, Limits(LONG_S, LONG_S, SHORT_S, LONG_S)),
        (data_set, Limits(LONG_S, LONG_S, LONG_S, SHORT_S)),
        (command, Limits(LONG_S, LONG_S, LONG_S, SHORT_S)),
    ],
    ids=["request", "pdu", "data-set", "command"],
)
def test_what_drips_is_ended_when_its_time_is_over(tmp_path, drips, limits):
    vault, counting = Vault(tmp_path, 0), Counts()
    ours, theirs = socket.socketpair()
    begun, drops = drips()
    over = threading.Event()

    def talk() -> None:
        with contextlib.suppress(OSError):
            theirs.sendall(begun)
            while not over.wait(STEP_S):
                theirs.sendall(next(drops))

    talking = threading.Thread(target=talk)
    talking.start()
    heard: list[bytes] = []

    def listen() -> None:
        while got := theirs.recv(1 << 16):
            heard.append(got)
        over.set()
        theirs.close()

    listening = threading.Thread(target=listen)
    listening.start()
    began = time.monotonic()
    try:
        Association(reception_of(vault, Kept(), counting, limits), ours, Call("127.0.0.1")).serve()
    finally:
        over.set()
        talking.join(10)
        listening.join(10)
    assert SHORT_S <= time.monotonic() - began < 5
    assert b"".join(heard)[-10:] == bytes((7, 0, 0, 0, 0, 4, 0, 0, 2, 0))
    assert incoming(vault.root, os.getpid()) == []
    assert counting.objects == 0
