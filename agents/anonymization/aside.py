"""A piece of work in a process of its own, which can be killed at any time. An adapter.

The process is spawned, not forked: it shares nothing but what it is sent, and gives its memory back.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Final, Literal, NamedTuple, TypeVar, cast

from agents.judgement import describe
from streams.errors import Unavailable

T = TypeVar("T")

TRIES: Final = 2
"""How often a process may die of a piece of work."""
_STOP_S: Final = 10.0


class NoAnswer(Exception):  # noqa: N818 - the caller decides what it means
    """The process died of the work, twice, or took too long."""

    def __init__(self, *, late: bool) -> None:
        super().__init__("took too long" if late else "died, twice")
        self.late = late


class Failed(Exception):  # noqa: N818 - a defect of the work, told by where it was, without any text of it
    """The work raised something that is of no family."""


class _Answer(NamedTuple):
    kind: Literal["done", "away", "failed"]
    content: Any


async def aside(work: Callable[..., T], *arguments: Any, limit_s: float) -> T:
    """Do work in a process of its own, and give what it returned.

    When this is cancelled, the process is killed.

    Parameters
    ----------
    work
        A function of a module; it and its arguments can be pickled.
    limit_s
        How long it may take, all tries together, s.

    Raises
    ------
    NoAnswer
        When there is none.
    Failed
        When the work has a defect.
    streams.errors.Unavailable
        When the work raised it, or no process can be started.
    """
    try:
        async with asyncio.timeout(limit_s):
            for _ in range(TRIES):
                with contextlib.suppress(EOFError):
                    return cast("T", _told(await _once((limit_s, work, arguments))))
    except TimeoutError:
        raise NoAnswer(late=True) from None
    raise NoAnswer(late=False)


def _told(answer: _Answer) -> Any:
    if answer.kind == "away":
        raise Unavailable(answer.content)
    if answer.kind == "failed":
        raise Failed(answer.content)
    return answer.content


async def _once(asked: tuple[float, Callable[..., Any], tuple[Any, ...]]) -> _Answer:
    """Ask one process; raises EOFError when it dies."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,), daemon=True)
    try:
        process.start()
    except OSError as error:
        ours.close()
        raise Unavailable(f"No process can be started: {error.strerror}.") from error
    finally:
        theirs.close()
    try:
        # What is sent can be larger than a pipe takes, so that both ends have to be there.
        return await asyncio.to_thread(_ask, ours, asked)
    finally:
        # The thread, which may still wait, ends with the process.
        process.kill()
        await asyncio.to_thread(process.join, _STOP_S)


def _ask(link: Connection[Any, Any], asked: Any) -> _Answer:
    with link:
        try:
            link.send(asked)
            answer: _Answer = link.recv()
        except OSError as error:
            raise EOFError from error
    return answer


def serve(link: Connection[Any, Any]) -> None:
    """Do one piece of work: the main function of the process.

    Ctrl-C reaches the whole group of processes; whoever started this one kills it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with link, contextlib.suppress(EOFError, OSError):
        limit_s, work, arguments = link.recv()
        # Nobody kills the child of a parent that was killed.
        signal.setitimer(signal.ITIMER_REAL, limit_s)
        link.send(_answered(work, arguments))


def _answered(work: Callable[..., Any], arguments: tuple[Any, ...]) -> _Answer:
    try:
        return _Answer("done", work(*arguments))
    except Unavailable as error:
        return _Answer("away", str(error))
    except Exception as error:  # noqa: BLE001 - written by nobody here: its text could quote a value
        return _Answer("failed", describe(error))
