"""A lean DICOM sender of CT images: bytes made beforehand, one socket an association.

What it costs to send stays out of the figures of who receives.
"""

from __future__ import annotations

import socket
import struct
import time
from io import BytesIO
from typing import NamedTuple

from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.pdu import A_ASSOCIATE_RQ, A_RELEASE_RQ, P_DATA_TF
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    A_RELEASE,
    ImplementationClassUIDNotification,
    MaximumLengthNotification,
)
from pynetdicom.presentation import build_context

from gateway.spool import IMPLEMENTATION_CLASS_UID
from tests.door import CT, encoded

_CONTEXT = 1
_PDU = 128 * 1024
TIMEOUT_S = 60.0
"""For one answer of the receiver, s."""
_SUCCESS = struct.pack("<HHIH", 0x0000, 0x0900, 2, 0)


class Prepared(NamedTuple):
    """The bytes of one C-STORE, as PDUs."""

    pdus: bytes
    size: int


def prepare(dataset: Dataset) -> Prepared:
    data = encoded(dataset)
    request = C_STORE()
    request.MessageID, request.Priority = 1, 2
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = CT[0], dataset.SOPInstanceUID
    request.DataSet = BytesIO(data)
    message = C_STORE_RQ()
    message.primitive_to_message(request)
    pdus = bytearray()
    for primitive in message.encode_msg(_CONTEXT, _PDU):
        pdu = P_DATA_TF()
        pdu.from_primitive(primitive)
        pdus += pdu.encode()
    return Prepared(bytes(pdus), len(data))


def association_request() -> bytes:
    primitive = A_ASSOCIATE()
    primitive.application_context_name = UID("1.2.840.10008.3.1.1.1")
    primitive.calling_ae_title, primitive.called_ae_title = "LEAN", "CHIPS"
    length, implementation = MaximumLengthNotification(), ImplementationClassUIDNotification()
    length.maximum_length_received = _PDU
    implementation.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
    primitive.user_information = [length, implementation]
    context = build_context(*CT)
    context.context_id = _CONTEXT
    primitive.presentation_context_definition_list = [context]
    pdu = A_ASSOCIATE_RQ()
    pdu.from_primitive(primitive)
    return pdu.encode()


def release_request() -> bytes:
    pdu = A_RELEASE_RQ()
    pdu.from_primitive(A_RELEASE())
    return pdu.encode()


def read_pdu(connection: socket.socket) -> bytes:
    head = _read(connection, 6)
    (length,) = struct.unpack(">I", head[2:])
    return head + _read(connection, length)


def _read(connection: socket.socket, count: int) -> bytes:
    found = bytearray()
    while len(found) < count:  # a socket with a timeout does not wait for all of it by itself
        part = connection.recv(count - len(found))
        if not part:
            raise ConnectionError("the receiver closed the connection")
        found += part
    return bytes(found)


def send(port: int, objects: list[Prepared], timeout_s: float = TIMEOUT_S) -> float:
    """Send over one association; give when the last was acknowledged, s since the epoch.

    Raises
    ------
    OSError
        When the receiver closes the connection, or says nothing for `timeout_s`.
    """
    acknowledged = 0.0
    with socket.create_connection(("127.0.0.1", port), timeout_s) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(association_request())
        assert read_pdu(connection)[0] == 2, "association refused"
        for one in objects:
            connection.sendall(one.pdus)
            assert _SUCCESS in read_pdu(connection), "not acknowledged"
            acknowledged = time.time()
        connection.sendall(release_request())
        read_pdu(connection)
    return acknowledged
