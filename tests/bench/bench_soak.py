"""Soak: very many small images to one gateway, and its memory meanwhile."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.bench import receivers
from tests.bench.bench_ingest import send_over
from tests.bench.figures import number, table
from tests.bench.processes import resident_mb
from tests.bench.sender import prepare
from tests.door import image

IMAGES = 100_000
STEPS = 10
ASSOCIATIONS = 4
TITLE = "Receiving for long"
ABOUT = (
    f"{IMAGES:,} images of 2 kB over {ASSOCIATIONS} associations at a time, in {STEPS} parts, to a CHIPS "
    "gateway that publishes to the embedded bus beside. Resident memory is that of the gateway with its "
    "workers, after each part."
)


class Row(NamedTuple):
    """A part: images until its end, how fast they came, and memory after it."""

    images: int
    images_per_s: float
    resident_mb: float


def measure(images: int = IMAGES) -> list[Row]:
    """Send all, part by part."""
    rows: list[Row] = []
    part = max(ASSOCIATIONS, images // STEPS)
    with (
        tempfile.TemporaryDirectory(prefix="chips-bench-") as folder,
        receivers.chips(Path(folder)) as running,
    ):
        for step in range(STEPS):
            objects = [prepare(image(f"1.2.{step}", number=index, side=32)) for index in range(part)]
            seconds = send_over(running.port, objects, ASSOCIATIONS)
            rows.append(Row((step + 1) * part, part / seconds, resident_mb(running.pid)))
    return rows


def markdown(rows: list[Row]) -> str:
    """Write the figures as a table."""
    lines = ([f"{row.images:,}", number(row.images_per_s), number(row.resident_mb)] for row in rows)
    return table(["images", "images/s", "resident, MB"], lines, left=0)
