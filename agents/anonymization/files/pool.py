"""Worker processes that take tasks and give answers; one that dies costs the task that it died of.

An adapter. The processes are spawned, not forked: they share nothing but what they are sent. Each works in
the order in which it was sent tasks, so that the one it died of is known.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

from streams.errors import Unavailable

T = TypeVar("T")

AHEAD = 3
"""Tasks that a worker has beside the one it works on, so that it never waits. They fit into a pipe."""
TRIES = 2
"""How often a task may end the process that works on it."""
_IDLE_DEATHS = 8
"""Processes that may end in a row without having worked."""
_START_S = 60.0
_STOP_S = 10.0


class Lost(NamedTuple):
    """No answer: the process died of the task time and again, or the task took longer than it may."""

    late: bool


class Handler(Protocol):
    """Works on tasks, in a worker."""

    def prepare(self, context: Any) -> None:
        """Take what the next tasks have in common."""
        ...

    def handle(self, task: Any) -> Any:
        """Answer a task; what is raised is a defect, and ends the process."""
        ...


class Setup(Protocol):
    """What a worker is made of; it is sent there, so it can be pickled."""

    def handler(self) -> Handler:
        """Make the handler, in the worker."""
        ...


class Context(NamedTuple):
    """What tasks have in common: `key` tells contexts apart, `load` gives the content."""

    key: str
    load: Callable[[], Any]


class Task(NamedTuple, Generic[T]):
    """Something to do, what it shares with others, and how long it may take, s."""

    what: T
    context: Context | None = None
    limit_s: float = 600.0
    tries: int = 0


class Pool:
    """Some workers.

    Parameters
    ----------
    size
        How many.
    setup
        Makes their handlers.

    Raises
    ------
    streams.errors.Unavailable
        When they don't start, or end again and again without having worked.
    """

    def __init__(self, size: int, setup: Setup) -> None:
        self._size = size
        self._setup = setup
        self._workers: list[_Worker] = []
        self._idle_deaths = 0

    def __enter__(self) -> Self:
        self._workers = [_Worker(self._setup) for _ in range(self._size)]
        for worker in self._workers:
            worker.wait_ready()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.end(now=kind is not None)

    def run(self, tasks: Iterable[Task[T]], *, ahead: int = AHEAD) -> Iterator[tuple[T, Any]]:
        """Yield what was to be done with its answer, or `Lost`, in the order of the answers.

        Tasks are taken as there is room for them. When the iterator is closed early, the pool is of no use
        any more.

        Raises
        ------
        streams.errors.Unavailable
            When processes end again and again without having worked.
        """
        coming = iter(tasks)
        again: deque[Task[T]] = deque()
        held: Task[T] | None = None
        while True:
            held = held or (again.popleft() if again else next(coming, None))
            free = self._free(held.context, ahead) if held else None
            if held and free:
                if free.send(held):
                    held = None
                    continue
                if not free.pending:
                    self._replace(free)
                    continue
            busy = [worker for worker in self._workers if worker.pending]
            if not busy:
                return
            yield from self._answers(busy, again)

    def _free(self, context: Context | None, ahead: int) -> _Worker | None:
        """Give the worker that has least to do, if one may be sent something."""
        takes = [worker for worker in self._workers if worker.takes(context, ahead)]
        return min(takes, key=lambda worker: len(worker.pending), default=None)

    def _answers(self, busy: list[_Worker], again: deque[Task[Any]]) -> Iterator[tuple[Any, Any]]:
        first = min(worker.deadline for worker in busy)
        ready = wait([worker.link for worker in busy], max(0.0, first - time.monotonic()))
        for worker in busy:
            if worker.link in ready:
                try:
                    answer = worker.link.recv()
                except (EOFError, ConnectionResetError):
                    yield from self._buried(worker, again, late=False)
                    continue
                self._idle_deaths = 0
                yield worker.done().what, answer
            elif time.monotonic() > worker.deadline and not worker.link.poll():
                yield from self._buried(worker, again, late=True)

    def _buried(self, worker: _Worker, again: deque[Task[Any]], *, late: bool) -> Iterator[tuple[Any, Any]]:
        """Put another worker in the place of one, and give up what it died of, unless it gets another try."""
        guilty, *others = worker.pending
        again.extend(others)
        self._replace(worker)
        if late or guilty.tries + 1 >= TRIES:
            yield guilty.what, Lost(late)
        else:
            again.appendleft(guilty._replace(tries=guilty.tries + 1))

    def _replace(self, worker: _Worker) -> None:
        if not worker.pending:
            self._idle_deaths += 1
            if self._idle_deaths > _IDLE_DEATHS:
                raise Unavailable("The processes that do the work end again and again without having worked.")
        worker.end(now=True)
        made = _Worker(self._setup)
        self._workers[self._workers.index(worker)] = made
        made.wait_ready()


class _Worker:
    """One process, and what it was sent and has not answered."""

    def __init__(self, setup: Setup) -> None:
        context = multiprocessing.get_context("spawn")
        self.link, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, setup), daemon=True)
        self._process.start()
        theirs.close()
        self.pending: deque[Task[Any]] = deque()
        self._since = time.monotonic()
        self._context: str | None = None

    def wait_ready(self) -> None:
        """Wait until it is there; raises `Unavailable` when it does not come."""
        with contextlib.suppress(EOFError, ConnectionResetError):
            if self.link.poll(_START_S) and self.link.recv() == "ready":
                return
        raise Unavailable("The processes that do the work don't start: is there enough memory?")

    @property
    def deadline(self) -> float:
        """When the task that it works on has taken too long, by the monotonic clock."""
        return self._since + self.pending[0].limit_s

    def takes(self, context: Context | None, ahead: int) -> bool:
        """Tell whether it may be sent a task: with a new context, which may be large, only when it is idle.

        Otherwise both sides could wait for the other to read.
        """
        if context is not None and context.key != self._context:
            return not self.pending
        return len(self.pending) <= ahead

    def send(self, task: Task[Any]) -> bool:
        """Send a task, and its context if it is another one; False when the process is gone."""
        try:
            if task.context is not None and task.context.key != self._context:
                self.link.send(("context", task.context.load()))
                self._context = task.context.key
            self.link.send(("task", task.what))
        except (BrokenPipeError, ConnectionResetError):
            return False
        if not self.pending:
            self._since = time.monotonic()
        self.pending.append(task)
        return True

    def done(self) -> Task[Any]:
        """Give the task that was answered."""
        self._since = time.monotonic()
        return self.pending.popleft()

    def end(self, *, now: bool) -> None:
        """Let it go: it ends when its pipe does, or now."""
        self.link.close()
        if now:
            self._process.kill()
        self._process.join(_STOP_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def serve(link: Connection[Any, Any], setup: Setup) -> None:
    """Work until the other side closes the pipe: the main function of a worker.

    Ctrl-C reaches the whole group of processes; what is under way is finished, and whoever started us stops.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    handler = setup.handler()
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        link.send("ready")
        while True:
            kind, content = link.recv()
            if kind == "context":
                handler.prepare(content)
            else:
                link.send(handler.handle(content))
