"""A worker: which task is whose, and what of its failures is told."""

from __future__ import annotations

from typing import Any, NamedTuple

from agents.anonymization.files.examining import examine
from agents.anonymization.files.facing import take_faces
from agents.anonymization.files.judging import Judging
from agents.anonymization.files.tasks import Compare, Examine, Judge, Lines, Place, Stopped, TakeFaces
from agents.anonymization.installed import installed_tools
from agents.anonymization.tools import Tools
from streams.errors import NoSpace, Unavailable


class WorkerSetup(NamedTuple):
    """What a worker is made of (`agents.anonymization.files.pool.Setup`)."""

    place: Place

    def handler(self) -> FileHandler:
        """Make the handler, in the worker, whose tools are loaded once."""
        return FileHandler(self.place, installed_tools(self.place.policy))


class FileHandler:
    """Works on files (`agents.anonymization.files.pool.Handler`), with its `tools`."""

    def __init__(self, place: Place, tools: Tools) -> None:
        self._place = place
        self.tools = tools
        self._lines = Lines(place.key, place.policy)
        self._judging = Judging(place, self._lines, tools)

    def prepare(self, context: Any) -> None:
        """Take what is known of the study whose objects come next."""
        self._judging.prepare(context)

    def handle(self, task: Any) -> Any:
        """Answer a task."""
        try:
            return self._handle(task)
        except Unavailable as error:
            return Stopped(str(error), isinstance(error, NoSpace))

    def _handle(self, task: Any) -> Any:
        match task:
            case Examine():
                return examine(task, self._place, self._lines)
            case Judge():
                return self._judging.judge(task)
            case TakeFaces():
                return take_faces(task.objects, self._place, self._judging)
            case Compare():
                return self._judging.compare(task)
            case _:
                raise TypeError(type(task).__name__)
