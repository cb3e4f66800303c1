"""The port: accepts connections, counts them, and hands them on. It reads nothing from them."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
import time
from collections.abc import Callable

import structlog

from gateway.dul.negotiation import LOCAL_LIMIT, Rejection
from gateway.serving import Crew
from streams.errors import Unavailable

log = structlog.get_logger()

_QUEUED = 128
_POLL_S = 0.1
_NO_MORE = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))


class Listener:
    """Listens.

    Parameters
    ----------
    crew
        Serves the connections.
    most
        Associations at once. Beyond, a requestor is told to come again later; beyond twice as many, its
        connection is closed.
    refusing
        Gives why nobody may come in now, None when they may.
    """

    def __init__(
        self, crew: Crew, *, most: int, refusing: Callable[[], Rejection | None] = lambda: None
    ) -> None:
        self._crew = crew
        self._most = most
        self._refusing = refusing
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def open(self, host: str, port: int) -> int:
        """Listen; returns the port, for 0 asks for any that is free.

        Raises
        ------
        streams.errors.Unavailable
            When the address can't be had.
        """
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            listening = socket.create_server((host, port), family=family, backlog=_QUEUED)
        except OSError as error:
            raise Unavailable(
                f"Can't listen on {host}:{port}: {error.strerror}. Stop what does, or set CHIPS_DICOM_PORT"
            ) from error
        listening.settimeout(_POLL_S)
        self._socket = listening
        self._thread = threading.Thread(target=self._accept, args=(listening,), name="gateway-door")
        self._thread.start()
        return int(listening.getsockname()[1])

    def close(self) -> None:
        """Take no more connections."""
        self._stopping.set()
        if self._thread:
            self._thread.join()
        if self._socket:
            self._socket.close()

    def _accept(self, listening: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                connection, address = listening.accept()
            except TimeoutError:
                continue
            except OSError as error:
                # The peer is gone already, or there are no descriptors left: the next one may fare better.
                log.warning("gateway.accept_failed", error=error.strerror)
                if error.errno in _NO_MORE:
                    time.sleep(_POLL_S)
                continue
            self._hand_on(connection, str(address[0]))

    def _hand_on(self, connection: socket.socket, address: str) -> None:
        busy = self._crew.busy
        if busy >= 2 * self._most:
            connection.close()
            return
        with contextlib.suppress(OSError):  # it is closed already, which its reader sees
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._crew.take(connection, address, LOCAL_LIMIT if busy >= self._most else self._refusing())
