"""Ingest: CT of 0.5 MB over 1 and 4 associations, the door beside a plain pynetdicom SCP.

Each receiver is a process of its own; rounds are interleaved. The door's success means that object and
journal entry are fsynced; pynetdicom's, that a file was written.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.bench.figures import Spread, ranged, spread, table
from tests.bench.sender import Prepared, prepare, send
from tests.door import DoorProcess, image, make_topics, settings_in
from tests.engines.ports import free_port

IMAGES = 400
SIDE = 512  # 16 bit: 0.5 MB
TITLE = "Receiving images"
ABOUT = (
    f"{IMAGES} CT of 0.5 MB, sent by a lean sender (bytes made beforehand) that runs on the same machine, to "
    "a receiver in a process of its own; the receivers take turns. CHIPS says success after object and "
    "journal entry are fsynced, and publishes beside; pynetdicom says it when a file was written, unsynced."
)
ASSOCIATIONS = (1, 4)
ROUNDS = 3

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
    """Medians over the rounds, with their range."""

    receiver: str
    associations: int
    images_per_s: Spread
    mb_per_s: Spread
    cpu_ms_per_image: Spread
    """Of the receiving process."""


def send_over(port: int, objects: list[Prepared], associations: int) -> float:
    """Send all; give the seconds it took. An association that fails fails the measurement."""
    with ThreadPoolExecutor(associations) as senders:
        begun = time.perf_counter()
        sending = [senders.submit(send, port, objects[start::associations]) for start in range(associations)]
        for one in sending:
            one.result()
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
                with tempfile.TemporaryDirectory(prefix="chips-bench-") as folder:
                    figure = through(Path(folder), objects, associations)
                figures.setdefault((name, associations), []).append(figure)
    rows = []
    for (name, associations), found in figures.items():
        rates = [images / one.seconds for one in found]
        volumes = [size / one.seconds / 1e6 for one in found]
        cpu = [1000 * one.cpu / images for one in found]
        rows.append(Row(name, associations, spread(rates), spread(volumes), spread(cpu)))
    return rows


def markdown(rows: list[Row]) -> str:
    """Write the figures as a table."""
    head = ["receiver", "associations", "images/s", "MB/s", "receiver's CPU, ms an image"]
    return table(
        head,
        (
            [
                row.receiver,
                str(row.associations),
                ranged(row.images_per_s),
                ranged(row.mb_per_s),
                ranged(row.cpu_ms_per_image),
            ]
            for row in rows
        ),
    )
