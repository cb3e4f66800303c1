"""A thread of its own for reading an embedded bus, so that no disk holds up the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from streams.log.logs import Logs

T = TypeVar("T")

FIRST_NAP_S = 0.002
LAST_NAP_S = 0.05
"""How soon a reader looks again: when busy, when idle, s."""


def longer(nap: float) -> float:
    """Give the nap after one in which nothing came."""
    return min(2 * nap, LAST_NAP_S)


class Reader:
    """The files of a bus, open in one thread."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._thread = ThreadPoolExecutor(1, "bus-reader")
        self._logs: Logs | None = None

    async def call(self, method: Callable[..., T], *arguments: Any) -> T:
        """Call a method of `Logs` in the thread; raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, method, arguments)

    async def close(self) -> None:
        """Let go of the files and the thread."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._let_go)
        self._thread.shutdown(wait=False)

    def _run(self, method: Callable[..., T], arguments: tuple[Any, ...]) -> T:
        logs = self._logs = self._logs or Logs(self._directory)
        return method(logs, *arguments)

    def _let_go(self) -> None:
        if self._logs:
            self._logs.close()
            self._logs = None
