"""Ingest: 400 CT of 0.5 MB over 1 and 4 associations, the door beside a plain pynetdicom SCP.

A lean sender (bytes made beforehand, one socket an association) keeps the sending side out of the figures.
Each receiver is a process of its own; rounds are interleaved, medians are given. The door's success means
that object and journal entry are fsynced; pynetdicom's, that a file was written.

Run: ``python -m tests.bench.bench_ingest [ROUNDS]``.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
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
from tests.door import CT, DoorProcess, encoded, free_port, image, make_topics, settings_in

IMAGES = 400
SIDE = 512  # 16 bit: 0.5 MB
ASSOCIATIONS = (1, 4)
ROUNDS = 3
_CONTEXT = 1
_PDU = 128 * 1024
_SUCCESS = struct.pack("<HHIH", 0x0000, 0x0900, 2, 0)

_PLAIN = """
import sys, pathlib
from pynetdicom import AE, evt, _config
_config.LOG_HANDLER_LEVEL = "none"
folder = pathlib.Path(sys.argv[2])
def decoded(event):
    dataset = event.dataset
    dataset.file_meta = event.file_meta
    dataset.save_as(folder / f"{dataset.SOPInstanceUID}.dcm", enforce_file_format=True)
    return 0
def raw(event):
    (folder / f"{event.request.AffectedSOPInstanceUID}.dcm").write_bytes(event.encoded_dataset())
    return 0
ae = AE("PLAIN")
ae.maximum_pdu_size = 131072
ae.add_supported_context("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1")
handler = {"decoded": decoded, "raw": raw}[sys.argv[3]]
handlers = [(evt.EVT_C_STORE, handler)]
server = ae.start_server(("127.0.0.1", int(sys.argv[1])), block=False, evt_handlers=handlers)
print("ready", flush=True)
sys.stdin.read()
server.shutdown()
"""


class Row(NamedTuple):
    """Medians over the rounds."""

    receiver: str
    associations: int
    images_per_s: float
    mb_per_s: float
    cpu_ms_per_image: float
    """Of the receiving process."""


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
    head = connection.recv(6, socket.MSG_WAITALL)
    (length,) = struct.unpack(">I", head[2:])
    return head + connection.recv(length, socket.MSG_WAITALL)


def send(port: int, objects: list[Prepared]) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(association_request())
        assert read_pdu(connection)[0] == 2, "association refused"
        for one in objects:
            connection.sendall(one.pdus)
            assert _SUCCESS in read_pdu(connection), "not acknowledged"
        connection.sendall(release_request())
        read_pdu(connection)


def send_over(port: int, objects: list[Prepared], associations: int) -> float:
    """Send all; give the seconds it took."""
    threads = [
        threading.Thread(target=send, args=(port, objects[start::associations]))
        for start in range(associations)
    ]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - begun


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Figure(NamedTuple):
    seconds: float
    cpu: float


def through_door(folder: Path, objects: list[Prepared], associations: int) -> Figure:
    settings = settings_in(folder, dicom_port=free_port())
    asyncio.run(make_topics(settings))
    door = DoorProcess(settings, folder / "log")
    try:
        before = cpu_seconds(door.process.pid)
        seconds = send_over(settings.dicom_port, objects, associations)
        return Figure(seconds, cpu_seconds(door.process.pid) - before)
    finally:
        door.stop()


def through_plain(kind: str) -> Callable[[Path, list[Prepared], int], Figure]:
    def run(folder: Path, objects: list[Prepared], associations: int) -> Figure:
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-c", _PLAIN, str(port), str(folder), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with process:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
            before = cpu_seconds(process.pid)
            seconds = send_over(port, objects, associations)
            return Figure(seconds, cpu_seconds(process.pid) - before)

    return run


RECEIVERS: dict[str, Callable[[Path, list[Prepared], int], Figure]] = {
    "CHIPS gateway (fsynced, journalled, published)": through_door,
    "pynetdicom, decoded and saved": through_plain("decoded"),
    "pynetdicom, raw bytes to a file": through_plain("raw"),
}


def measure(rounds: int = ROUNDS, images: int = IMAGES) -> list[Row]:
    """Run all receivers in turn, `rounds` times."""
    objects = [prepare(image("1.2.3", number=number, side=SIDE)) for number in range(images)]
    size = sum(one.size for one in objects)
    figures: dict[tuple[str, int], list[Figure]] = {}
    for _ in range(rounds):
        for name, through in RECEIVERS.items():
            for associations in ASSOCIATIONS:
                folder = Path(tempfile.mkdtemp(prefix="chips-bench-", dir=os.environ.get("TMPDIR")))
                try:
                    figures.setdefault((name, associations), []).append(
                        through(folder, objects, associations)
                    )
                finally:
                    shutil.rmtree(folder)
    rows = []
    for (name, associations), found in figures.items():
        seconds = statistics.median(one.seconds for one in found)
        cpu = statistics.median(one.cpu for one in found)
        rows.append(Row(name, associations, images / seconds, size / seconds / 1e6, 1000 * cpu / images))
    return rows


def markdown(rows: list[Row]) -> str:
    """Give the rows as a table."""
    lines = [
        "| receiver | associations | images/s | MB/s | receiver CPU, ms an image |",
        "|---|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {row.receiver} | {row.associations} | {row.images_per_s:.0f} | {row.mb_per_s:.0f} "
        f"| {row.cpu_ms_per_image:.1f} |"
        for row in rows
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown(measure(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)))
