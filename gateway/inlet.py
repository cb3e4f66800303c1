"""A door inside of the vault: a socket by which commands on this machine have what they stored recorded.

Whoever may write the vault may connect; nobody else reaches a socket in it. What comes in is what a worker
would send, and is made durable in the one journal.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import structlog

from gateway.journal import Appends
from gateway.workers.records import keep_records
from streams.errors import Unavailable

log = structlog.get_logger()

NAME = "gateway.sock"
MOST = 16
"""Commands at once; more wait."""
_POLL_S = 0.1


class Inlet:
    """Listens in a vault.

    Parameters
    ----------
    vault
        Its folder, 0700.
    journal
        What it records in.
    """

    def __init__(self, vault: Path, journal: Appends) -> None:
        self._vault = vault
        self._journal = journal
        self._stopping = threading.Event()
        self._room = threading.BoundedSemaphore(MOST)
        self._open: set[socket.socket] = set()
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Listen; only one gateway may use the vault.

        Raises
        ------
        OSError
            When that can't be.
        """
        (self._vault / NAME).unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with _address(self._vault) as address:
            listening.bind(address)
        (self._vault / NAME).chmod(0o600)
        listening.listen(MOST)
        listening.settimeout(_POLL_S)
        self._thread = threading.Thread(target=self._accept, args=(listening,), name="gateway-inlet")
        self._thread.start()

    def close(self) -> None:
        """Listen no more, and hang up on who is connected."""
        self._stopping.set()
        if self._thread:
            self._thread.join()
        for connection in list(self._open):
            with contextlib.suppress(OSError):  # it is closed already
                connection.shutdown(socket.SHUT_RDWR)
        (self._vault / NAME).unlink(missing_ok=True)

    def _accept(self, listening: socket.socket) -> None:
        with listening:
            while not self._stopping.is_set():
                if not self._room.acquire(timeout=_POLL_S):
                    continue
                try:
                    connection, _ = listening.accept()
                except OSError:  # nobody came, or they are gone already
                    self._room.release()
                    continue
                connection.settimeout(None)
                self._open.add(connection)
                threading.Thread(target=self._keep, args=(connection,), daemon=True).start()

    def _keep(self, connection: socket.socket) -> None:
        try:
            with connection:
                keep_records(connection, self._journal)
        finally:
            self._open.discard(connection)
            self._room.release()


def reach(vault: Path) -> socket.socket:
    """Connect to the gateway that uses a vault.

    Raises
    ------
    streams.errors.Unavailable
        When none does, or the vault is another's.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _address(vault) as address:
            connection.connect(address)
    except OSError as error:
        connection.close()
        raise Unavailable(
            f"No gateway answers in {vault} ({error.strerror}): start `chips up` or `chips gateway`, "
            "as the user that the vault belongs to"
        ) from error
    return connection


@contextlib.contextmanager
def _address(vault: Path) -> Iterator[str]:
    """Give the socket's address, by way of the open folder where the system can: an address has 107 bytes."""
    folder = os.open(vault, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        short = Path(f"/proc/self/fd/{folder}")
        yield str((short if short.exists() else vault) / NAME)
    finally:
        os.close(folder)
