"""Whether what runs steps answers: asked now and then, and at once when a job was let down."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from agents.dispatch.runner.steps import Runtime
from streams.errors import Unavailable

PERIOD_S = 10.0
"""Between two questions, s."""

ANSWER_S = 10.0
"""For an answer, s."""

MAX_REASON = 200

log = structlog.get_logger()


class EngineWatch:
    """Knows what is wrong with a runtime, as of the last answer: reading it asks nobody.

    Parameters
    ----------
    answered
        Is called after each answer.
    """

    def __init__(self, runtime: Runtime, answered: Callable[[], None]) -> None:
        self._runtime = runtime
        self._answered = answered
        self._doubted = asyncio.Event()
        self._doubted.set()  # nothing is known yet
        self._problem: str | None = None

    @property
    def problem(self) -> str | None:
        """What keeps steps from being run; None: nothing known."""
        return self._problem

    @property
    def answers(self) -> bool:
        """Tell whether a job may be begun: it answered, and nothing happened since that says otherwise."""
        return self._problem is None and not self._doubted.is_set()

    def doubt(self) -> None:
        """Have it asked at once: a job was let down by something."""
        self._doubted.set()

    async def run(self) -> None:
        """Ask, until cancelled."""
        while True:
            await self.ask()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PERIOD_S):
                    await self._doubted.wait()

    async def ask(self) -> None:
        """Ask once and keep the answer."""
        before, problem = self._problem, None
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._runtime.check()
        except Unavailable as away:
            problem = str(away)[:MAX_REASON]
        except TimeoutError:
            problem = f"What runs steps gave no answer within {ANSWER_S:.0f} s"
        self._problem = problem
        self._doubted.clear()
        if problem and not before:
            log.warning("runner.engine_away", reason=problem)
        elif before and not problem:
            log.info("runner.engine_back")
        self._answered()
