"""The vault: originals under their sha256, readable by the inner zone's owner alone (0700, 0600)."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from gateway.commitment.reports import Reports
from gateway.incoming import link, named
from gateway.spool import FULL, Received
from streams.blobs import Blobs, explain
from streams.durable import lasting_folder, sync_file, sync_folder


class Originals(Blobs):
    """Blobs of the vault, which also take in a file that lies on their file system, without copying it."""

    def __init__(self, root: Path, incoming: Path) -> None:
        super().__init__(root, private=True)
        self._incoming = incoming

    def prepare(self, project: str) -> None:
        """Make the folders of a project's blobs, so that no object waits for one; raises as `put` does."""
        folder = self._project(project)
        try:
            self._make(folder)
            for prefix in range(256):
                with contextlib.suppress(FileExistsError):
                    (folder / f"{prefix:02x}").mkdir(self._folder_mode)
            sync_folder(folder)
            self._lasting |= {folder / f"{prefix:02x}" for prefix in range(256)}
        except OSError as error:
            raise explain(error, self.root, "originals") from error

    def adopt(self, project: str, received: Received) -> None:
        """Give a file its blob's name, both durably; raises as `put` does.

        The name comes before the syncs, so that one transaction of the file system takes bytes and name.
        Until this returns a blob of that name may have other bytes after a power loss: nobody was told of it,
        and where there is one, a file whose bytes are durable takes its place.
        """
        final = self._file(project, received.sha256)
        try:
            self._make(final.parent)
            try:
                link(received.path, final)
            except OSError as error:
                if error.errno in FULL:
                    raise
                self._take_over(received.path, final)
            else:
                self._sync(received.path, final)
            sync_folder(final.parent)
        except OSError as error:
            raise explain(error, self.root, "originals") from error

    def _sync(self, file: Path, final: Path) -> None:
        """Make a file durable that has its name; where that fails it loses it, unless another has it."""
        try:
            sync_file(final)
        except OSError:
            with contextlib.suppress(OSError), _alone(final.parent):
                if final.stat().st_ino == file.stat().st_ino:
                    final.unlink()
            raise

    def _take_over(self, file: Path, final: Path) -> None:
        """Let a file take the place of a blob that is there, or of none where there are no links."""
        path = named(file, self._incoming)
        try:
            sync_file(path)
            with _alone(final.parent):
                path.replace(final)
        except OSError:
            path.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes and threads from giving and taking names in a folder that are there."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


class Vault:
    """A project's originals, and the folder in which objects arrive.

    Parameters
    ----------
    root
        The vault. `objects` holds blobs, `incoming` what is being received, and was not acknowledged,
        and `reports` what senders that asked for storage commitment are still to hear.
    reserve
        Bytes that stay free.
    """

    def __init__(self, root: Path, reserve: int) -> None:
        self.incoming = root / "incoming"
        self.blobs = Originals(root / "objects", self.incoming)
        self.root = root
        self._reserve = reserve
        for folder in (root, self.incoming):
            lasting_folder(folder, 0o700)
            folder.chmod(0o700)
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
