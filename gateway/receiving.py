"""pynetdicom, changed where it would decode, leak, overflow or fall silent on the way in.

pynetdicom 3.0.4 writes a received object to a temporary file in the system's folder, leaves it behind when
the association breaks, dies in mid air when the disk is full, and reads PDUs of any length. So fragments go
to a `Spool` here, what a peer can make grow is bounded, and the end of an association is told exactly once.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections.abc import Callable
from socketserver import BaseServer
from typing import Any

import structlog
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.pdu_primitives import P_DATA
from pynetdicom.transport import AddressInformation, AssociationServer, AssociationSocket, RequestHandler

from gateway.spool import Announced, Spool

log = structlog.get_logger()

MAX_PDU = 128 * 1024
"""What we say we take, bytes (Maximum Length Received, PS3.8 D.1)."""

_MAX_READ = 1024 * 1024  # an A-ASSOCIATE-RQ with 128 contexts of 20 transfer syntaxes has 190 kB
_MAX_COMMAND = 64 * 1024
_MAX_OTHER_DATASET = 1024 * 1024
_MAX_WAITING = 16
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux
_INVALID_PDU = "Evt19"


class _Violation(Exception):  # noqa: N818 - what the peer did, not an error of ours
    """The peer does what no conforming peer does; its association is aborted."""


class Reception(DIMSEServiceProvider):
    """Takes fragments of C-STORE data sets to a spool; the rest is pynetdicom's. Runs in the DUL's thread."""

    def __init__(self, assoc: Association, begin: Callable[[Announced], Spool]) -> None:
        super().__init__(assoc)
        self._begin = begin
        self._current: tuple[int, Spool] | None = None
        self._other_bytes = 0
        self._spools: set[Spool] = set()
        self._closed = False
        self._lock = threading.Lock()

    def take(self, spool: Spool) -> None:
        """Hand a whole object to the one who handles it."""
        with self._lock:
            self._spools.discard(spool)

    def close(self) -> None:
        """Discard what was not handed over: the association is over."""
        with self._lock:
            self._closed = True
            spools, self._spools = self._spools, set()
        for spool in spools:
            spool.discard()

    def receive_primitive(self, primitive: P_DATA) -> None:
        """Take the fragments of one PDU."""
        try:
            for context_id, data in primitive.presentation_data_value_list:
                self._fragment(context_id, data)
        except Exception:  # noqa: BLE001 - whatever a peer's bytes provoke ends its association and no other
            self.assoc.was_aborted = True
            self.dul.event_queue.put(_INVALID_PDU)

    def _fragment(self, context_id: int, data: bytes) -> None:
        if not data:
            raise _Violation
        is_command, is_last = data[0] & 1, data[0] & 2
        if self._current and not is_command:
            expected, spool = self._current
            if context_id != expected:
                raise _Violation
            spool.write(memoryview(data)[1:])
            if is_last:
                self._current = None
                super().receive_primitive(_pdata(context_id, data[:1]))
            return
        self._other_bytes += len(data)
        if self._current or self._other_bytes > (_MAX_COMMAND if is_command else _MAX_OTHER_DATASET):
            raise _Violation
        if self.msg_queue.qsize() >= _MAX_WAITING:
            raise _Violation
        super().receive_primitive(_pdata(context_id, data))
        if is_last:
            self._other_bytes = 0
        if isinstance(self.message, C_STORE_RQ):
            self._start(context_id)

    def _start(self, context_id: int) -> None:
        """After the command of a C-STORE with a data set: open the spool that pynetdicom then writes to."""
        message: Any = self.message
        accepted = self.assoc._accepted_cx[context_id]  # noqa: SLF001 - pynetdicom's own lookup; KeyError aborts
        command = message.command_set
        spool = self._begin(
            Announced(
                str(command.AffectedSOPClassUID),
                str(command.AffectedSOPInstanceUID),
                str(accepted.transfer_syntax[0]),
            )
        )
        with self._lock:
            if not self._closed:
                self._spools.add(spool)
        if spool not in self._spools:
            spool.discard()
            raise _Violation
        message._data_set_file = PynetdicomFile(spool)  # noqa: SLF001 - where decode_msg writes to
        self._current = (context_id, spool)


class PynetdicomFile:
    """What pynetdicom takes for its temporary file: the last, empty fragment comes here, the others don't."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self.name = str(spool.path)
        self.file = self

    def write(self, data: bytes) -> int:
        """Take the empty end of the last fragment."""
        return len(data)

    def flush(self) -> None:
        """Nothing is buffered."""

    def close(self) -> None:
        """Forget the object, if its handler did not move it away."""
        self.spool.discard()


def _pdata(context_id: int, data: bytes) -> P_DATA:
    single = P_DATA()
    single.presentation_data_value_list = [[context_id, data]]
    return single


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
        log.exception("gateway.connection_failed")  # noqa: LOG004 - socketserver calls it in its handler


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
