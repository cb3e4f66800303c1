"""Reports that wait for their peer: a file each in the vault, for any process of the gateway to deliver.

A report is of the process that received its request until the association ends; what the peer did not take
by then is due for an association of ours. Files are not synced: a report that is lost makes the sender ask
again, which changes nothing.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import uuid
from pathlib import Path

import msgspec

from gateway.admission import ReplyTo
from gateway.commitment.messages import Asked, Failure
from streams.errors import NoSpace

MOST = 1024
"""Reports that wait at once; requests beyond are refused, transiently."""
AT_ONCE = 4
"""Requests that a process reads at once, so that they take bounded memory."""
_DUE = "due"
_FILE_MODE = 0o600


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be told, where, and as whom. Of the inner zone, for no log."""

    association: str
    """That brought the request."""
    source: str
    reply: ReplyTo | None
    calling_ae: str
    """By which name the source knows us."""
    asked: Asked
    failures: tuple[Failure, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Report).decode


class Reports:
    """The reports of a vault; safe for many threads and processes.

    Parameters
    ----------
    folder
        Made when missing (0700).

    Attributes
    ----------
    desk
        Held by whoever reads a request.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._folder = folder
        self.desk = threading.BoundedSemaphore(AT_ONCE)

    def put(self, report: Report) -> Path:
        """Keep a report of an association that is open; `done` or `leave` follows.

        Raises
        ------
        OSError, streams.errors.NoSpace
            When it can't be kept, or too many wait.
        """
        if sum(1 for _ in self._folder.iterdir()) >= MOST:
            raise NoSpace("Too many reports of storage commitment wait")
        path = self._folder / f"{os.getpid()}-{uuid.uuid4().hex}"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE), "wb") as file:
            file.write(_encode(report))
        return path

    def done(self, path: Path) -> None:
        """Forget a report."""
        path.unlink(missing_ok=True)

    def leave(self, path: Path) -> None:
        """Leave a report for an association of ours."""
        with contextlib.suppress(FileNotFoundError):
            path.rename(path.with_name(f"{_DUE}-{path.name.partition('-')[2]}"))

    def leave_all(self, pid: int | None = None) -> None:
        """Leave those of a process that died; without one, of all: nobody may be receiving."""
        for path in self._folder.glob("*-*" if pid is None else f"{pid}-*"):
            if not path.name.startswith(f"{_DUE}-"):
                self.leave(path)

    def due(self) -> list[Path]:
        """Give the reports that are left, those that wait longest first."""
        found: list[tuple[float, Path]] = []
        for path in self._folder.glob(f"{_DUE}-*"):
            with contextlib.suppress(FileNotFoundError):
                found.append((path.stat().st_mtime, path))
        return [path for _, path in sorted(found)]

    def read(self, path: Path) -> Report | None:
        """Give a report; None when it does not read back, as after a power loss."""
        try:
            return _decode(path.read_bytes())
        except (OSError, msgspec.DecodeError):
            return None

    def age_s(self, path: Path) -> float:
        """Tell for how long a report waits, s."""
        try:
            return max(time.time() - path.stat().st_mtime, 0.0)
        except OSError:
            return 0.0
