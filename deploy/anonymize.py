"""``chips anonymize``: files anonymized, with a progress bar, a manifest and a report. Needs no server."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import NamedTuple, Self, get_args

import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from agents.anonymization.files import run
from agents.anonymization.files.entries import Result
from agents.anonymization.files.passes import Phase
from agents.anonymization.files.passes import Progress as Now
from agents.anonymization.files.places import check_places
from agents.anonymization.files.reporting import JSON, PAGE, check_report, write_report
from agents.anonymization.installed import check_installed
from agents.anonymization.policy.choosing import chosen
from deploy.exits import Exit, told
from deploy.keys import open_key_file
from deploy.terminal import console, say
from gateway.identity import ProjectKey
from streams.clock import utc_now
from streams.errors import Rejected

MOST_WORKERS = 256
STDERR = 2
STOPPING = b"\nStopping after the files under way; Ctrl-C again stops at once. Nothing is lost by either.\n"
MEDIUM, WIDE = 70, 110
"""Columns of a terminal from which on a bar shows results, and rate and times, too."""

_PHASES: dict[Phase, str] = {
    "reading": "Reading headers",
    "anonymizing": "Anonymizing",
    "faces": "Taking out faces",
    "comparing": "Comparing",
}


class KeySource(NamedTuple):
    """Which key: a key file, what opens it, and whose key in it."""

    file: Path
    master: Path | None = None
    passphrase_file: Path | None = None
    project: str | None = None


def anonymize(
    source: Path,
    out: Path,
    *,
    policy: str,
    key: KeySource,
    manifest: Path,
    report: Path | None = None,
    quarantine: Path | None = None,
    workers: int | None = None,
    restart: bool = False,
    sync_each: bool = False,
    as_json: bool = False,
) -> int:
    """Anonymize; exit status 0 when every file is accounted for, 1 when not, else as `deploy.exits` says."""

    def work() -> int:
        processes = workers if workers is not None else cores()
        if not 1 <= processes <= MOST_WORKERS:
            raise Rejected(f"--workers takes 1 to {MOST_WORKERS}, not {processes}.")
        private = {
            "--key-file": key.file,
            "--master": key.master,
            "--passphrase-file": key.passphrase_file,
        }
        check_places(source, out, private=private, written={"--report": report})
        followed = chosen(policy)
        check_installed(followed)
        job = run.Job(
            source=source,
            out=out,
            manifest=manifest,
            key=_key(key),
            policy=followed,
            workers=processes,
            restart=restart,
            each=sync_each,
            quarantine=quarantine,
            compared=report is not None,
        )
        if report is not None:
            check_report(report)
        stop = _stop_by_signal()
        with Bar(Console(stderr=True, highlight=False) if as_json else console) as bar:
            summary = run.anonymize_files(
                job,
                on_progress=bar.show,
                stop=stop,
                at_end=lambda index: write_report(report, index, followed, utc_now()) if report else None,
            )
        return (told_as_json if as_json else tell)(summary, manifest, report)

    return told(work)


def tell(summary: run.Summary, manifest: Path, report: Path | None) -> int:
    """Tell how a run ended; no name of a file, which can be a patient's. Gives the exit status."""
    files = summary.files
    say(
        f"{files('anonymized'):,} anonymized, {files('duplicate'):,} duplicates, "
        f"{files('quarantined'):,} quarantined, {files('left-out'):,} no objects, {files('failed'):,} failed."
    )
    for one in summary.results:
        if one.reason:
            say(f"  {one.result:<11} {one.files:>9,}  {one.message}")
    if summary.gone:
        say(f"{summary.gone:,} files that the manifest knows are no longer there; their outputs are.")
    if not summary.complete:
        say("Stopped. The same command goes on where it was.")
        return status_of(summary)
    say(f"What became of each file stands in {manifest}: it identifies, keep it as you keep the originals.")
    if report is not None:
        say(f"The report for people is {report / PAGE}.")
    if files("quarantined"):
        say("`chips policy test FILE --policy P` says of one whether an option is for such objects.")
    return status_of(summary)


def told_as_json(summary: run.Summary, manifest: Path, report: Path | None) -> int:
    """Tell how a run ended as one JSON object, for scripts; gives the exit status, as `tell`."""
    found = {
        "complete": summary.complete,
        "accounted_for": summary.accounted_for,
        "files": {result: summary.files(result) for result in get_args(Result)},
        "reasons": [one._asdict() for one in summary.results if one.reason],
        "gone": summary.gone,
        "manifest": str(manifest),
        "report": str(report / JSON) if report is not None and summary.complete else None,
    }
    say(msgspec.json.encode(found).decode())
    return status_of(summary)


def status_of(summary: run.Summary) -> Exit:
    """Give the exit status; raises `streams.errors.Rejected` when there was nothing to anonymize."""
    if not summary.complete:
        return Exit.INTERRUPTED
    if not any(summary.files(result) for result in ("anonymized", "quarantined", "failed")):
        raise Rejected("There is no DICOM object in the input: nothing was anonymized.")
    return Exit.OK if summary.accounted_for else Exit.NO


def cores() -> int:
    """Give the number of cores that we may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Bar:
    """The progress bar, from the run's phases."""

    def __init__(self, console: Console = console) -> None:
        columns: list[ProgressColumn] = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()]
        if console.width >= WIDE:
            columns.append(_Rate())
        if console.width >= MEDIUM:
            columns.append(TextColumn("{task.fields[results]}"))
        if console.width >= WIDE:
            columns += [TimeElapsedColumn(), _Left()]
        self._progress = Progress(*columns, console=console)
        self._task = self._progress.add_task("", total=None, results="", visible=False)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def refresh(self) -> None:
        """Draw it now, and not some tenths of a second later."""
        self._progress.refresh()

    def show(self, now: Now) -> None:
        """Show where the run is."""
        anonymized, quarantined = now.results.get("anonymized", 0), now.results.get("quarantined", 0)
        if not now.done:
            self._progress.reset(self._task)
        self._progress.update(
            self._task,
            description=_PHASES[now.phase],
            visible=True,
            total=now.total,
            completed=now.done,
            results=f"{anonymized:,} anonymized, {quarantined:,} quarantined",
        )


class _Left(TimeRemainingColumn):
    """How long the phase will take, once that can be told."""

    def render(self, task: Task) -> Text:
        """Show it with its word."""
        known = not task.finished and task.time_remaining is not None
        return Text(f"{super().render(task)} left") if known else Text()


class _Rate(ProgressColumn):
    """Files a second."""

    def render(self, task: Task) -> Text:
        """Show it once it is known."""
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


def _key(source: KeySource) -> ProjectKey:
    file = open_key_file(source.file, master=source.master, passphrase_file=source.passphrase_file)
    if source.project is None:
        return file.only_key()
    found = file.known_key(source.project)
    if found is None:
        raise Rejected(f"{source.file} has no key of the project {source.project}.")
    return found


def _stop_by_signal() -> threading.Event:
    """Let the first Ctrl-C, or a SIGTERM, end the run after the files under way, and a second one at once."""
    stop = threading.Event()

    def asked(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        os.write(STDERR, STOPPING)  # a handler may interrupt a write of Python's own

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, asked)
    return stop
