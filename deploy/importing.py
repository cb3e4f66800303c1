"""``chips import``: files, folders, zip archives and DICOMDIRs into the vault, once or by watching."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from uuid_utils import uuid7

from deploy import process
from deploy.exits import Exit, told
from deploy.terminal import console, say
from gateway.importing.finding import Item, Skipped, find
from gateway.importing.run import Import, Progress, Summary
from gateway.importing.watching import Seen, look
from gateway.inlet import reach
from gateway.keys import Keyring
from gateway.manifest import Manifest
from gateway.storing import Storing
from gateway.vault import Vault
from gateway.workers.records import Recorder
from streams.clock import utc_now
from streams.errors import Rejected
from streams.settings import Settings

SHOWN_TROUBLES = 20
PERIOD_S = 2.0
"""How often a watched folder is looked at, s; less often when a look takes long."""
_SHARE = 10
"""A look may take a tenth of the time."""


def bring_in(paths: Sequence[Path], *, manifest: Path, origin: str, watch: bool, quiet_s: float) -> int:
    """Import; exit status 0 when every object is stored, 1 when not, 64 when the call is wrong."""

    def work() -> int:
        if not paths:
            raise Rejected("Say what to import: chips import PATH…")
        settings = process.settings_here().settings
        stop = threading.Event()
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, lambda *_: stop.set())
        with Manifest(manifest) as known:
            storing = _storing(settings)

            def run(items: Iterable[Item | Skipped], show: Callable[[Progress], None]) -> Summary:
                return Import(
                    storing=storing,
                    manifest=known,
                    clock=utc_now,
                    story=str(uuid7()),
                    origin=origin,
                    on_progress=show,
                    stop=stop,
                ).run(items)

            if watch:
                return _watch(paths, known, run, stop, quiet_s)
            summary = _shown(find(paths), run)
        _tell(summary)
        if not summary.progress.found - summary.progress.skipped:
            raise Rejected(f"There is no DICOM object in {', '.join(map(str, paths))}: nothing was imported.")
        say(f"What was stored stands in {manifest}: the same call goes on where this one ended.")
        return Exit.OK if summary.complete else Exit.NO

    return told(work)


def _storing(settings: Settings) -> Storing:
    folder = settings.path("vault")
    recorder = Recorder(reach(folder))
    return Storing(
        key=Keyring(folder).project_key(settings.project),
        vault=Vault(folder, settings.disk_reserve_mb * 1024 * 1024),
        journal=recorder,
        clock=utc_now,
    )


Run = Callable[[Iterable[Item | Skipped], Callable[[Progress], None]], Summary]


def _shown(items: Iterable[Item | Skipped], run: Run) -> Summary:
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Bar(*columns, console=console) as bar:
        task = bar.add_task("Importing", total=None)

        def show(now: Progress) -> None:
            stored = f"{now.stored} stored ({now.bytes / 1e6:.0f} MB)"
            rest = f"{now.already} before, {now.refused} refused"
            bar.update(task, description=f"Importing: {stored}, {rest}")

        return run(items, show)


def _watch(paths: Sequence[Path], known: Manifest, run: Run, stop: threading.Event, quiet_s: float) -> int:
    """Import what comes into folders until stopped; what was refused is tried again when it changes."""
    folders = [path for path in paths if path.is_dir()]
    if len(folders) < len(paths):
        raise Rejected("Only folders can be watched: name those that files come into.")
    say(f"Watching {', '.join(map(str, folders))}: files are imported after {quiet_s:g} s of rest.")
    seen: Mapping[str, Seen] = {}
    given_up: set[object] = set()
    while not stop.is_set():
        began = time.monotonic()
        there = {
            one.mark.path: one
            for one in find(folders)
            if not isinstance(one, Skipped) and not known.has(one.mark) and one.mark not in given_up
        }
        looked = look(seen, (one.mark for one in there.values()), began, quiet_s)
        seen = looked.seen
        if looked.whole:
            summary = run([there[mark.path] for mark in looked.whole], lambda _: None)
            _tell(summary)
            if summary.stopped is None:
                given_up |= {mark for mark in looked.whole if not known.has(mark)}
        stop.wait(max(PERIOD_S, _SHARE * (time.monotonic() - began)))
    return Exit.OK


def _tell(summary: Summary) -> None:
    now = summary.progress
    say(
        f"{now.stored} stored, {now.already} before, {now.refused} refused; "
        f"{now.skipped} files are no DICOM objects."
    )
    for trouble in summary.troubles[:SHOWN_TROUBLES]:
        say(f"  {trouble.name}: {trouble.why}")
    if len(summary.troubles) > SHOWN_TROUBLES:
        say(f"  and {len(summary.troubles) - SHOWN_TROUBLES} more")
    if summary.stopped:
        say(f"It ended early: {summary.stopped}. The same call goes on.")
