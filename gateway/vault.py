"""The vault: originals under their sha256, readable by the inner zone's owner alone (0700, 0600)."""

from __future__ import annotations

import os
from pathlib import Path

from gateway.commitment.holdings import Holdings
from gateway.commitment.reports import Reports
from gateway.spool import FULL, Received
from streams.blobs import Blobs
from streams.durable import lasting_folder, sync_folder
from streams.errors import NoSpace, Unavailable


class Originals(Blobs):
    """Blobs of the vault, which also take in a file that lies on their file system, without copying it."""

    def adopt(self, project: str, received: Received) -> None:
        """Give a file whose bytes are durable its blob's name, durably; raises as `put` does."""
        final = self._file(project, received.sha256)
        try:
            self._make(final.parent)
            received.path.replace(final)
            sync_folder(final.parent)
        except OSError as error:
            if error.errno in FULL:
                raise NoSpace(f"No space for originals in {self.root}: make room, then try again") from error
            raise Unavailable(f"Cannot write originals in {self.root}: {error.strerror}") from error


class Vault:
    """A project's originals, and the folder in which objects arrive.

    Parameters
    ----------
    root
        The vault. `objects` holds blobs, `incoming` what is being received, and was not acknowledged,
        `holdings` which objects there are, and `reports` what senders that asked for that are still to hear.
    reserve
        Bytes that stay free.
    """

    def __init__(self, root: Path, reserve: int) -> None:
        self.blobs = Originals(root / "objects", private=True)
        self.incoming = root / "incoming"
        self.root = root
        self._reserve = reserve
        for folder in (root, self.incoming):
            lasting_folder(folder, 0o700)
            folder.chmod(0o700)
        self.holdings = Holdings(root / "holdings")
        self.reports = Reports(root / "reports")

    def sweep(self) -> None:
        """Remove what processes that died left behind; nobody may be receiving."""
        for left in self.incoming.iterdir():
            left.unlink()
        self.blobs.sweep_tmp()
        self.reports.leave_all()

    def sweep_after(self, pid: int) -> None:
        """Remove what a process that died was receiving."""
        for left in self.incoming.glob(f"{pid}-*"):
            left.unlink(missing_ok=True)
        self.reports.leave_all(pid)

    def has_room(self) -> bool:
        """Tell whether more than the reserve is free."""
        return self.free() > self._reserve

    def free(self) -> int:
        """Give the free space, bytes."""
        found = os.statvfs(self.root)
        return found.f_bavail * found.f_frsize
