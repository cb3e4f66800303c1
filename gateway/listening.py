"""Connections and associations of the door: pynetdicom's, bounded, and looked after until their end.

pynetdicom 3.0.4 reads PDUs of any length, and tells the end of an association on some of its ways only.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import sys
from collections.abc import Callable
from socketserver import BaseServer
from typing import Any

import structlog
from pynetdicom.association import Association
from pynetdicom.transport import AddressInformation, AssociationServer, AssociationSocket, RequestHandler

from gateway.errors import where_of
from gateway.receiving import Reception
from gateway.spool import Announced, Spool

log = structlog.get_logger()

_MAX_READ = 1024 * 1024  # an A-ASSOCIATE-RQ with 128 contexts of 20 transfer syntaxes has 190 kB
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux


class DoorAssociation(Association):
    """An association whose spools and end are looked after."""

    def __init__(
        self, ae: Any, begin: Callable[[Announced], Spool], on_end: Callable[[DoorAssociation], None]
    ) -> None:
        super().__init__(ae, "acceptor")
        self.dimse = Reception(self, begin)
        self.was_aborted = False
        """Either side aborted; else, when it was not released, the connection was lost or fell silent."""
        self._on_end = on_end

    def hang_up(self) -> None:
        """End it from our side."""
        if self.is_established:
            self.was_aborted = True
            self.abort()
        else:
            self.stop_waiting()

    def stop_waiting(self) -> None:
        """Let a thread go that waits for the A-ASSOCIATE-RQ of a connection that is over."""
        if self.requestor.primitive is None:
            self.dul.to_user_queue.put(None)

    def run_reactor(self) -> None:
        """Serve it; whatever ends it, tell once."""
        try:
            super().run_reactor()
        finally:
            self.dimse.close()
            self._on_end(self)


class DoorSocket(AssociationSocket):
    """A socket that reads no more than a PDU may have."""

    def recv(self, nr_bytes: int) -> bytearray:
        """Read so many bytes, fewer only when the peer closed.

        Raises
        ------
        OSError
            When that is more than any PDU we agreed to, or nothing came for the network timeout.
        """
        if nr_bytes > _MAX_READ:
            raise OSError(f"A PDU of {nr_bytes} bytes, the limit is {_MAX_READ}")
        data = bytearray(nr_bytes)
        view, at = memoryview(data), 0
        while at < nr_bytes:
            read = self.socket.recv_into(view[at:])
            if not read:
                view.release()
                del data[at:]
                break
            at += read
        self._acknowledge_now()
        return data

    def _acknowledge_now(self) -> None:
        """Send TCP's acknowledgement at once, where the system can (Linux).

        A sender with Nagle's algorithm on waits for it between command and data set; delayed, that is 40 ms
        an object. The option lasts for one acknowledgement.
        """
        if _QUICKACK is not None:
            with contextlib.suppress(OSError):  # that the connection is lost, the next read says
                self.socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def _shutdown_socket(self) -> None:
        super()._shutdown_socket()
        self.assoc.stop_waiting()


class DoorServer(AssociationServer):
    """Listens, and makes each connection an association of ours.

    Parameters
    ----------
    begin
        Opens the spool of an announced object.
    on_end
        Told once when an association is over, in its thread.
    max_connections
        Connections beyond are closed at once; associations are bounded by the AE, which can say why.
    """

    request_queue_size = 128

    def __init__(
        self,
        *arguments: Any,
        begin: Callable[[Announced], Spool],
        on_end: Callable[[DoorAssociation], None],
        max_connections: int,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, request_handler=_Handler, **options)
        self.begin = begin
        self.on_end = on_end
        self.numbers = itertools.count(1)
        self._max_connections = max_connections

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection."""
        request, address = super().get_request()
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Else a peer that stops in the middle of a PDU would hold its thread for ever.
        request.settimeout(self.ae.network_timeout)
        return request, address

    def stop(self) -> None:
        """Listen no more; open associations go on."""
        BaseServer.shutdown(self)  # pynetdicom's own expects a server that its AE started
        self.server_close()

    def verify_request(self, _request: socket.socket, _address: Any) -> bool:
        """Take a connection, unless there are too many."""
        return len(self.active_associations) < self._max_connections

    def handle_error(self, _request: socket.socket, _address: Any) -> None:
        """Tell that a connection could not be served; the others go on."""
        error = sys.exception()
        if error is not None:
            log.error("gateway.connection_failed", kind=type(error).__name__, where=where_of(error))


class _Handler(RequestHandler):
    """As pynetdicom's, with our association and socket, which it gives no way to choose."""

    def _create_association(self) -> DoorAssociation:
        server: Any = self.server
        assoc = DoorAssociation(self.ae, server.begin, server.on_end)
        assoc._server = server  # noqa: SLF001 - as pynetdicom does
        assoc.name = f"AcceptorThread@{next(server.numbers)}"  # pynetdicom counts associations by this name
        assoc.set_socket(DoorSocket(assoc, client_socket=self.request))
        assoc.acceptor.maximum_length = self.ae.maximum_pdu_size
        assoc.acceptor.ae_title = server.ae_title
        assoc.acceptor.address_info = self.local
        assoc.acceptor.implementation_class_uid = self.ae.implementation_class_uid
        assoc.acceptor.implementation_version_name = self.ae.implementation_version_name
        assoc.acceptor.supported_contexts = list(server.contexts)
        assoc.requestor.address_info = AddressInformation.from_tuple(self.client_address)
        for event, handlers in server._handlers.items():  # noqa: SLF001 - as pynetdicom does
            if event.is_intervention:
                assoc.bind(event, *handlers)
            else:
                for handler, arguments in handlers:
                    assoc.bind(event, handler, arguments)
        return assoc
