"""The passes of a run, in their order: what is there, what stands, objects, faces, what was changed."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Event
from typing import Any, Literal, NamedTuple

from agents.anonymization.files.entries import Entry, Result, Stamp
from agents.anonymization.files.index import Due, Index
from agents.anonymization.files.manifest import Manifest
from agents.anonymization.files.objects import Found
from agents.anonymization.files.outputs import Outputs
from agents.anonymization.files.pool import AHEAD, Context, Lost, Pool, Task
from agents.anonymization.files.resuming import check_same_run, remove_output, what_stands
from agents.anonymization.files.tasks import (
    Compare,
    Examine,
    Examined,
    Judge,
    Judged,
    Lines,
    Place,
    Staged,
    Stopped,
    TakeFaces,
)
from agents.anonymization.files.walking import File, NoFile, Unreadable, walk
from streams.errors import NoSpace, Unavailable

Phase = Literal["reading", "anonymizing", "faces", "comparing"]

_LEAST_S = 120.0
_PIXELS_S = 1800.0
_FACES_S = 3600.0
_BYTES_PER_S = 1 << 20
"""A task may take two minutes, or half an hour where pixels are cleaned, and a second for each MiB, which a
busy machine with a slow disk needs."""
_NO_STAMP = Stamp(0, 0)


class Progress(NamedTuple):
    """Where a run is: files of this phase, of `total` if that is known, and results until now."""

    phase: Phase
    done: int
    total: int | None
    results: dict[Result, int]


class Passes:
    """Does the passes; what comes of them stands in the manifest and the index.

    Parameters
    ----------
    source
        A file or folder.
    place
        What all results have in common.
    on_progress
        Called after every file.
    stop
        When set, the pass that runs ends with what is under way, and no other begins.

    Attributes
    ----------
    results
        Files by result.
    """

    def __init__(
        self,
        source: Path,
        place: Place,
        manifest: Manifest,
        index: Index,
        *,
        on_progress: Callable[[Progress], None],
        stop: Event,
    ) -> None:
        self._source = source
        self._place = place
        self._manifest = manifest
        self._index = index
        self._on_progress = on_progress
        self._stop = stop
        self._lines = Lines(place.key, place.policy)
        self._outputs = Outputs(place.out, each=place.each)
        self._at = Progress("reading", 0, None, {})
        self.results: Counter[Result] = Counter()

    def begin(self, *, restart: bool) -> None:
        """Take in what the manifest says, or undo it; raises `Rejected`, `Damaged` and `Unavailable`."""
        if restart:
            for entry in self._manifest.read():
                if entry.output is not None:
                    remove_output(self._place.out, entry.output)
            self._manifest.clear()
        for entry in check_same_run(self._manifest.read(), self._lines, self._manifest.path):
            self._index.add_before(entry)

    def work(self, pool: Pool) -> None:
        """Do all passes, as far as nobody stops them; raises `Unavailable`."""
        self._read(pool)
        if self._stop.is_set():
            return
        self._enter("anonymizing", self._index.objects())
        for kept in what_stands(self._index, self._place):
            self._note(kept.entry, kept.found)
            self._step()
        standing = self._at.done
        while not self._stop.is_set():
            if not self._judge(pool) + self._take_faces(pool):
                break
        if self._place.compared and standing and not self._stop.is_set():
            self._compare(pool)

    def _read(self, pool: Pool) -> None:
        for what, answer in self._run(pool, self._files()):
            match answer:
                case Examined(Found() as found, named):
                    self._index.add_found(found, named)
                case Examined(Entry() as entry):
                    self._no_object(entry)
                case _:
                    self._note(self._lost(what.path, what.stamp, answer))
            self._step()

    def _no_object(self, entry: Entry) -> None:
        """Note a file that is no object, or none that can be judged; in an earlier run it may have been."""
        before = self._index.before(entry.input)
        if before is not None and before.output is not None and entry.result != "failed":
            remove_output(self._place.out, before.output)
        self._note(entry)

    def _files(self) -> Iterator[Task[Examine]]:
        for one in walk(self._source):
            match one:
                case File(path, stamp):
                    yield Task(Examine(path, stamp), limit_s=_LEAST_S)
                case NoFile(path, reason, message):
                    self._note(self._lines.entry(path, _NO_STAMP, "left-out", reason=reason, message=message))
                case Unreadable(path, message):
                    self._note(
                        self._lines.entry(path, _NO_STAMP, "failed", reason="unreadable", message=message)
                    )

    def _judge(self, pool: Pool) -> int:
        """Judge all objects that are due; gives their number."""
        done = 0
        for what, answer in self._run(pool, map(self._judging, self._index.due())):
            match answer:
                case Judged():
                    self._judged(answer)
                case Staged():
                    self._index.stage(answer)
                case _:
                    self._note(self._lost(what.found.path, what.found.stamp, answer), what.found)
                    self._step()
            done += 1
        return done

    def _judging(self, due: Due) -> Task[Judge]:
        least_s = _PIXELS_S if "clean_pixel_data" in self._place.policy.options else _LEAST_S
        limit_s = least_s + due.found.stamp.bytes / _BYTES_PER_S
        return Task(Judge(due.found, due.winner), self._context(due.found), limit_s)

    def _take_faces(self, pool: Pool) -> int:
        """Take the faces out of all series that wait for it; gives their number."""
        done = 0
        tasks = (
            Task(TakeFaces(series), self._context(series[0].found), _FACES_S)
            for series in self._index.staged()
        )
        for what, answer in self._run(pool, tasks, ahead=0):
            self._at = self._at._replace(phase="faces")
            if isinstance(answer, Lost):
                for one in what.objects:
                    self._note(self._lost(one.found.path, one.found.stamp, answer), one.found)
                    self._step()
            else:
                for judged in answer:
                    self._judged(judged)
            done += 1
        return done

    def _compare(self, pool: Pool) -> None:
        """Tell what was changed in objects that came out in earlier runs."""
        self._enter("comparing", self.results["anonymized"])
        tasks = (Task(Compare(*one), limit_s=_LEAST_S) for one in self._index.uncompared())
        for what, answer in self._run(pool, tasks):
            if isinstance(answer, Judged) and answer.changes is not None:
                self._index.add_changes(what.found, answer.changes)
            self._step()

    def _context(self, found: Found) -> Context:
        return Context(found.study, functools.partial(self._index.known, found.study))

    def _run(self, pool: Pool, tasks: Iterable[Task[Any]], ahead: int = AHEAD) -> Iterator[tuple[Any, Any]]:
        """Run tasks until somebody says stop; raises what a worker was stopped by."""
        for what, answer in pool.run(self._until_stopped(tasks), ahead=ahead):
            if isinstance(answer, Stopped):
                raise NoSpace(answer.message) if answer.full else Unavailable(answer.message)
            yield what, answer

    def _until_stopped(self, tasks: Iterable[Task[Any]]) -> Iterator[Task[Any]]:
        for task in tasks:
            if self._stop.is_set():
                return
            yield task

    def _judged(self, judged: Judged) -> None:
        """Write a line, then let the output be seen: so that no output is there without its line."""
        self._note(judged.entry, judged.found)
        if judged.partial is not None:
            self._outputs.publish(judged.partial, str(judged.entry.output))
        if judged.changes is not None:
            self._index.add_changes(judged.found, judged.changes)
        self._step()

    def _note(self, entry: Entry, found: Found | None = None) -> None:
        """Write a result down, unless it stands in the manifest already."""
        if entry != self._index.before(entry.input):
            self._manifest.add([entry])
        self._index.settle(entry, found.instance if found else None)
        self.results[entry.result] += 1

    def _lost(self, path: str, stamp: Stamp, answer: Lost) -> Entry:
        message = (
            "No answer within its time: is a disk or the network away?"
            if answer.late
            else "The process that worked on it died of it, twice: is there enough memory?"
        )
        return self._lines.entry(path, stamp, "failed", reason="no-answer", message=message)

    def _enter(self, phase: Phase, total: int | None) -> None:
        self._at = Progress(phase, 0, total, {})
        self._on_progress(self._at)

    def _step(self) -> None:
        self._at = self._at._replace(done=self._at.done + 1)
        self._on_progress(self._at._replace(results=self.results))
