"""``chips send``: files and folders over DICOM associations, with progress."""

from __future__ import annotations

import re
import signal
import ssl
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.exits import Exit, told
from deploy.terminal import console, say
from gateway import sending
from gateway.tls import sender_context
from streams.errors import Rejected

SHOWN_TROUBLES = 20
_AE_TITLE = re.compile(r"[ -\[\]-~]{1,16}")
MOST_ASSOCIATIONS = 64
MOST_RETRIES = 1000


class Tls(NamedTuple):
    """Files to send over TLS with; none: without."""

    authorities: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


def send(
    paths_and_target: Sequence[str],
    *,
    called_ae: str,
    calling_ae: str,
    associations: int,
    retries: int,
    manifest: Path,
    tls: Tls | None = None,
) -> int:
    """Send; exit status 0 when everything was acknowledged, 1 when not, 64 when the call is wrong."""

    def work() -> int:
        paths, host, port = _parse(paths_and_target)
        for title in (called_ae, calling_ae):
            if not _AE_TITLE.fullmatch(title):
                raise Rejected(f"{title!r} is no AE title: those have 1 to 16 ASCII characters.")
        _check_between(1, associations, MOST_ASSOCIATIONS, "--associations")
        _check_between(0, retries, MOST_RETRIES, "--retries")
        context = _context(tls or Tls())
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
                tls=context,
                on_progress=show,
                stop=stop,
            )
        tell(summary)
        if not summary.progress.total:
            raise Rejected(f"There is no DICOM object in {', '.join(map(str, paths))}: nothing was sent.")
        say(f"What was acknowledged stands in {manifest}.")
        return Exit.OK if summary.complete else Exit.NO

    return told(work)


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
    if not 0 < int(port) < 2**16:
        raise Rejected(f"{port} is no port: ports are 1 to 65535.")
    return [Path(path) for path in paths], host.strip("[]"), int(port)


def _context(tls: Tls) -> ssl.SSLContext | None:
    if tls.authorities is None:
        if tls.certificate or tls.key:
            raise Rejected("--tls-certificate and --tls-key are for TLS: give --tls-ca, too.")
        return None
    return sender_context(tls.authorities, tls.certificate, tls.key)


def _check_between(least: int, value: int, most: int, option: str) -> None:
    if not least <= value <= most:
        raise Rejected(f"{option} takes {least} to {most}, not {value}.")
