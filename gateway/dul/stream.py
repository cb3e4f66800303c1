"""A connection as a stream of PDUs, each read whole into one buffer, within bounds of length and time."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Mapping
from types import MappingProxyType

from gateway.dul.pdus import HEAD, Kind, Reason, Violation

MAX_PDU = 256 * 1024
"""What we say we take of a P-DATA-TF, bytes (Maximum Length Received, PS3.8 D.1)."""
LARGEST: Mapping[int, int] = MappingProxyType(
    {
        # 128 contexts of 20 transfer syntaxes have 190 kB
        Kind.ASSOCIATE_RQ: 1024 * 1024,
        Kind.P_DATA_TF: MAX_PDU,
        Kind.RELEASE_RQ: 1024,
        Kind.RELEASE_RP: 1024,
        Kind.ABORT: 1024,
    }
)
"""Bytes that a PDU of each kind may have; other kinds reach an acceptor from nobody."""
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux
_LINGER_S = 2.0


class Silent(Exception):  # noqa: N818 - what the peer did, not an error of ours
    """Nothing came for as long as we wait, or a PDU took longer than it may."""


class Closed(Exception):  # noqa: N818 - what the peer did, not an error of ours
    """The connection is closed, or lost."""


class PduStream:
    """Reads and writes PDUs.

    Parameters
    ----------
    connection
        Connected; closed by `close`.
    idle_s
        How long nothing may come, s.
    pdu_s
        How long one PDU may take from its first byte to its last, s.
    """

    def __init__(self, connection: socket.socket, *, idle_s: float, pdu_s: float) -> None:
        self._socket = connection
        self._idle_s = idle_s
        self._pdu_s = pdu_s
        self._head = memoryview(bytearray(HEAD.size))
        self._body = memoryview(bytearray(0))
        self._patience: float | None = None

    def read(self, within_s: float | None = None) -> tuple[Kind, memoryview]:
        """Read a PDU.

        Parameters
        ----------
        within_s
            How long to wait for all of it, s; else the stream's times hold.

        Returns
        -------
        tuple of Kind and memoryview
            What it is, and what follows type and length; valid until the next is read.

        Raises
        ------
        Violation
            When it is of no kind that reaches an acceptor, or longer than one may be.
        Silent, Closed
            When it does not come.
        """
        began = time.monotonic()
        self._wait_at_most(within_s or self._idle_s)
        self._fill(self._head[:1], 0.0)
        until = time.monotonic() + self._pdu_s
        if within_s:
            until = min(until, began + within_s)
        self._wait_at_most(min(self._idle_s, self._pdu_s, within_s or self._pdu_s))
        self._fill(self._head[1:], until)
        kind, length = HEAD.unpack(self._head)
        if kind not in LARGEST:
            known = kind in Kind.__members__.values()
            raise Violation(
                Reason.UNEXPECTED_PDU if known else Reason.UNRECOGNIZED_PDU, "A PDU that none may be."
            )
        if length > LARGEST[kind]:
            raise Violation(Reason.INVALID_PARAMETER, "A PDU that is longer than any may be.")
        if length > len(self._body):
            self._body = memoryview(bytearray(max(length, MAX_PDU)))
        body = self._body[:length]
        self._fill(body, until)
        self._acknowledge_now()
        return Kind(kind), body

    def write(self, data: bytes) -> None:
        """Send; raises `Silent` when the peer does not take it within the stream's idle time, or `Closed`."""
        self._wait_at_most(self._idle_s)
        try:
            self._socket.sendall(data)
        except TimeoutError as error:
            raise Silent from error
        except OSError as error:
            raise Closed from error

    def last_word(self, data: bytes) -> None:
        """Send, and let the peer read it before the connection is closed, a short while at most."""
        with contextlib.suppress(Silent, Closed, OSError):
            self.write(data)
            until = time.monotonic() + _LINGER_S
            self._wait_at_most(_LINGER_S)
            self._end_writing()
            while time.monotonic() < until and self._socket.recv(1 << 16):
                pass  # what was under way; a connection that is closed with bytes unread is reset

    def stop_reading(self) -> None:
        """Let the reader, in whatever thread, see the end as soon as it has what is at hand."""
        with contextlib.suppress(OSError):  # it is closed already
            # Not by the method of a TLS socket: that would make it a plain one under its reader.
            socket.socket.shutdown(self._socket, socket.SHUT_RD)

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(OSError):
            self._socket.close()

    def _end_writing(self) -> None:
        """Say that nothing more is written; with TLS by its own word first, so that it is no truncation."""
        if isinstance(self._socket, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):  # the peer says more, or has gone
                self._socket.unwrap()
        self._socket.shutdown(socket.SHUT_WR)

    def _fill(self, view: memoryview, until: float) -> None:
        """Read as many bytes as the view has, until a time when one is given."""
        at = 0
        while at < len(view):
            try:
                read = self._socket.recv_into(view[at:])
            except (TimeoutError, ssl.SSLWantReadError) as error:
                raise Silent from error
            except OSError as error:
                raise Closed from error
            if not read:
                raise Closed
            at += read
            if at < len(view) and until and time.monotonic() > until:
                raise Silent

    def _wait_at_most(self, seconds: float) -> None:
        if seconds != self._patience:
            self._patience = seconds
            with contextlib.suppress(OSError):  # that it is closed, the next read says
                self._socket.settimeout(seconds)

    def _acknowledge_now(self) -> None:
        """Send TCP's acknowledgement at once, where the system can (Linux).

        A sender with Nagle's algorithm on waits for it between command and data set; delayed, that is 40 ms
        an object. The option lasts for one acknowledgement.
        """
        if _QUICKACK is not None:
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
