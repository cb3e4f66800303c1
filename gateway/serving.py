"""Associations side by side, a thread each, of which every end is known."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Protocol

from gateway.admission import Call
from gateway.association import Association
from gateway.reception import Reception


class Crew(Protocol):
    """Serves connections."""

    def take(self, connection: socket.socket, call: Call) -> None:
        """Serve a connection, which is the crew's from now on; does not wait for it."""

    @property
    def busy(self) -> int:
        """Connections being served."""

    def busy_of(self, address: str) -> int:
        """Count connections being served that come from an address."""

    def close(self, grace_s: float) -> None:
        """Let associations end for so long, then hang up."""


class Threads:
    """Serves connections in this process.

    Parameters
    ----------
    on_end
        Told the number of a connection when it is over, in its thread.
    """

    def __init__(self, reception: Reception, on_end: Callable[[int], object] = lambda _: None) -> None:
        self._reception = reception
        self._on_end = on_end
        self._changed = threading.Condition()
        self._open: dict[int, Association] = {}
        self._count = 0

    def take(self, connection: socket.socket, call: Call) -> None:
        """Serve a connection; numbers count from 1."""
        with self._changed:
            self._count += 1
            number = self._count
        self.serve(number, connection, call)

    def serve(self, number: int, connection: socket.socket, call: Call) -> None:
        """Serve a connection under a number of the caller's."""
        association = Association(self._reception, connection, call)
        with self._changed:
            self._open[number] = association
        thread = threading.Thread(
            target=self._serve,
            args=(number, association),
            name=f"association-{number}",
            daemon=True,
        )
        try:
            thread.start()
        except RuntimeError:  # the system has no thread left: the peer sees a closed connection
            connection.close()
            self._end(number)

    @property
    def busy(self) -> int:
        """Connections being served."""
        return len(self._open)

    def busy_of(self, address: str) -> int:
        """Count connections being served that come from an address."""
        with self._changed:
            return sum(one.address == address for one in self._open.values())

    def close(self, grace_s: float) -> None:
        """Let associations end for so long, then hang up, and wait as long again."""
        self._wait(grace_s)
        with self._changed:
            left = list(self._open.values())
        for association in left:
            association.hang_up()
        self._wait(grace_s)

    def _serve(self, number: int, association: Association) -> None:
        try:
            association.serve()
        finally:
            self._end(number)

    def _end(self, number: int) -> None:
        with self._changed:
            self._open.pop(number, None)
            self._changed.notify_all()
        self._on_end(number)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        with self._changed:
            while self._open and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
