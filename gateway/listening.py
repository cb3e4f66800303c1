"""The ports: accept connections, count them, and hand them on. Nothing is read from them."""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import threading
import time
from collections.abc import Callable

import structlog

from gateway.admission import Call
from gateway.dul.negotiation import LOCAL_LIMIT, Rejection
from gateway.serving import Crew
from streams.errors import Unavailable

log = structlog.get_logger()

_QUEUED = 128
_CLOSED_AT = 2
_POLL_S = 0.1
_NO_MORE = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))


class Listener:
    """Listens.

    Parameters
    ----------
    crew
        Serves the connections.
    most, most_of_one
        Associations at once, in all and from one address. Beyond, a requestor is told to come again later;
        beyond twice as many, its connection is closed.
    refusing
        Gives why nobody may come in now, None when they may.
    on_closed
        Told the address of a connection that was closed.
    """

    def __init__(
        self,
        crew: Crew,
        *,
        most: int,
        most_of_one: int,
        refusing: Callable[[], Rejection | None] = lambda: None,
        on_closed: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._crew = crew
        self._most = most
        self._most_of_one = most_of_one
        self._refusing = refusing
        self._on_closed = on_closed
        self._sockets: list[tuple[socket.socket, bool]] = []
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def open(self, host: str, port: int, setting: str, *, is_tls: bool = False) -> int:
        """Take a port, before `start`; returns it, for 0 asks for any that is free.

        Parameters
        ----------
        setting
            That the port comes from.
        is_tls
            Whether its connections begin with a TLS handshake.

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
                f"Can't listen on {host}:{port}: {error.strerror}. Stop what does, or set {setting}"
            ) from error
        listening.setblocking(False)
        self._sockets.append((listening, is_tls))
        return int(listening.getsockname()[1])

    def start(self) -> None:
        """Take connections."""
        self._thread = threading.Thread(target=self._accept, name="gateway-door")
        self._thread.start()

    def close(self) -> None:
        """Take no more connections."""
        self._stopping.set()
        if self._thread:
            self._thread.join()
        for listening, _ in self._sockets:
            listening.close()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            for listening, is_tls in self._sockets:
                selector.register(listening, selectors.EVENT_READ, is_tls)
            while not self._stopping.is_set():
                for key, _ in selector.select(_POLL_S):
                    if isinstance(key.fileobj, socket.socket):
                        self._accept_one(key.fileobj, is_tls=bool(key.data))

    def _accept_one(self, listening: socket.socket, *, is_tls: bool) -> None:
        try:
            connection, address = listening.accept()
        except BlockingIOError:
            return
        except OSError as error:
            # The peer is gone already, or there are no descriptors left: the next one may fare better.
            log.warning("gateway.accept_failed", error=error.strerror)
            if error.errno in _NO_MORE:
                time.sleep(_POLL_S)
            return
        connection.setblocking(True)
        self._hand_on(connection, str(address[0]), is_tls=is_tls)

    def _hand_on(self, connection: socket.socket, address: str, *, is_tls: bool) -> None:
        used = max(self._crew.busy / self._most, self._crew.busy_of(address) / self._most_of_one)
        if used >= _CLOSED_AT:
            self._on_closed(address)
            connection.close()
            return
        with contextlib.suppress(OSError):  # it is closed already, which its reader sees
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        rejection = LOCAL_LIMIT if used >= 1 else self._refusing()
        self._crew.take(connection, Call(address, is_tls, rejection))
