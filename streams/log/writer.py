"""The appending thread of a producing process; what is handed in meanwhile goes into the next commit."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from streams.bus import Message, Position
from streams.errors import Refused, Rejected, Unavailable
from streams.log.log import Appended, Log
from streams.log.logs import Logs
from streams.partitioner import partition_of

GROUP = 2000
"""Most messages of one commit."""

TRIM_S = 60.0
"""How often a producing process forgets what has expired, s."""


class Request(NamedTuple):
    """Messages to append together, in order; `done` belongs to `loop`, where `settled` is called, too."""

    messages: Sequence[Message]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[list[Position]]
    settled: Callable[[], None]
    """Called when the request is written or refused, also when its sender waits no more."""
    partition: int | None = None
    """Where they go; None: where their keys lie."""


Outcome = tuple[Request, list[Position] | Exception]


class Writer(threading.Thread):
    """Appends requests in the order in which they came."""

    def __init__(self, directory: Path) -> None:
        super().__init__(name="bus-writer", daemon=True)
        self._directory = directory
        self._queue: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._logs: Logs | None = None
        self._trimmed = time.monotonic()

    def put(self, request: Request) -> None:
        """Hand in a request; its sender bounds how many are under way."""
        self._queue.put(request)

    def finish(self) -> None:
        """Let the thread end after what was handed in so far."""
        self._queue.put(None)

    def run(self) -> None:
        """Commit groups until `finish`."""
        try:
            while group := self._take():
                _tell(self._append(group))
                self._trim()
        finally:
            if self._logs:
                self._logs.close()

    def _take(self) -> list[Request]:
        """Wait for a request, and take those that wait behind it; none at the end."""
        first = self._queue.get()
        if first is None:
            return []
        group = [first]
        size = len(first.messages)
        while size < GROUP:
            try:
                request = self._queue.get_nowait()
            except queue.Empty:
                break
            if request is None:
                self._queue.put(None)
                break
            group.append(request)
            size += len(request.messages)
        return group

    def _append(self, group: list[Request]) -> list[Outcome]:
        try:
            logs = self._logs = self._logs or Logs(self._directory)
        except (Unavailable, Rejected) as error:
            return [(request, error) for request in group]
        outcomes: list[Outcome] = []
        by_log: dict[Log, list[tuple[Request, list[Appended]]]] = {}
        now = time.time_ns() // 1_000_000
        for request in group:
            try:
                log, records = _address(logs, request, now)
            except (Unavailable, Rejected) as error:
                outcomes.append((request, error))
            else:
                by_log.setdefault(log, []).append((request, records))
        for log, requests in by_log.items():
            outcomes += _commit(log, requests)
        return outcomes

    def _trim(self) -> None:
        if self._logs is None or time.monotonic() - self._trimmed < TRIM_S:
            return
        self._trimmed = time.monotonic()
        try:
            self._logs.trim(time.time_ns() // 1_000_000)
        except Unavailable:
            return  # what has expired waits for the next time, or for another process


def _address(logs: Logs, request: Request, now: int) -> tuple[Log, list[Appended]]:
    records = []
    log = logs.of(request.messages[0].topic)
    for message in request.messages:
        partitions = log.partitions(message.topic)
        key = message.key.encode()
        partition = partition_of(key, partitions) if request.partition is None else request.partition
        if not 0 <= partition < partitions:
            raise Refused(f"Topic {message.topic} has no partition {partition}")
        records.append(Appended(message.topic, partition, now, key, message.value, message.headers))
    return log, records


def _commit(log: Log, requests: list[tuple[Request, list[Appended]]]) -> list[Outcome]:
    try:
        positions = log.append([record for _, records in requests for record in records])
    except (Unavailable, Rejected) as error:
        return [(request, error) for request, _ in requests]
    except Exception as error:  # noqa: BLE001 - the thread must live on, and each sender be told
        away = Unavailable(f"The bus could not append: {type(error).__name__}")
        away.__cause__ = error
        return [(request, away) for request, _ in requests]
    outcomes: list[Outcome] = []
    start = 0
    for request, records in requests:
        outcomes.append((request, positions[start : start + len(records)]))
        start += len(records)
    return outcomes


def _tell(outcomes: list[Outcome]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[Outcome]] = {}
    for outcome in outcomes:
        by_loop.setdefault(outcome[0].loop, []).append(outcome)
    for loop, told in by_loop.items():
        # One wake-up for the whole group. A loop that was closed meanwhile has nobody left to tell.
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, told)


def _settle(outcomes: list[Outcome]) -> None:
    for request, outcome in outcomes:
        request.settled()
        if request.done.done():
            continue
        if isinstance(outcome, Exception):
            request.done.set_exception(outcome)
        else:
            request.done.set_result(outcome)
