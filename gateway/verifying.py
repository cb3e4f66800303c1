"""Whether a peer can be reached: a C-ECHO, and what stood in its way."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from typing import Any, NamedTuple

from pydicom.uid import ImplicitVRLittleEndian
from pynetdicom.sop_class import Verification

from gateway.dul.commands import SUCCESS
from gateway.peer import Peer, silence_pynetdicom
from gateway.tls import why_not
from schemas.pacs import TestOutcome

TIMEOUT_S = 10.0
"""For connecting, and for each answer, s."""
_REFUSAL_S = 0.5
"""How long a peer may take to say that it does not take our certificate, s."""


class Verified(NamedTuple):
    """What came of it."""

    outcome: TestOutcome
    seconds: float
    detail: str = ""
    """Words of the operating system or of DICOM, none of the peer's own."""


def verify(peer: Peer, timeout_s: float = TIMEOUT_S) -> Verified:
    """Ask a peer for a C-ECHO; never raises for what it does."""
    silence_pynetdicom()
    began = time.monotonic()
    outcome, detail = _tried(peer, timeout_s)
    return Verified(outcome, time.monotonic() - began, detail)


def _tried(peer: Peer, timeout_s: float) -> tuple[TestOutcome, str]:
    # Alone, first: an association of pynetdicom does not say why it could not connect.
    try:
        connection = socket.create_connection((peer.host, peer.port), timeout_s)
    except OSError as error:
        return "unreachable", error.strerror or str(error) or "no answer"
    with connection:
        if peer.tls and (problem := _handshake(connection, peer.tls, peer.host)):
            return "tls-failed", problem
    began = time.monotonic()
    association = peer.associate([(Verification, ImplicitVRLittleEndian)], timeout_s=timeout_s)
    try:
        if not association.is_established:
            return _not_established(association, is_late=time.monotonic() - began >= timeout_s)
        status = association.send_c_echo()
        if "Status" in status:
            answered = int(status.Status)
            return ("ok", "") if answered == SUCCESS else ("failed", f"status {answered:04X}")
        return ("silent" if time.monotonic() - began >= timeout_s else "failed"), "no answer to C-ECHO"
    finally:
        if association.is_established:
            association.release()


def _handshake(connection: socket.socket, context: ssl.SSLContext, host: str) -> str:
    """Say why a handshake fails; empty when it does not."""
    try:
        with context.wrap_socket(connection, server_hostname=host) as wrapped:
            # With TLS 1.3 a peer that does not take our certificate says so after the handshake.
            wrapped.settimeout(_REFUSAL_S)
            with contextlib.suppress(TimeoutError):
                if not wrapped.recv(1):
                    return "it hung up after the handshake"
    except OSError as error:
        return why_not(error)
    return ""


def _not_established(association: Any, *, is_late: bool) -> tuple[TestOutcome, str]:
    answer = association.acceptor.primitive
    if association.is_rejected:
        return "rejected", f"{answer.source_str}: {answer.reason_str}" if answer else ""
    if answer is not None and answer.result == 0:
        return "no-echo", "no context for Verification"
    return ("silent", "no answer to the request") if is_late else ("failed", "it broke off")
