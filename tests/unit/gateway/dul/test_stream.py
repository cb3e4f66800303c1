"""PDUs from a connection: whole ones, and ends of all kinds."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from gateway.dul.pdus import HEAD, RELEASE_RP, Kind, Violation
from gateway.dul.stream import LARGEST, MAX_PDU, Closed, PduStream, Silent


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_pdus_are_read_one_after_the_other_however_they_come(ends):
    ours, theirs = ends
    stream = PduStream(ours, idle_s=30, pdu_s=30)
    long = bytes(range(256)) * (MAX_PDU // 256)
    whole = HEAD.pack(4, 3) + b"abc" + HEAD.pack(4, len(long)) + long + HEAD.pack(5, 4) + bytes(4)

    def send():
        for at in range(0, len(whole), 50_001):
            theirs.sendall(whole[at : at + 50_001])

    sender = threading.Thread(target=send)
    sender.start()
    found = []
    for _ in range(3):
        kind, body = stream.read()
        found.append((kind, bytes(body)))  # valid until the next is read
    sender.join()
    assert found == [(Kind.P_DATA_TF, b"abc"), (Kind.P_DATA_TF, long), (Kind.RELEASE_RQ, bytes(4))]


@pytest.mark.parametrize("kind", sorted(LARGEST))
def test_a_pdu_that_is_too_long_is_not_waited_for(ends, kind):
    ours, theirs = ends
    theirs.sendall(HEAD.pack(kind, LARGEST[kind] + 1))
    with pytest.raises(Violation):
        PduStream(ours, idle_s=30, pdu_s=30).read()


@pytest.mark.parametrize(
    "head", [b"GET / HTTP/1.1\r\n", b"\x16\x03\x01\0\0\0", HEAD.pack(8, 0), HEAD.pack(2, 0)]
)
def test_what_is_no_pdu_is_a_violation(ends, head):
    ours, theirs = ends
    theirs.sendall(head)
    with pytest.raises(Violation):
        PduStream(ours, idle_s=30, pdu_s=30).read()


@pytest.mark.parametrize("sent", [b"", HEAD.pack(4, 3), HEAD.pack(4, 3) + b"ab", b"\4"])
def test_the_end_of_the_connection_is_told(ends, sent):
    ours, theirs = ends
    theirs.sendall(sent)
    theirs.close()
    with pytest.raises(Closed):
        PduStream(ours, idle_s=30, pdu_s=30).read()


@pytest.mark.parametrize("sent", [b"", b"\4", HEAD.pack(4, 3) + b"ab"])
def test_silence_is_told(ends, sent):
    ours, theirs = ends
    theirs.sendall(sent)
    with pytest.raises(Silent):
        PduStream(ours, idle_s=0.05, pdu_s=30).read()


def test_a_pdu_that_drips_in_is_not_waited_for_for_ever(ends):
    ours, theirs = ends
    stop = threading.Event()

    def drip():
        theirs.sendall(HEAD.pack(4, 60_000))
        while not stop.wait(0.02):
            theirs.sendall(b"x")

    dripping = threading.Thread(target=drip)
    dripping.start()
    began = time.monotonic()
    try:
        with pytest.raises(Silent):
            PduStream(ours, idle_s=5, pdu_s=0.3).read()
    finally:
        stop.set()
        dripping.join()
    assert time.monotonic() - began < 5


def test_the_first_wait_may_be_another(ends):
    ours, _ = ends
    began = time.monotonic()
    with pytest.raises(Silent):
        PduStream(ours, idle_s=30, pdu_s=30).read(0.05)
    assert time.monotonic() - began < 20


def test_the_last_word_arrives_although_the_peer_is_still_sending(ends):
    ours, theirs = ends
    heard = []

    def peer():
        theirs.sendall(bytes(3_000_000))
        heard.append(theirs.recv(100))
        theirs.close()

    talking = threading.Thread(target=peer)
    talking.start()
    stream = PduStream(ours, idle_s=30, pdu_s=30)
    stream.last_word(RELEASE_RP)
    stream.close()
    talking.join(30)
    assert heard == [RELEASE_RP]


def test_who_takes_nothing_is_told_from_who_is_gone(ends):
    ours, theirs = ends
    stream = PduStream(ours, idle_s=0.05, pdu_s=30)
    with pytest.raises(Silent):
        stream.write(bytes(10_000_000))
    theirs.close()
    with pytest.raises(Closed):
        stream.write(bytes(10_000_000))
