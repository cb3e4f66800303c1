"""The plugin's side: `main` reads the input, calls the plugin's function and writes the result.

A plugin is a manifest and a function from `Context` to `Report`. What the function raises ends the process
with status 1 and the cause as the last line on standard error.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from plugins.contract.errors import InvalidInput
from plugins.contract.types import (
    INPUT_FILE,
    RESULT_FILE,
    ArtefactFile,
    InputInstance,
    Manifest,
    MediaType,
    Outcome,
    PluginFinding,
    PluginInput,
    PluginMeasure,
    PluginResult,
    Progress,
)

MAX_INPUT_BYTES = 64 * 2**20
MAX_PARAMETER_BYTES = 2**20

P = TypeVar("P", bound=msgspec.Struct)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a plugin's function found; the files are written by `Context.save`."""

    outcome: Outcome
    artefacts: list[ArtefactFile] = []
    measures: list[PluginMeasure] = []
    findings: list[PluginFinding] = []
    tools: dict[str, str] = {}


class Context(Generic[P]):
    """A plugin's view of one run: its input, its parameters, and where its output goes."""

    def __init__(self, source: Path, target: Path, content: PluginInput, parameters: P) -> None:
        self.input = content
        self.parameters = parameters
        self._source = source
        self._target = target

    def path(self, instance: InputInstance) -> Path:
        """Give the file of an instance."""
        return self._source / instance.path

    def save(self, name: str, *, role: str, media_type: MediaType, data: bytes) -> ArtefactFile:
        """Write an artefact and describe it."""
        return self.save_pieces(name, role=role, media_type=media_type, pieces=[data])

    def save_pieces(
        self, name: str, *, role: str, media_type: MediaType, pieces: Iterable[bytes]
    ) -> ArtefactFile:
        """Write an artefact that is too large to hold in memory, piece by piece, and describe it."""
        with (self._target / name).open("wb") as file:
            for piece in pieces:
                file.write(piece)
        return ArtefactFile(name=name, path=name, media_type=media_type, role=role)

    def progress(self, fraction: float, step: str) -> None:
        """Report how far the run is, from 0 to 1."""
        line = msgspec.json.encode(Progress(progress=round(min(1.0, max(0.0, fraction)), 3), step=step))
        sys.stdout.write(line.decode() + "\n")
        sys.stdout.flush()


def main(
    manifest: Manifest,
    run: Callable[[Context[P]], Report],
    parameters: type[P],
    argv: Sequence[str] | None = None,
) -> int:
    """Run a plugin from the command line.

    Parameters
    ----------
    manifest
        The plugin's declaration.
    run
        The plugin's function.
    parameters
        Type of the parameter file; its defaults stand when there is none.
    argv
        Arguments; those of the process by default.

    Returns
    -------
    int
        Exit status: 0 if ``result.json`` is there and valid, 1 otherwise.
    """
    arguments = _arguments(manifest, argv)
    try:
        content = _decode(arguments.input / INPUT_FILE, MAX_INPUT_BYTES, PluginInput)
        given = (
            _decode(arguments.parameters, MAX_PARAMETER_BYTES, parameters)
            if arguments.parameters
            else parameters()
        )
        report = run(Context(arguments.input, arguments.output, content, given))
        write_result(arguments.output, manifest, report)
    except Exception as error:  # noqa: BLE001 - the contract: whatever goes wrong is status 1 and a last line
        traceback.print_exc(limit=20)
        cause = " ".join(f"{type(error).__name__}: {error}".split())
        sys.stderr.write(f"{cause[:500]}\n")
        return 1
    return 0


def write_result(output: Path, manifest: Manifest, report: Report) -> None:
    """Write ``result.json`` atomically: it is whole or it is not there.

    Raises
    ------
    ValueError
        If a measure is not finite or the result breaks the contract's limits.
    """
    for measure in report.measures:
        if not math.isfinite(measure.value):
            raise ValueError(f"measure {measure.name} is not a finite number")
    result = PluginResult(
        plugin=manifest.name,
        version=manifest.version,
        outcome=report.outcome,
        artefacts=report.artefacts,
        measures=report.measures,
        findings=report.findings,
        tools=report.tools,
    )
    data = msgspec.json.encode(result)
    msgspec.json.decode(data, type=PluginResult)  # encoding does not check the limits, decoding does
    partial = output / f".{RESULT_FILE}.partial"
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(output / RESULT_FILE)


def _arguments(manifest: Manifest, argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=f"python -m plugins.{manifest.name}", description=manifest.description
    )
    parser.add_argument("--input", type=Path, required=True, help="folder with input.json and the instances")
    parser.add_argument("--output", type=Path, required=True, help="folder for the artefacts and result.json")
    parser.add_argument("--parameters", type=Path, help="JSON file with the parameters")
    return parser.parse_args(argv)


S = TypeVar("S", bound=msgspec.Struct)


def _decode(path: Path, limit: int, wanted: type[S]) -> S:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise InvalidInput(f"{path.name} has more than {limit} bytes")
        return msgspec.json.decode(data, type=wanted)
    except OSError as error:
        raise InvalidInput(f"{path.name} can't be read: {error.strerror or error}") from error
    except msgspec.DecodeError as error:
        raise InvalidInput(f"{path.name} breaks the contract: {error}") from error
