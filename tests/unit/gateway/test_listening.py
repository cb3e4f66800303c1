"""The port hands connections on, too many with the word to come again, and closes far too many."""

from __future__ import annotations

import socket
import time

import pytest

from gateway.dul.negotiation import CONGESTION, LOCAL_LIMIT
from gateway.listening import Listener
from streams.errors import Unavailable


class Crew:
    """Holds what it is given."""

    def __init__(self):
        self.taken = []
        self.elsewhere = 0

    def take(self, connection, call):
        self.taken.append((connection, call))

    @property
    def busy(self):
        return len(self.taken) + self.elsewhere

    def busy_of(self, address):
        return sum(call.address == address for _, call in self.taken)

    def close(self, grace_s=0):
        for connection, _ in self.taken:
            connection.close()


@pytest.fixture
def crew():
    made = Crew()
    yield made
    made.close()


def knocked(crew, port, count):
    """Open connections; wait until all are handed on, or closed."""
    before, found = len(crew.taken), []
    for number in range(count):
        found.append(socket.create_connection(("127.0.0.1", port), 5))
        until = time.monotonic() + 5
        while len(crew.taken) <= before + number:
            found[-1].settimeout(0.05)
            try:
                if not found[-1].recv(1):
                    return found
            except TimeoutError:
                pass
            assert time.monotonic() < until
    return found


@pytest.mark.parametrize(("most", "of_one", "elsewhere"), [(2, 50, 0), (50, 2, 0), (6, 50, 4)])
def test_too_many_are_told_and_far_too_many_are_closed(crew, most, of_one, elsewhere):
    crew.elsewhere = elsewhere
    closed = []
    listener = Listener(crew, most=most, most_of_one=of_one, on_closed=closed.append)
    port = listener.open("127.0.0.1", 0, "CHIPS_DICOM_PORT")
    listener.start()
    try:
        for one in knocked(crew, port, 4 if not elsewhere else 8):
            one.close()
        assert [call.rejection for _, call in crew.taken[:4]] == [None, None, LOCAL_LIMIT, LOCAL_LIMIT]
        assert closed == []
        for one in knocked(crew, port, 1):
            one.close()
        assert closed == ["127.0.0.1"]
    finally:
        listener.close()


def test_two_ports_are_told_apart_and_reasons_are_handed_on(crew):
    listener = Listener(crew, most=9, most_of_one=9, refusing=lambda: CONGESTION)
    plain = listener.open("127.0.0.1", 0, "CHIPS_DICOM_PORT")
    secured = listener.open("127.0.0.1", 0, "CHIPS_DICOM_TLS_PORT", is_tls=True)
    listener.start()
    try:
        for port in (plain, secured):
            for one in knocked(crew, port, 1):
                one.close()
        assert [(call.is_tls, call.rejection) for _, call in crew.taken] == [
            (False, CONGESTION),
            (True, CONGESTION),
        ]
        assert all(connection.getblocking() for connection, _ in crew.taken)
    finally:
        listener.close()


def test_a_port_that_is_taken_is_told_with_its_setting(crew):
    listener = Listener(crew, most=9, most_of_one=9)
    port = listener.open("127.0.0.1", 0, "CHIPS_DICOM_PORT")
    try:
        with pytest.raises(Unavailable, match="CHIPS_DICOM_TLS_PORT"):
            Listener(crew, most=9, most_of_one=9).open("127.0.0.1", port, "CHIPS_DICOM_TLS_PORT")
    finally:
        listener.close()
