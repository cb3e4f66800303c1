"""What became of files that were sent or imported: JSON lines, one an answer.

It stays with who gave the files, beside the files that it names. A line is written before the next object is
taken, so that a killed command goes on where it was; a torn last line counts as not written.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import NamedTuple, Self

from streams.errors import Rejected

WARNINGS = frozenset((0xB000, 0xB006, 0xB007))
"""Statuses that say "stored" and something besides (PS3.4 B.2.3)."""


def is_acknowledged(status: int) -> bool:
    """Tell whether a status says that the object is stored."""
    return status == 0 or status in WARNINGS


class Mark(NamedTuple):
    """Tells a file from another one, and from itself once changed: size in bytes, time of change in ns."""

    path: str
    size: int
    mtime_ns: int


class Answer(NamedTuple):
    """What was said to one object."""

    mark: Mark
    sop_instance_uid: str
    sha256: str
    status: int
    comment: str
    time: datetime


class Manifest:
    """An append-only file of answers; safe for many threads."""

    def __init__(self, path: Path) -> None:
        self._lock = Lock()
        self._done: set[Mark] = set()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b")
        except OSError as error:
            raise Rejected(
                f"The manifest {path} can't be written: {error.strerror}. Name another."
            ) from error
        self._file.seek(0)
        line = b"\n"
        for line in self._file:
            self._read(line)
        if not line.endswith(b"\n"):
            self._file.write(b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def has(self, mark: Mark) -> bool:
        """Tell whether this file, unchanged since, was acknowledged."""
        return mark in self._done

    def add(self, answer: Answer) -> None:
        """Write an answer."""
        line = json.dumps(
            {
                **answer.mark._asdict(),
                "sop_instance_uid": answer.sop_instance_uid,
                "sha256": answer.sha256,
                "status": f"{answer.status:04X}",
                "comment": answer.comment,
                "time": answer.time.isoformat(),
            }
        )
        with self._lock:
            self._file.write(line.encode() + b"\n")
            self._file.flush()
            if is_acknowledged(answer.status):
                self._done.add(answer.mark)

    def _read(self, line: bytes) -> None:
        try:
            found = json.loads(line)
            if is_acknowledged(int(found["status"], 16)):
                self._done.add(Mark(str(found["path"]), int(found["size"]), int(found["mtime_ns"])))
        except (ValueError, TypeError, KeyError):
            return  # torn by a crash, or no line of ours: what it may have said is sent again
