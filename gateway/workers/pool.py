"""The gateway's workers: started, given connections, started again when they die, ended."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple, cast

import structlog

from gateway.admission import Call
from gateway.associations import Outcome
from gateway.commitment.holdings import Finds
from gateway.dul.negotiation import Accepts
from gateway.journal import Appends
from gateway.metrics import Metrics
from gateway.presence import Party
from gateway.quotas import Quotas
from gateway.reception import Committed, Reported
from gateway.refusal_events import Refused
from gateway.tls import TlsFiles
from gateway.vault import Vault
from gateway.workers.messages import (
    LARGEST,
    Close,
    Counted,
    Gone,
    Ready,
    Serve,
    Start,
    To,
    decode_from,
    encode,
)
from gateway.workers.questions import answer_questions
from gateway.workers.records import keep_records
from streams.errors import Unavailable

log = structlog.get_logger()

START_S = 30.0
"""How long a worker may take to start, s."""
_AGAIN_S = (0.1, 10.0)
"""First and longest wait before a worker that died is started again, s; doubled in between."""
_BACKLOG = 512 * 1024


class Duty(NamedTuple):
    """What workers work on."""

    vault: Vault
    journal: Appends
    holdings: Finds
    quotas: Quotas
    project: str
    reserve: int
    log_level: str
    accepts: Accepts = "any"
    tls: TlsFiles | None = None
    sources: str = ""
    """File of sources."""
    rules: Callable[[], bytes] = lambda: b""
    """Gives what stands in it, or stood when it could be followed."""


class Worker:
    """One worker, and its successors; threads of its own look after it until `close`."""

    def __init__(self, duty: Duty, metrics: Metrics) -> None:
        self._duty = duty
        self._metrics = metrics
        self._lock = threading.Lock()
        self._serving: dict[int, str] = {}
        self._established: Counter[Party] = Counter()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._closing = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="gateway-worker")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wait_ready(self, seconds: float) -> bool:
        """Wait until it serves."""
        return self._ready.wait(seconds)

    @property
    def busy(self) -> int:
        """Connections that it serves."""
        return len(self._serving)

    def busy_of(self, address: str) -> int:
        """Count connections that it serves from an address."""
        return list(self._serving.values()).count(address)

    @property
    def is_ready(self) -> bool:
        """Whether it takes connections."""
        return self._ready.is_set()

    def take(self, number: int, connection: socket.socket, call: Call) -> bool:
        """Hand it a connection; tell whether it took it."""
        with self._lock:
            if self._control is None or not self._ready.is_set():
                return False
            self._serving[number] = call.address
            try:
                message = encode(Serve(number, *call))
                socket.send_fds(self._control, [message], [connection.fileno()])
            except OSError:
                self._serving.pop(number, None)
                return False
        connection.close()
        return True

    def close(self, grace_s: float) -> None:
        """Let its associations end for so long, then hang up; whatever it does, it ends."""
        self._closing.set()
        self._tell(Close(grace_s))
        process = self._process
        if process:
            try:
                process.wait(3 * grace_s + 1)
            except subprocess.TimeoutExpired:
                process.kill()
        self._thread.join()

    def _keep(self) -> None:
        wait, longest = _AGAIN_S
        while not self._closing.is_set():
            began = time.monotonic()
            self._live()
            if self._closing.is_set():
                return
            log.error("gateway.worker_died", code=self._process.returncode if self._process else None)
            wait = _AGAIN_S[0] if time.monotonic() - began > longest else min(2 * wait, longest)
            self._closing.wait(wait)

    def _live(self) -> None:
        """Start a process, and listen to it until its end."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        records, their_records = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        questions, their_questions = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, records, questions:
            with theirs, their_records, their_questions:
                process = self._process = _started(self._duty.rules(), theirs, their_records, their_questions)
            keepers = [
                threading.Thread(
                    target=keep_records, args=(records, self._duty.journal), name="gateway-records"
                ),
                threading.Thread(
                    target=answer_questions,
                    args=(questions, self._duty.quotas, self._duty.holdings),
                    name="gateway-questions",
                ),
            ]
            for keeper in keepers:
                keeper.start()
            with self._lock:
                self._control = ours
            duty = self._duty
            self._tell(
                Start(
                    vault=str(duty.vault.root),
                    reserve=duty.reserve,
                    project=duty.project,
                    log_level=duty.log_level,
                    accepts=duty.accepts,
                    tls=duty.tls,
                    sources=duty.sources,
                )
            )
            if self._closing.is_set():
                self._tell(Close(0.0))
            self._listen(ours)
            with self._lock:
                self._control = None
                self._ready.clear()
            process.wait()
            for keeper in keepers:
                keeper.join()
        self._after(process.pid)

    def _listen(self, control: socket.socket) -> None:
        with contextlib.suppress(OSError):  # its end is told the same way as by an empty message
            while message := control.recv(LARGEST):
                match decode_from(message):
                    case Ready():
                        self._ready.set()
                    case Gone(number):
                        self._serving.pop(number, None)
                    case Counted() as counted:
                        self._count(counted)
                    case Refused() as refused:
                        self._metrics.refused(refused)

    def _count(self, counted: Counted) -> None:
        metrics = self._metrics
        match counted.what:
            case "opened":
                self._established[counted.party] += 1
                metrics.opened(counted.party)
            case "ended":
                self._established -= Counter([counted.party])  # forgets whoever has none left
                metrics.ended(counted.party, cast("Outcome", counted.word))
            case "stored":
                for size, seconds in counted.objects:
                    metrics.stored(size, seconds)
            case "committed":
                metrics.committed(cast("Committed", counted.word))
            case "reported":
                metrics.reported(cast("Reported", counted.word))

    def _after(self, pid: int) -> None:
        """Clear up after a process: its connections are gone, and what it was receiving is nobody's."""
        self._serving.clear()
        for party in self._established.elements():
            self._metrics.ended(party, "lost")
        self._established.clear()
        with contextlib.suppress(OSError):  # what is left is swept at the next start
            self._duty.vault.sweep_after(pid)

    def _tell(self, message: To) -> None:
        with self._lock, contextlib.suppress(OSError):  # it died, which `_listen` sees
            if self._control:
                self._control.send(encode(message))


class Workers:
    """Serves connections in processes of their own, each by the worker that has fewest."""

    def __init__(self, count: int, duty: Duty, metrics: Metrics) -> None:
        self._workers = [Worker(duty, metrics) for _ in range(count)]
        self._number = 0

    def start(self) -> None:
        """Start them all.

        Raises
        ------
        streams.errors.Unavailable
            When one does not come up.
        """
        for worker in self._workers:
            worker.start()
        until = time.monotonic() + START_S
        if not all(worker.wait_ready(until - time.monotonic()) for worker in self._workers):
            self.close(0.0)
            raise Unavailable("The gateway's workers do not start: see the log for why")

    def take(self, connection: socket.socket, call: Call) -> None:
        """Hand a connection to a worker; closed when none lives."""
        self._number += 1
        for worker in sorted(self._workers, key=lambda one: one.busy):
            if worker.take(self._number, connection, call):
                return
        connection.close()

    @property
    def busy(self) -> int:
        """Connections being served."""
        return sum(worker.busy for worker in self._workers)

    def busy_of(self, address: str) -> int:
        """Count connections being served that come from an address."""
        return sum(worker.busy_of(address) for worker in self._workers)

    def close(self, grace_s: float) -> None:
        """Let associations end for so long, then hang up, and end the workers."""
        closing = [threading.Thread(target=worker.close, args=(grace_s,)) for worker in self._workers]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join()


def _started(rules: bytes, *sockets: socket.socket) -> subprocess.Popen[bytes]:
    """Start a worker that has the other ends, in the order of its arguments."""
    descriptors = [one.fileno() for one in sockets]
    with tempfile.TemporaryFile() as told:
        told.write(rules)
        told.seek(0)
        return subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "gateway.workers.process", *map(str, descriptors)],
            pass_fds=descriptors,
            stdin=told,
            env={**os.environ},
        )
