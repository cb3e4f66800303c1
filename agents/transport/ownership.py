"""One consuming worker an app on an embedded bus: a lock that goes away with its process."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from streams.errors import Rejected


class Ownership:
    """The right to consume for an app, held until `release` or the process' end."""

    def __init__(self, directory: Path, app: str) -> None:
        self._file = directory / f"{app}.lock"
        self._app = app
        self._descriptor: int | None = None

    def take(self) -> None:
        """Take it.

        Raises
        ------
        streams.errors.Rejected
            When a worker has it; the message names its process.
        """
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = os.read(descriptor, 32).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise Rejected(
                f"Process {pid or '(just starting)'} already consumes as {self._app} at {self._file.parent}: "
                "an embedded bus takes one worker an agent. Stop that one, or use kafka://… to run several."
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give it back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
