"""From a step's output folder to a report: checked, and every artefact durable in the blob store first."""

from __future__ import annotations

from pathlib import Path

import msgspec

from plugins.contract.errors import InvalidResult
from plugins.contract.results import read_result
from plugins.contract.types import Manifest, ResultLimits
from schemas.job import Artefact, Finding, JobSucceeded, Measure, WorkOrder
from streams.blobs import Blobs

MAX_REPORT = 48 * 1024
"""Bytes of a report: it travels in an event, with what the event adds."""


def collect(
    blobs: Blobs,
    order: WorkOrder,
    plugin: Manifest,
    output: Path,
    *,
    fencing: int,
    attempt: int,
    seconds: float,
) -> JobSucceeded:
    """Store what a step made and say what it found. Blocks: call it in a thread.

    Raises
    ------
    plugins.contract.errors.InvalidResult
        When the output breaks the contract.
    streams.errors.Unavailable
        When the blob store fails or is full.
    """
    limit = plugin.resources.output_bytes
    checked = read_result(output, ResultLimits(file_bytes=limit, total_bytes=limit))
    result = checked.result
    if (result.plugin, result.version) != (plugin.name, plugin.version):
        raise InvalidResult(
            f"the result is by {result.plugin} {result.version}, not by {plugin.name} {plugin.version}"
        )
    artefacts = [
        Artefact(
            name=file.artefact.name,
            role=file.artefact.role,
            blob=blobs.put(order.project, file.path, file.artefact.media_type),
        )
        for file in checked.files
    ]
    succeeded = JobSucceeded(
        project=order.project,
        job=order.job,
        fencing=fencing,
        attempt=attempt,
        outcome=result.outcome,
        seconds=round(seconds, 3),
        artefacts=artefacts,
        measures=[
            Measure(name=one.name, value=one.value, unit=one.unit, label=one.label) for one in result.measures
        ],
        findings=[
            Finding(code=one.code, severity=one.severity, message=one.message) for one in result.findings
        ],
    )
    if len(msgspec.json.encode(succeeded)) > MAX_REPORT:
        raise InvalidResult(f"names, measures and findings exceed {MAX_REPORT} bytes: put them into a file")
    return succeeded
