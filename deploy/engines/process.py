"""A detached process that is found again by its lock, whoever started it."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

from streams.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import TextIO

_POLL_SECONDS = 0.1
_LOCK_ATTEMPTS = 50
_KILL_SECONDS = 20
_LOG_BYTES = 16 * 2**20
_TAIL_BYTES = 3000

# The shell puts the process in the background and ends, so that it belongs to init and leaves no zombie
# in whoever started it.
_LAUNCH = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'


class DetachedProcess:
    """One program that outlives its starter.

    The process inherits a locked file (``flock``) and so holds the lock exactly as long as it lives: a reused
    process id is never taken for ours, and two can't be started on the same data.

    Parameters
    ----------
    name
        What messages call it.
    pidfile
        The locked file; it holds the process id.
    log
        Where its output goes, appended; moved to ``*.1`` at a start when above 16 MiB.
    """

    def __init__(self, name: str, pidfile: Path, log: Path) -> None:
        self.name = name
        self._pidfile = pidfile
        self._log = log

    def start(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> bool:
        """Start ``command`` in a session of its own; return False when it runs already."""
        self._pidfile.parent.mkdir(parents=True, exist_ok=True)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        if self._log.exists() and self._log.stat().st_size > _LOG_BYTES:
            self._log.replace(self._log.with_name(self._log.name + ".1"))
        with self._pidfile.open("a+") as held:
            if not self._locked(held):
                return False
            held.truncate(0)
            launched = subprocess.run(  # noqa: S603  # the engines' own commands
                ["/bin/sh", "-c", _LAUNCH, "sh", str(self._log), *command],
                env=dict(os.environ if environment is None else environment),
                cwd=self._log.parent,
                pass_fds=[held.fileno()],
                start_new_session=True,
                stdout=subprocess.PIPE,
                check=True,
            )
            held.write(launched.stdout.decode())
        return True

    def pid(self) -> int | None:
        """Return the process id while it runs, None when it does not."""
        try:
            with self._pidfile.open("r") as probe:
                try:
                    fcntl.flock(probe, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    text = probe.read().strip()
                    return int(text) if text else None
        except FileNotFoundError:
            return None
        return None

    def wait_until(self, answers: Callable[[], bool], seconds: float) -> None:
        """Wait until ``answers`` returns true.

        Raises
        ------
        Unavailable
            The process ended, or ``seconds`` passed; the message carries the end of its log.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.pid() is None:
                raise Unavailable(
                    f"{self.name} ended while starting. The end of {self._log}:\n{self._tail()}"
                )
            if answers():
                return
            time.sleep(_POLL_SECONDS)
        raise Unavailable(
            f"{self.name} did not answer within {seconds:g} s. The end of {self._log}:\n{self._tail()}"
        )

    def kill(self) -> None:
        """End it as kill -9 does, and wait until it is gone; nothing happens when it does not run."""
        self._signal(signal.SIGKILL)
        self._gone(_KILL_SECONDS)

    def stop(self, seconds: float) -> None:
        """Ask it to end, and kill it after ``seconds``; nothing happens when it does not run."""
        self._signal(signal.SIGTERM)
        if not self._ended(seconds):
            self.kill()

    def _locked(self, held: TextIO) -> bool:
        """Take the lock; False when the program holds it. A look by `pid` holds it too, for an instant."""
        for _ in range(_LOCK_ATTEMPTS):
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if self.pid() is not None:
                    return False
                time.sleep(_POLL_SECONDS)
            else:
                return True
        raise Unavailable(f"{self.name}: somebody else is starting it ({self._pidfile} is locked).")

    def _gone(self, seconds: float) -> None:
        if not self._ended(seconds):
            raise Unavailable(
                f"{self.name} (process {self.pid()}) is still there {seconds:g} s after kill -9."
            )

    def _ended(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.pid() is not None:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def _signal(self, number: signal.Signals) -> None:
        pid = self.pid()
        if pid is None:
            return
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            # It ended between the two lines.
            return

    def _tail(self) -> str:
        try:
            return self._log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace")
        except FileNotFoundError:
            return "(there is no log)"
