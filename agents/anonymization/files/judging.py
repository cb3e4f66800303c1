"""The second look at a file: anonymized into its place, or kept back. An adapter."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import mmap
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from agents.anonymization.anonymize import anonymize
from agents.anonymization.files.entries import Stamp
from agents.anonymization.files.known import Named, known_of, mark_of
from agents.anonymization.files.objects import Found, output_of
from agents.anonymization.files.outputs import Outputs, Taken
from agents.anonymization.files.tasks import Compare, Judge, Judged, Lines, Place, Staged
from agents.anonymization.outcome import Anonymized, Quarantine
from agents.anonymization.policy.rules import book_of
from agents.anonymization.report.comparing import Change, changes
from agents.anonymization.text.known import KnownValues
from agents.anonymization.tools import NO_TOOLS, Tools
from gateway.header import dataset_digest
from gateway.part10 import read_meta
from streams.copying import Changed, Spliced, write

_MEDIA_INSTANCE = 0x00020003


class Judging:
    """Judges objects, one study after the other."""

    def __init__(self, place: Place, lines: Lines, tools: Tools = NO_TOOLS) -> None:
        self._place = place
        self._tools = tools
        self._lines = lines
        self._outputs = Outputs(place.out, each=place.each)
        self._kept_back = Outputs(place.quarantine, mode=0o600) if place.quarantine else None
        self._known: KnownValues | None = KnownValues()
        self._mark: str | None = None

    def prepare(self, named: list[Named]) -> None:
        """Take what the objects of a study call people, before its first object is judged."""
        self._known = known_of(named)
        self._mark = mark_of(self._place.key, named)

    def judge(self, task: Judge) -> Judged | Staged:
        """Anonymize an object, or find it to be the same as, or in conflict with, one that came out.

        Raises
        ------
        streams.errors.Unavailable
            When the output's or the quarantine's folder does not take what is written.
        """
        found, path = task.found, self._place.source / task.found.path
        try:
            self._check(path, found.stamp)
            if task.winner is not None:
                return self._rival(found, path, task.winner)
            outcome = self._outcome(path)
            self._check(path, found.stamp)
            if isinstance(outcome, Anonymized):
                return self._came_out(found, outcome)
        except Changed:
            return self.failed(found, "changed", "It was changed while this ran.")
        except OSError as error:
            return self.failed(found, "unreadable", f"It can't be read: {error.strerror}.")
        return self.quarantined(found, outcome.reason, outcome.message)

    def compare(self, task: Compare) -> Judged:
        """Tell what was changed in an object that came out before."""
        output = self._place.out / str(task.entry.output)
        return Judged(task.found, task.entry, changes=self._changes(task.found, output))

    def written(self, found: Found, content: bytes | Spliced, tools: tuple[str, ...]) -> Judged:
        """Write an output, which waits until its line is written.

        Raises as `judge`, and `streams.copying.Unreadable` when the pixels can't be read or were changed.
        """
        partial, sha256 = self._outputs.stage(functools.partial(_write, content))
        written = self._outputs.partial(partial)
        with _mapped(written) as data:
            instance = read_meta(data).text(_MEDIA_INSTANCE)
        path = output_of(found, instance, self._place.policy)
        size = written.stat().st_size
        try:
            there = self._outputs.has(path, sha256)
        except Taken:
            self._outputs.discard(partial)
            return self.failed(
                found, "output-taken", "The output has another file of its name, which is not overwritten."
            )
        changed = self._changes(found, written) if self._place.compared else None
        if there:
            self._outputs.discard(partial)
        entry = self._lines.entry(
            found.path,
            found.stamp,
            "anonymized",
            output=path,
            output_bytes=size,
            sha256=sha256,
            tools=tools,
            known=self._mark,
        )
        return Judged(found, entry, None if there else partial, changed)

    def quarantined(self, found: Found, reason: str, message: str, of: str | None = None) -> Judged:
        """Keep an object back; raises as `judge`."""
        if self._kept_back is not None:
            original = functools.partial(_copy, self._place.source / found.path)
            self._kept_back.publish(self._kept_back.stage(original)[0], found.path)
        entry = self._lines.entry(
            found.path,
            found.stamp,
            "quarantined",
            reason=reason,
            message=message,
            of=of,
            known=self._mark,
        )
        return Judged(found, entry)

    def failed(self, found: Found, reason: str, message: str) -> Judged:
        """Give the result of an object that is not accounted for."""
        return Judged(
            found, self._lines.entry(found.path, found.stamp, "failed", reason=reason, message=message)
        )

    def _outcome(self, path: Path) -> Anonymized | Quarantine:
        place = self._place
        if self._known is None:
            message = "Its study names more people and things than can be looked for."
            return Quarantine(reason="too-many-elements", message=message, policy=place.policy.label)
        return anonymize(path, key=place.key, policy=place.policy, study=self._known, tools=self._tools)

    def _came_out(self, found: Found, outcome: Anonymized) -> Judged | Staged:
        if outcome.face:
            partial, _ = self._outputs.stage(functools.partial(_write, outcome.output))
            return Staged(found, partial, outcome.tools)
        return self.written(found, outcome.output, outcome.tools)

    def _rival(self, found: Found, path: Path, winner: str) -> Judged:
        """Compare an object with the one of its instance that came out."""
        if dataset_digest(path) == dataset_digest(self._place.source / winner):
            return Judged(found, self._lines.entry(found.path, found.stamp, "duplicate", of=winner))
        return self.quarantined(
            found, "conflict", "Another object has the same SOP Instance UID, and came first.", of=winner
        )

    def _check(self, path: Path, stamp: Stamp) -> None:
        found = path.stat()
        if (found.st_size, found.st_mtime_ns) != stamp:
            raise Changed

    def _changes(self, found: Found, output: Path) -> frozenset[Change]:
        rules = book_of(self._place.policy).of(found.sop_class)
        with _mapped(self._place.source / found.path) as before, _mapped(output) as after:
            return changes(before, after, rules)


def _write(content: bytes | Spliced, target: BinaryIO) -> str:
    """Write an output; gives its sha256."""
    if isinstance(content, Spliced):
        return write(content, target.fileno(), digest=True)
    target.write(content)
    return hashlib.sha256(content).hexdigest()


def _copy(original: Path, target: BinaryIO) -> None:
    with original.open("rb") as source:
        shutil.copyfileobj(source, target)


@contextlib.contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data
