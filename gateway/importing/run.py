"""The engine of ``chips import``: files become stored objects, and what was done is known again.

It works beside a gateway that runs: bytes go into the vault here, and the gateway's journal makes them part
of the record. What is stored is stored; whatever ends the import, running it again goes on where it was.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import NamedTuple

from gateway.associations import MAX_SERIES, Carried, Outcome, carry, ended
from gateway.dul.commands import SUCCESS
from gateway.errors import ObjectRefused
from gateway.importing.errors import NotTakenApart
from gateway.importing.finding import Item, Skipped
from gateway.importing.taking import NotTaken, take
from gateway.manifest import Answer, Manifest
from gateway.refusals import OUT_OF_RESOURCES
from gateway.storing import Storing
from streams.clock import Clock
from streams.errors import Unavailable

AT_ONCE = 4
"""Files taken side by side: one waits for its disk while another is hashed."""
_AHEAD = 4 * AT_ONCE
_MOST_TROUBLES = 1000


class Progress(NamedTuple):
    """Where an import is; counts of files."""

    found: int = 0
    stored: int = 0
    already: int = 0
    """Stored before, as the manifest says."""
    refused: int = 0
    skipped: int = 0
    """No objects."""
    bytes: int = 0
    """Of the objects stored now."""


class Trouble(NamedTuple):
    """A file that was not stored, and why."""

    name: str
    why: str


class Summary(NamedTuple):
    """How an import ended."""

    progress: Progress
    troubles: list[Trouble]
    """At most the first thousand."""
    stopped: str | None
    """Why it ended before its end."""

    @property
    def complete(self) -> bool:
        """Every object found is stored, now or before."""
        return self.stopped is None and not self.progress.refused


class Import:
    """One import.

    Parameters
    ----------
    storing
        Keeps objects.
    manifest
        What was stored before, and what is.
    story
        Id of the import, to events what an association's is.
    origin
        Name of the source.
    on_progress
        Called after every file, one call at a time.
    """

    def __init__(
        self,
        *,
        storing: Storing,
        manifest: Manifest,
        clock: Clock,
        story: str,
        origin: str,
        on_progress: Callable[[Progress], None] = lambda _: None,
        stop: threading.Event | None = None,
    ) -> None:
        self._storing = storing
        self._manifest = manifest
        self._clock = clock
        self._origin = origin
        self._on_progress = on_progress
        self._stop = stop or threading.Event()
        self._lock = threading.Lock()
        self._carried = Carried(story, storing.project)
        self._stopped: str | None = None
        self.progress = Progress()
        self.troubles: list[Trouble] = []

    def run(self, items: Iterable[Item | Skipped]) -> Summary:
        """Take files in; blocks until all are, or what is under way when it is stopped."""
        pending: set[Future[None]] = set()
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="import") as threads:
            for item in self._wanted(items):
                pending.add(threads.submit(self._take, item))
                if len(pending) >= _AHEAD:
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    for one in done:
                        one.result()
            for one in pending:
                one.result()
        self._tell_end("aborted" if self._stopped else "released")
        return Summary(self.progress, self.troubles, self._stopped)

    def _wanted(self, items: Iterable[Item | Skipped]) -> Iterator[Item]:
        for item in items:
            if self._stop.is_set():
                self._stopped = self._stopped or "it was stopped"
                return
            if isinstance(item, Skipped):
                self._note(found=1, refused=1, trouble=Trouble(item.name, item.why))
            elif self._manifest.has(item.mark):
                self._note(found=1, already=1)
            else:
                yield item

    def _take(self, item: Item) -> None:
        name = item.mark.path
        try:
            with item.open() as stream, take(stream, self._storing.spool) as received:
                stored = self._storing.store(
                    received, association=self._carried.association, origin=self._origin
                )
        except NotTaken:
            self._note(found=1, skipped=1)
        except NotTakenApart as error:
            self._note(found=1, refused=1, trouble=Trouble(name, str(error)))
        except ObjectRefused as refused:
            if refused.status == OUT_OF_RESOURCES:
                # The next would fare no better: the import goes on when it is run again.
                self._stopped = self._stopped or refused.comment
                self._stop.set()
            self._note(found=1, refused=1, trouble=Trouble(name, refused.comment))
        except OSError as error:
            self._note(found=1, refused=1, trouble=Trouble(name, f"can't be read: {error.strerror}"))
        else:
            self._manifest.add(
                Answer(
                    item.mark,
                    received.announced.sop_instance_uid,
                    received.sha256,
                    SUCCESS,
                    "",
                    self._clock(),
                )
            )
            self._note(found=1, stored=1, bytes=received.size, series=stored.series)

    def _note(
        self,
        *,
        found: int = 0,
        stored: int = 0,
        already: int = 0,
        refused: int = 0,
        skipped: int = 0,
        bytes: int = 0,  # noqa: A002 - as `Progress` calls it
        series: str | None = None,
        trouble: Trouble | None = None,
    ) -> None:
        with self._lock:
            now = self.progress
            self.progress = Progress(
                now.found + found,
                now.stored + stored,
                now.already + already,
                now.refused + refused,
                now.skipped + skipped,
                now.bytes + bytes,
            )
            if series:
                self._carried = carry(self._carried, series, MAX_SERIES)
            if trouble and len(self.troubles) < _MOST_TROUBLES:
                self.troubles.append(trouble)
            self._on_progress(self.progress)

    def _tell_end(self, outcome: Outcome) -> None:
        """Let each series settle: nothing more of it comes this way."""
        try:
            self._storing.record(ended(self._carried, outcome, self._clock()))
        except Unavailable as error:  # they settle by their quiet time
            self._stopped = self._stopped or str(error)
