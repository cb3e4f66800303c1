"""A peer to send to, by pynetdicom: associations whose queue is bounded, C-STORE of files, reports."""

# ruff: noqa: SLF001 - `c_store` is made of the parts that pynetdicom's own method is made of

from __future__ import annotations

import logging
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from io import BytesIO
from typing import Any, NamedTuple

from pydicom.uid import UID
from pynetdicom import AE, _config
from pynetdicom.dimse_primitives import C_STORE, N_EVENT_REPORT
from pynetdicom.presentation import build_context, build_role

from gateway.dul.stream import MAX_PDU
from gateway.outgoing import Outgoing
from gateway.spool import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION

TIMEOUT_S = 60
_QUEUED_PDUS = 16


def silence_pynetdicom() -> None:
    """Let pynetdicom log nothing: its lines quote UIDs."""
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)
    _config.LOG_HANDLER_LEVEL = "none"


class Peer(NamedTuple):
    """Where to send, and under which names."""

    host: str
    port: int
    called_ae: str
    calling_ae: str
    tls: ssl.SSLContext | None = None
    """None: without TLS."""

    def associate(
        self, contexts: Iterable[tuple[str, str]], *, as_scp: bool = False, timeout_s: float = TIMEOUT_S
    ) -> Any:
        """Open an association of pynetdicom; not established when the peer is away or refuses.

        Parameters
        ----------
        as_scp
            Ask to be the SCP of all contexts, by role selection negotiation (PS3.7, D.3.3.4).
        timeout_s
            For connecting, and for each answer, s.
        """
        wanted = list(contexts)
        ae = AE(self.calling_ae)
        ae.implementation_class_uid = IMPLEMENTATION_CLASS_UID
        ae.implementation_version_name = IMPLEMENTATION_VERSION
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = ae.connection_timeout = timeout_s
        association = ae.associate(
            self.host,
            self.port,
            contexts=[build_context(sop_class, syntax) for sop_class, syntax in wanted],
            ae_title=self.called_ae,
            max_pdu=MAX_PDU,
            tls_args=(self.tls, self.host) if self.tls else None,
            ext_neg=[build_role(UID(one), scp_role=True) for one in {one for one, _ in wanted}]
            if as_scp
            else None,
        )
        if association.is_established:
            association.dul.to_provider_queue = _Bounded(association.dul)
            _leave_answers(association)
            association.dul.socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return association


class _Bounded(queue.Queue[Any]):
    """PDUs to be sent, a few: pynetdicom would queue a whole file in memory."""

    def __init__(self, dul: threading.Thread) -> None:
        super().__init__(_QUEUED_PDUS)
        self._dul = dul

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT001, FBT002 - the signature of Queue
        """Wait for room while somebody sends; what nobody will send is dropped."""
        while self._dul.is_alive():
            try:
                super().put(item, block, 1.0 if timeout is None else timeout)
            except queue.Full:
                if timeout is not None or not block:
                    raise
            else:
                return


def _leave_answers(association: Any) -> None:
    """Keep pynetdicom's reactor from taking an answer that `c_store` waits for.

    It is to pause meanwhile, but on a busy machine says that it has before it does (3.0.4).
    """
    take = association.dimse.get_msg

    def get_msg(block: bool = False) -> Any:  # noqa: FBT001, FBT002 - the signature of pynetdicom
        return take(block) if block else (None, None)

    association.dimse.get_msg = get_msg


def c_store(association: Any, file: Outgoing) -> C_STORE | None:
    """Send one C-STORE and wait for its answer; None when the association broke.

    As pynetdicom's ``send_c_store`` of a path, which takes the UIDs from the file meta information alone.

    Raises
    ------
    ValueError
        When the other side accepted no context for it.
    OSError
        When the file can't be read.
    """
    context = association._get_valid_context(
        UID(file.sop_class_uid), UID(file.transfer_syntax_uid), "scu", allow_conversion=False
    )
    request = C_STORE()
    request.MessageID = 1
    request.Priority = 2
    request.AffectedSOPClassUID = file.sop_class_uid
    request.AffectedSOPInstanceUID = file.sop_instance_uid
    request._dataset_path = (file.path, file.offset)
    return _answer_to(association, request, context.context_id)


def n_event_report(
    association: Any, context_id: int, instance: tuple[str, str], event_type: int, data: bytes
) -> int | None:
    """Send one N-EVENT-REPORT of an instance (its class, its UID); give its status, None without an answer.

    Parameters
    ----------
    data
        Encoded as the context says.
    """
    request = N_EVENT_REPORT()
    request.MessageID = 1
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = map(UID, instance)
    request.EventTypeID = event_type
    request.EventInformation = BytesIO(data)
    response = _answer_to(association, request, context_id)
    return None if response is None else int(response.Status)


def _answer_to(association: Any, request: Any, context_id: int) -> Any:
    """Send a request and wait for its answer; None when the association broke."""
    association._reactor_checkpoint.clear()
    try:
        until = time.monotonic() + TIMEOUT_S
        while not association._is_paused and time.monotonic() < until:
            time.sleep(0.0001)
        association.dimse.send_msg(request, context_id)
        _, response = association.dimse.get_msg(block=True)
    finally:
        association._reactor_checkpoint.set()
    if response is None:
        association.abort()
        return None
    return response if response.is_valid_response else None
