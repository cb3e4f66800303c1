"""What a runtime is given and what it tells: types."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import msgspec

from plugins.contract.types import Manifest
from schemas.job import Isolation

LineSink = Callable[[bytes], None]
"""Takes a line of the step's standard output, on the event loop."""

Started = Callable[[], Awaitable[None]]
"""Is told once that the step's process runs."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt of a job; its name is the same whichever runner makes it.

    Attributes
    ----------
    folder
        Absolute path with ``input`` and ``output``.
    group
        Group id that may read the files of ``input``.
    """

    project: str
    job: str
    attempt: int
    plugin: Manifest
    folder: Path
    group: int

    @property
    def name(self) -> str:
        """Name of its container."""
        return f"chips-{self.job}-{self.attempt}"


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a step's process ended. `cause` is None when it ended well; `output` is where its files lie."""

    cause: str | None
    seconds: float
    output: Path


class Runtime(Protocol):
    """Runs steps confined."""

    @property
    def isolation(self) -> Isolation:
        """How; it is shown to people."""
        ...

    async def check(self) -> None:
        """See that steps can be run.

        Raises
        ------
        streams.errors.Unavailable
            When the engine that runs them is away.
        """
        ...

    async def run(self, step: Step, on_line: LineSink, on_started: Started) -> Ended:
        """Run a step, or go on with it when it runs already, until it ends or its time is over.

        Cancelled, it leaves nothing running that no other runner could go on with.

        Raises
        ------
        streams.errors.Unavailable
            When the engine that runs it is away.
        """
        ...

    async def remove(self, step: Step) -> None:
        """Remove what is left of a step's process; nothing there is no error."""
        ...

    async def sweep(self, is_over: Callable[[str, str], Awaitable[bool]]) -> int:
        """Remove what runners left that died; return how many.

        Parameters
        ----------
        is_over
            Tells for (project, job) whether the job has ended.
        """
        ...

    async def close(self) -> None:
        """Let go."""
        ...
