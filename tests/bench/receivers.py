"""Receivers to send to, each a process of its own: ours, the lean loop, and peers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from gateway.dul import commands, negotiation, pdus
from gateway.reception import OURS
from tests.bench.sender import association_request
from tests.dcmtk import dcmtk
from tests.door import CT, DoorProcess, make_topics, settings_in
from tests.engines.ports import free_port

START_S = 60


class Running(NamedTuple):
    """Where it listens, and its process."""

    port: int
    pid: int


Receiver = Callable[[Path], AbstractContextManager[Running]]

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
ae.maximum_associations = 64
ae.add_supported_context("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1")
handler = {"decoded": decoded, "raw": raw}[sys.argv[3]]
handlers = [(evt.EVT_C_STORE, handler)]
server = ae.start_server(("127.0.0.1", int(sys.argv[1])), block=False, evt_handlers=handlers)
print("ready", flush=True)
sys.stdin.read()
server.shutdown()
"""


@contextlib.contextmanager
def chips(folder: Path) -> Iterator[Running]:
    """The gateway, with the embedded bus."""
    settings = settings_in(folder, dicom_port=free_port(), dicom_processes=0)
    asyncio.run(make_topics(settings))
    door = DoorProcess(settings, folder / "log")
    try:
        yield Running(settings.dicom_port, door.process.pid)
    finally:
        door.stop()


@contextlib.contextmanager
def lean(folder: Path) -> Iterator[Running]:
    """`tests.bench.lean`, which is told what to say."""
    accept = negotiation.agree(negotiation.parse(memoryview(association_request())[6:]), OURS).pdu
    request = commands.Command(commands.Field.C_STORE, 1, CT[0], "2.25." + 39 * "1", True, 0)
    success = pdus.command_pdu(1, commands.response(request, commands.SUCCESS))
    script = str(Path(__file__).parent / "lean.py")
    said = {"LEAN_ACCEPT": accept.hex(), "LEAN_SUCCESS": success.hex()}
    with _python([script], folder, **said) as running:
        yield running


def plain(kind: str) -> Receiver:
    """pynetdicom, as its documentation has it."""

    @contextlib.contextmanager
    def run(folder: Path) -> Iterator[Running]:
        with _python(["-c", _PLAIN], folder, kind) as running:
            yield running

    return run


@contextlib.contextmanager
def storescp(folder: Path) -> Iterator[Running]:
    """dcmtk's, a process an association."""
    port = free_port()
    line = [dcmtk("storescp"), "--fork", "--bit-preserving", "-pdu", "131072", "-od", str(folder), str(port)]
    with _listening(line, port) as running:
        yield running


@contextlib.contextmanager
def orthanc(folder: Path) -> Iterator[Running]:
    """Orthanc with SQLite, which overwrites nothing and asks no plugin."""
    port = free_port()
    config = folder / "orthanc.json"
    config.write_text(
        json.dumps(
            {
                "StorageDirectory": str(folder / "db"),
                "IndexDirectory": str(folder / "db"),
                "HttpServerEnabled": False,
                "DicomServerEnabled": True,
                "DicomPort": port,
                "DicomAlwaysAllowStore": True,
                "DicomCheckCalledAet": False,
                "MaximumPduLength": 131072,
                "DicomThreadsCount": 16,
                "Plugins": [],
            }
        )
    )
    with _listening(["Orthanc", str(config)], port) as running:
        yield running


@contextlib.contextmanager
def _python(program: list[str], folder: Path, *more: str, **said: str) -> Iterator[Running]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, *program, str(port), str(folder), *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **said},
    )
    with process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        yield Running(port, process.pid)
        process.communicate()


@contextlib.contextmanager
def _listening(line: list[str], port: int) -> Iterator[Running]:
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + START_S
        while True:
            assert process.poll() is None, f"{line[0]} ended"
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert time.monotonic() < until, f"{line[0]} does not listen"
            time.sleep(0.05)
        yield Running(port, process.pid)
    finally:
        process.terminate()
        process.wait(30)
