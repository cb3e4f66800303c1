"""The host's side: lay out an input folder, read a result without trusting it, understand progress lines.

The output folder was written by a program that is not trusted: links, devices, paths that leave the folder,
missing files and sizes beyond the limits are refused before anything is read.
"""

from __future__ import annotations

import math
import os
import stat
from pathlib import Path

import msgspec

from plugins.contract.errors import InvalidResult
from plugins.contract.types import (
    INPUT_FILE,
    RESULT_FILE,
    ArtefactFile,
    PluginInput,
    PluginResult,
    Progress,
    ResultLimits,
)

MAX_PROGRESS_LINE = 4096


class CheckedArtefact(msgspec.Struct, frozen=True, kw_only=True):
    """An artefact whose file is a plain file inside the output folder; `size` in bytes."""

    artefact: ArtefactFile
    path: Path
    size: int


class CheckedResult(msgspec.Struct, frozen=True, kw_only=True):
    """A result that keeps the contract."""

    result: PluginResult
    files: list[CheckedArtefact]


def write_input(folder: Path, content: PluginInput) -> None:
    """Write ``input.json``; the caller has put the instances in place."""
    (folder / INPUT_FILE).write_bytes(msgspec.json.encode(content))


def read_result(output: Path, limits: ResultLimits | None = None) -> CheckedResult:
    """Read and check what a plugin left in `output`.

    Parameters
    ----------
    output
        The output folder, after the plugin has ended.
    limits
        What is accepted at most; `ResultLimits` by default.

    Raises
    ------
    InvalidResult
        If the result is missing, malformed, too large, or names anything but plain files below `output`.
    """
    limits = limits or ResultLimits()
    try:
        raw = _read_plain(output / RESULT_FILE, limits.result_bytes)
        result = msgspec.json.decode(raw, type=PluginResult)
    except OSError as error:
        raise InvalidResult(f"{RESULT_FILE} can't be read: {error.strerror or error}") from error
    except msgspec.DecodeError as error:
        raise InvalidResult(f"{RESULT_FILE} breaks the contract: {error}") from error
    _check_values(result)
    files = [_check_file(output, artefact, limits) for artefact in result.artefacts]
    total = sum(file.size for file in files)
    if total > limits.total_bytes:
        raise InvalidResult(f"the artefacts have {total} bytes; at most {limits.total_bytes} are accepted")
    return CheckedResult(result=result, files=files)


def parse_progress(line: bytes) -> Progress | None:
    """Understand a line of standard output; none if it is not progress (then it is a log line)."""
    if len(line) > MAX_PROGRESS_LINE:
        return None
    try:
        return msgspec.json.decode(line, type=Progress)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _check_values(result: PluginResult) -> None:
    names = [artefact.name for artefact in result.artefacts]
    if len(set(names)) != len(names):
        raise InvalidResult("two artefacts have the same name")
    for measure in result.measures:
        if not math.isfinite(measure.value):
            raise InvalidResult(f"measure {measure.name} is not a finite number")


def _check_file(output: Path, artefact: ArtefactFile, limits: ResultLimits) -> CheckedArtefact:
    """Walk down without following a link: the folder could hold one that points at the host's files."""
    path = output
    parts = artefact.path.split("/")
    try:
        for part in parts[:-1]:
            path /= part
            if not stat.S_ISDIR(path.lstat().st_mode):
                raise InvalidResult(f"artefact {artefact.name}: {part} is not a plain folder")
        path /= parts[-1]
        status = path.lstat()
    except OSError as error:
        raise InvalidResult(f"artefact {artefact.name}: {error.strerror or error}") from error
    if not stat.S_ISREG(status.st_mode):
        raise InvalidResult(f"artefact {artefact.name} is not a plain file")
    if status.st_size > limits.file_bytes:
        raise InvalidResult(
            f"artefact {artefact.name} has {status.st_size} bytes; at most {limits.file_bytes} are accepted"
        )
    return CheckedArtefact(artefact=artefact, path=path, size=status.st_size)


def _read_plain(path: Path, limit: int) -> bytes:
    """Read a small plain file. O_NONBLOCK: opening a pipe that nobody writes must not hang the host."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise InvalidResult(f"{path.name} is not a plain file")
        if status.st_size > limit:
            raise InvalidResult(f"{path.name} has {status.st_size} bytes; at most {limit} are accepted")
        return file.read(limit)
