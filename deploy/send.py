"""``chips send``: files and folders over DICOM associations, with progress."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.terminal import console, say
from gateway import sending
from streams.errors import Rejected

SHOWN_TROUBLES = 20


def send(
    paths_and_target: Sequence[str],
    *,
    called_ae: str,
    calling_ae: str,
    associations: int,
    retries: int,
    manifest: Path,
) -> int:
    """Send; exit status 0 when everything was acknowledged, 1 when not, 64 when the call is wrong."""
    try:
        paths, host, port = _parse(paths_and_target)
        stop = threading.Event()
        signal.signal(signal.SIGINT, lambda *_: stop.set())
        with bar() as progress:
            task = progress.add_task("Sending", total=None)

            def show(now: sending.Progress) -> None:
                progress.update(task, total=now.total, completed=now.acknowledged + now.already + now.refused)

            summary = sending.send(
                paths,
                host,
                port,
                called_ae=called_ae,
                calling_ae=calling_ae,
                retries=retries,
                manifest=manifest,
                associations=associations,
                on_progress=show,
                stop=stop,
            )
    except Rejected as wrong:
        sys.stderr.write(f"chips: {wrong}\n")
        return os.EX_USAGE
    tell(summary)
    say(f"What was acknowledged stands in {manifest}.")
    return 0 if summary.complete else 1


def bar() -> Progress:
    """Make the progress bar of a sending."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


def tell(summary: sending.Summary) -> None:
    """Tell how a sending ended."""
    now = summary.progress
    say(f"{now.acknowledged} acknowledged, {now.already} before, {now.refused} refused, {now.failed} failed.")
    if summary.skipped:
        say(f"{len(summary.skipped)} files are no DICOM objects and were left out.")
    for trouble in summary.troubles[:SHOWN_TROUBLES]:
        say(f"  {trouble.path}: {trouble.why}")
    if len(summary.troubles) > SHOWN_TROUBLES:
        say(f"  and {len(summary.troubles) - SHOWN_TROUBLES} more")


def _parse(paths_and_target: Sequence[str]) -> tuple[list[Path], str, int]:
    *paths, target = paths_and_target or ("",)
    host, _, port = target.rpartition(":")
    if not paths or not host or not port.isdecimal():
        raise Rejected("Say what to send and where to: chips send PATH… HOST:PORT")
    missing = [path for path in paths if not Path(path).exists()]
    if missing:
        raise Rejected(f"There is no {missing[0]}: nothing was sent.")
    return [Path(path) for path in paths], host, int(port)
