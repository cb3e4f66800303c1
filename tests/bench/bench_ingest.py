"""Ingest: CT of 0.5 MB, small slices and one large multi-frame object, to CHIPS, a lean loop and peers.

Each receiver is a process of its own; rounds are interleaved. What its success means differs, and the table
says it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.bench import receivers
from tests.bench.figures import Spread, number, ranged, spread, table
from tests.bench.processes import cpu_seconds, peak_mb
from tests.bench.receivers import Receiver
from tests.bench.sender import Prepared, prepare, send
from tests.door import image

ROUNDS = 5
CHIPS = "CHIPS gateway"
LEAN = "lean durable loop"
TITLE = "Receiving images"
ABOUT = (
    "Sent by a lean sender (bytes made beforehand) that runs on the same machine; the receivers take turns. "
    "CHIPS says success after object and journal entry are fsynced, and publishes beside. The *lean durable "
    "loop* is the least that a Python receiver can do to say the same: it hashes, writes and fsyncs file and "
    "journal, and negotiates, checks and publishes nothing; *of lean* compares with it. pynetdicom, dcmtk's "
    "storescp and Orthanc (SQLite) say success when a file was written, unsynced. Processor time and memory "
    "are those of the receiver with the processes that it started; memory is the sum of what each had at its "
    "highest."
)
RECEIVERS: dict[str, Receiver] = {
    LEAN: receivers.lean,
    CHIPS: receivers.chips,
    "pynetdicom, raw bytes to a file": receivers.plain("raw"),
    "pynetdicom, decoded and saved": receivers.plain("decoded"),
    "dcmtk storescp": receivers.storescp,
    "Orthanc": receivers.orthanc,
}


class Load(NamedTuple):
    """What is sent: its name, how many images of how many rows and frames, over how many associations."""

    name: str
    images: int
    side: int
    associations: tuple[int, ...]
    rounds: int
    frames: int = 1


class Row(NamedTuple):
    """Medians over the rounds, with their range."""

    load: str
    receiver: str
    associations: int
    images_per_s: Spread
    mb_per_s: float
    of_lean: float
    cpu_ms_per_image: float
    peak_mb: float


class Figure(NamedTuple):
    seconds: float
    cpu: float
    peak: float


def loads(rounds: int, images: int, slices: int, frames: int) -> list[Load]:
    return [
        Load("CT of 0.5 MB", images, 512, (1, 4, 16), rounds),
        Load("slices of 35 kB", slices, 132, (4,), 1),
        Load(f"one object of {frames * 2.1:.0f} MB", 1, 1024, (1,), 1, frames),
    ]


def send_over(port: int, objects: list[Prepared], associations: int) -> float:
    """Send all; give the seconds it took. An association that fails fails the measurement."""
    with ThreadPoolExecutor(associations) as senders:
        begun = time.perf_counter()
        sending = [senders.submit(send, port, objects[start::associations]) for start in range(associations)]
        for one in sending:
            one.result()
        return time.perf_counter() - begun


def once(receiver: Receiver, objects: list[Prepared], associations: int) -> Figure:
    with tempfile.TemporaryDirectory(prefix="chips-bench-") as folder, receiver(Path(folder)) as running:
        before = cpu_seconds(running.pid)
        seconds = send_over(running.port, objects, associations)
        return Figure(seconds, cpu_seconds(running.pid) - before, peak_mb(running.pid))


def measure(rounds: int = ROUNDS, images: int = 400, slices: int = 10_000, frames: int = 240) -> list[Row]:
    """Run all receivers in turn."""
    rows: list[Row] = []
    for load in loads(rounds, images, slices, frames):
        objects = [
            prepare(image("1.2.3", number=index, side=load.side, frames=load.frames))
            for index in range(load.images)
        ]
        for associations in load.associations:
            figures: dict[str, list[Figure]] = {}
            for _ in range(load.rounds):
                for name, receiver in RECEIVERS.items():
                    figures.setdefault(name, []).append(once(receiver, objects, associations))
            rows += _rows(load, associations, figures, sum(one.size for one in objects))
    return rows


def _rows(load: Load, associations: int, figures: dict[str, list[Figure]], size: int) -> Iterable[Row]:
    lean = spread(one.seconds for one in figures[LEAN]).median
    for name, found in figures.items():
        seconds = spread(one.seconds for one in found).median
        yield Row(
            load=load.name,
            receiver=name,
            associations=associations,
            images_per_s=spread(load.images / one.seconds for one in found),
            mb_per_s=size / seconds / 1e6,
            of_lean=lean / seconds,
            cpu_ms_per_image=spread(1000 * one.cpu / load.images for one in found).median,
            peak_mb=max(one.peak for one in found),
        )


def markdown(rows: list[Row]) -> str:
    """Write the figures as a table."""
    head = ["load", "associations", "receiver", "images/s", "MB/s", "of lean", "CPU, ms an image", "peak, MB"]
    return table(
        head,
        (
            [
                row.load,
                str(row.associations),
                row.receiver,
                ranged(row.images_per_s),
                number(row.mb_per_s),
                number(row.of_lean),
                number(row.cpu_ms_per_image),
                number(row.peak_mb),
            ]
            for row in rows
        ),
        left=3,
    )
