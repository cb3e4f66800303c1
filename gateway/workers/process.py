"""``python -m gateway.workers.process CONTROL RECORDS QUESTIONS``: a worker with three sockets.

Its standard input has the rules about sources that stand until it can follow their file.

It ends when the gateway says so, and at once when the gateway is gone: without its journal nothing can be
acknowledged.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

from uuid_utils import uuid7

from gateway.admission import Call, Everybody
from gateway.associations import Outcome
from gateway.dul.negotiation import Rejection
from gateway.keys import Keyring
from gateway.presence import Party
from gateway.reception import Committed, Reception, Reported
from gateway.refusal_events import Refused
from gateway.serving import Threads
from gateway.silence import silence_libraries
from gateway.sources.doorkeeper import Doorkeeper
from gateway.storings import Storings
from gateway.tls import contexts
from gateway.vault import Vault
from gateway.workers.messages import (
    LARGEST,
    Close,
    Counted,
    From,
    Gone,
    Ready,
    Serve,
    Start,
    decode_to,
    encode,
)
from gateway.workers.questions import Asking
from gateway.workers.records import Recorder
from streams.clock import utc_now
from streams.logs import configure

_COUNTS_S = 0.05
_MOST_COUNTS = 256
"""What was stored is told so often, s, and no more of it at once."""


class Control:
    """The gateway's ear: counts, and ends of connections. Safe for many threads."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._stored: list[tuple[int, float]] = []
        self._any_stored = threading.Event()
        threading.Thread(target=self._tell_stored, name="gateway-counts", daemon=True).start()

    def tell(self, message: From) -> None:
        """Tell the gateway; when it is gone, end."""
        with self._lock:
            self._flush()
            self._send(message)

    def _tell_stored(self) -> None:
        while self._any_stored.wait():
            time.sleep(_COUNTS_S)
            with self._lock:
                self._flush()

    def _flush(self) -> None:
        """Tell what was stored; called with the lock held."""
        self._any_stored.clear()
        if self._stored:
            self._send(Counted("stored", objects=tuple(self._stored)))
            self._stored.clear()

    def _send(self, message: From) -> None:
        try:
            self._connection.send(encode(message))
        except OSError:
            os._exit(1)

    def opened(self, party: Party) -> None:
        """Count an association that was agreed on."""
        self.tell(Counted("opened", party=party))

    def ended(self, party: Party, outcome: Outcome) -> None:
        """Count the end of an association."""
        self.tell(Counted("ended", outcome, party))

    def stored(self, size: int, seconds: float) -> None:
        """Count an acknowledged object, with others of a short while."""
        with self._lock:
            self._stored.append((size, seconds))
            self._any_stored.set()
            if len(self._stored) >= _MOST_COUNTS:
                self._flush()

    def committed(self, outcome: Committed) -> None:
        """Count a request for storage commitment."""
        self.tell(Counted("committed", outcome))

    def reported(self, outcome: Reported) -> None:
        """Count a report of storage commitment that is done with."""
        self.tell(Counted("reported", outcome))

    def refused(self, refused: Refused) -> None:
        """Count a requestor that was sent away, or an object that was not kept."""
        self.tell(refused)


def main() -> None:
    """Serve until told to end."""
    control, records, questions = (socket.socket(fileno=int(number)) for number in sys.argv[1:4])
    # The gateway tells when to end; Ctrl-C in a terminal reaches the whole group.
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
    silence_libraries()
    gc.freeze()  # what was imported stays: nobody need look through it again
    threads: Threads | None = None
    ear = Control(control)
    while True:
        message, descriptors = _heard(control)
        match decode_to(message):
            case Start() as start:
                configure(start.log_level, "gateway")
                threads = Threads(
                    _reception(start, ear, records, Asking(questions)), lambda number: ear.tell(Gone(number))
                )
                ear.tell(Ready())
            case Serve(number, address, is_tls, rejection):
                connection = socket.socket(fileno=descriptors[0])
                if threads:
                    answer = Rejection(*rejection) if rejection else None
                    threads.serve(number, connection, Call(address, is_tls, answer))
            case Close(grace_s):
                if threads:
                    threads.close(grace_s)
                return


def _heard(control: socket.socket) -> tuple[bytes, list[int]]:
    """Wait for what the gateway says; end when it is gone."""
    try:
        message, descriptors, _, _ = socket.recv_fds(control, LARGEST, 1)
    except OSError:
        message, descriptors = b"", []
    if not message:
        os._exit(1)
    return message, descriptors


def _reception(start: Start, ear: Control, records: socket.socket, asking: Asking) -> Reception:
    vault = Path(start.vault)
    storings = Storings(Keyring(vault), Vault(vault, start.reserve), Recorder(records), utc_now)
    return Reception(
        storing=storings.of(start.project),
        admission=Doorkeeper(Path(start.sources), storings, sys.stdin.buffer.read())
        if start.sources
        else Everybody(),
        counting=ear,
        clock=utc_now,
        new_id=lambda: str(uuid7()),
        quotas=asking,
        holdings=asking,
        accepts=start.accepts,
        tls=contexts(start.tls, must_be_good=False) if start.tls else None,
        storing_of=storings.of,
    )


if __name__ == "__main__":
    main()
