"""A folder anonymized: what there is, what of it stands already, the rest by several processes.

Two passes. The first reads headers, so that what any object of a study calls people is looked for in all of
them; the second anonymizes. Memory does not grow with the number of files. Whatever ends a run, the same call
goes on where it was.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import NamedTuple

from agents.anonymization.files.entries import Result
from agents.anonymization.files.index import Index
from agents.anonymization.files.manifest import Manifest
from agents.anonymization.files.outputs import Claim, sync_all
from agents.anonymization.files.passes import Passes, Progress
from agents.anonymization.files.places import check_places
from agents.anonymization.files.pool import Pool
from agents.anonymization.files.tallies import Tallies, Told
from agents.anonymization.files.tasks import Place
from agents.anonymization.files.working import WorkerSetup
from agents.anonymization.policy.document import Policy
from gateway.identity import ProjectKey


class Job(NamedTuple):
    """What is to be done.

    Attributes
    ----------
    source
        A file or a folder.
    out, manifest
        Where outputs go, and the lines about all files.
    workers
        Processes.
    restart
        Remove what the manifest says was written, and begin anew.
    each
        Sync each file before it has its name, instead of all at the end.
    quarantine
        Where originals of quarantined objects are copied to.
    compared
        Whether it is to be told what was changed.
    """

    source: Path
    out: Path
    manifest: Path
    key: ProjectKey
    policy: Policy
    workers: int
    restart: bool = False
    each: bool = False
    quarantine: Path | None = None
    compared: bool = False


class Summary(NamedTuple):
    """How a run ended.

    Attributes
    ----------
    results
        Files by result and reason, the most frequent first.
    gone
        Inputs of which the manifest knows and that are no longer there; their outputs are.
    complete
        Every file was looked at; not so when the run was stopped.
    """

    results: list[Told]
    gone: int
    complete: bool

    @property
    def accounted_for(self) -> bool:
        """Every file is anonymized, a duplicate, no object, or quarantined with a reason."""
        return self.complete and not self.files("failed")

    def files(self, result: Result) -> int:
        """Count files with a result."""
        return sum(one.files for one in self.results if one.result == result)


def anonymize_files(
    job: Job,
    *,
    on_progress: Callable[[Progress], None] = lambda _: None,
    stop: Event | None = None,
    at_end: Callable[[Index], None] = lambda _: None,
) -> Summary:
    """Anonymize files; blocks until all is done.

    Parameters
    ----------
    on_progress
        Called after every file.
    stop
        When set, the run ends after the files under way.
    at_end
        Called with all that is known, once all is done: for a report.

    Raises
    ------
    streams.errors.Rejected
        When the job can't be done as it is told.
    streams.errors.Unavailable
        When a disk is full, a folder can't be written to, or processes end again and again.
    """
    both = {"--manifest": job.manifest, "--quarantine": job.quarantine}
    check_places(job.source, job.out, private=both, written=both)
    scratch = job.manifest.with_name(f".{job.manifest.name}.scratch")
    with contextlib.ExitStack() as held:
        manifest = held.enter_context(Manifest(job.manifest))
        held.enter_context(Claim(job.out))
        if job.quarantine is not None:
            held.enter_context(Claim(job.quarantine, private=True))
        index = held.enter_context(Index(scratch))
        halt = stop or Event()
        source = job.source if job.source.is_dir() else job.source.parent
        place = Place(source.resolve(), job.out, job.quarantine, job.key, job.policy, job.each, job.compared)
        passes = Passes(job.source, place, manifest, index, on_progress=on_progress, stop=halt)
        passes.begin(restart=job.restart)
        with Pool(job.workers, WorkerSetup(place)) as pool:
            passes.work(pool)
        complete = not halt.is_set()
        if complete:
            sync_all(job.out, index.outputs())
            at_end(index)
            manifest.rewrite(index.entries())
        return Summary(Tallies(index).results(), index.missing(), complete)
