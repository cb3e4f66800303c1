"""What the workers of a test of pools do, in a module that a spawned process can import."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any, NamedTuple


class Doing(NamedTuple):
    """A handler that does as it is told: a task is (word, argument)."""

    unready: bool = False

    def handler(self) -> Doing:
        if self.unready:
            os._exit(3)
        return self

    def prepare(self, context: Any) -> None:
        global known  # noqa: PLW0603 - one handler a process
        known = context

    def handle(self, task: Any) -> Any:
        match task:
            case ("say", what):
                return what
            case ("known", _):
                return known
            case ("wait", until):
                while not Path(until).exists():
                    time.sleep(0.01)
                return until
            case ("die", _):
                os.kill(os.getpid(), signal.SIGKILL)
            case ("die-once", mark):
                if not Path(mark).exists():
                    Path(mark).touch()
                    os.kill(os.getpid(), signal.SIGKILL)
                return "alive"
            case ("big", size):
                return b"x" * size
            case ("pid", _):
                return os.getpid()
        raise AssertionError(task)


known: Any = None
