"""``chips demo``: the product on a fresh folder, with real studies pushed through its door."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
from rich.table import Table

from deploy.demo import login, studies
from deploy.demo.login import Login
from deploy.demo.outcome import Line, Phantom, Verdict, judge, tolerance_ml
from deploy.exits import Exit, told
from deploy.isolation import prepare
from deploy.ports import PROCESSES, all_free
from deploy.process import settings_here
from deploy.send import bar, tell
from deploy.terminal import console, say
from deploy.up import serve
from gateway import sending
from gateway.identity import series_key
from gateway.keys import Keyring
from schemas.views import FeedDetail
from streams import logs
from streams.errors import Unavailable
from streams.settings import Settings
from streams.store.api import Store
from streams.store.opening import open_store

START_S = 120.0
DONE_S = 900.0
_LOOK_S = 0.25


class _Demo(NamedTuple):
    settings: Settings
    sent: studies.Sent
    folder: Path
    began: float


class _Expected(NamedTuple):
    """What was sent: images of each series by its key, and the phantom among them."""

    sent: Mapping[str, int]
    phantom: Phantom


def demo(*, once: bool, keep: Path | None) -> int:
    """Run the demo; with `once`, exit status 0 only if every series that was sent ended as it should."""

    def work() -> int:
        with _folder(keep) as folder:
            environment = {"CHIPS_DATA": str(folder / "data"), "CHIPS_POLICY": "demo", **_free_ports()}
            os.environ.update({name: value for name, value in environment.items() if name not in os.environ})
            settings = settings_here().settings
            logs.configure("warning", "demo")
            return asyncio.run(_run(settings, folder, once=once))

    return told(work)


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="chips-demo-") as folder:
        yield Path(folder)


def _free_ports() -> dict[str, str]:
    """Give the usual ports, or free ones where those are taken; no health ports where one of them is."""
    usual = Settings()
    chosen = {}
    for variable, port in (("CHIPS_DICOM_PORT", usual.dicom_port), ("CHIPS_HTTP_PORT", usual.http_port)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                probe.bind(("127.0.0.1", 0))
            chosen[variable] = str(probe.getsockname()[1])
    first = usual.health_port
    if not all_free("127.0.0.1", range(first, first + len(PROCESSES))):
        chosen["CHIPS_HEALTH_PORT"] = "0"
    return chosen


async def _run(settings: Settings, folder: Path, *, once: bool) -> int:
    stop, ready = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    say("Preparing the studies: MNI152 T1, files of pydicom and pydicom-data, and a new phantom.")
    sent = await asyncio.to_thread(studies.write, folder / "studies")
    isolation = await asyncio.to_thread(prepare, settings, say)
    log_file = folder / "chips.log"
    environment = {**os.environ, "CHIPS_ISOLATION": isolation}
    say(f"Starting CHIPS; its log is {log_file}")
    serving = asyncio.create_task(
        serve(settings, stop=stop, environment=environment, on_ready=ready.set, log=log_file)
    )
    working = asyncio.create_task(_work(_Demo(settings, sent, folder, time.monotonic()), ready, stop))
    try:
        await asyncio.wait({serving, working}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
        status = working.result() if working.done() else Exit.INTERRUPTED
        if not once and working.done() and not stop.is_set():
            say("Ctrl-C stops CHIPS.")
            await asyncio.wait({serving})
        return status
    finally:
        stop.set()
        working.cancel()
        await asyncio.gather(serving, working, return_exceptions=True)


async def _work(demo: _Demo, ready: asyncio.Event, stop: asyncio.Event) -> int:
    try:
        async with asyncio.timeout(START_S):
            await ready.wait()
    except TimeoutError as late:
        raise Unavailable(
            f"CHIPS was not ready within {START_S:g} s: its log is {demo.folder / 'chips.log'}"
        ) from late
    account = await login.ensure(demo.settings, demo.folder)
    say(f"Watch it arrive at {demo.settings.origin} ({account})")
    expected = await asyncio.to_thread(_expected, demo)
    summary = await asyncio.to_thread(_send, demo, stop)
    tell(summary)
    store = await open_store(demo.settings)
    try:
        verdict = await _until_settled(demo, store, expected, stop)
    finally:
        await store.close()
    _report(demo, verdict, account)
    if stop.is_set() and not verdict.settled:
        return Exit.INTERRUPTED
    if summary.complete and not summary.skipped and verdict.well:
        return Exit.OK
    say("Not everything ended as it should: see the table and the log.")
    return Exit.NO


def _expected(demo: _Demo) -> _Expected:
    key = Keyring(demo.settings.path("vault")).project_key(demo.settings.project)
    phantom = Phantom(demo.sent.phantom, series_key(key, demo.sent.phantom_series_uid))
    return _Expected(studies.series_of_files(demo.folder / "studies", key), phantom)


def _send(demo: _Demo, stop: asyncio.Event) -> sending.Summary:
    halt = threading.Event()
    with bar() as progress:
        task = progress.add_task("Sending", total=None)

        def show(now: sending.Progress) -> None:
            if stop.is_set():
                halt.set()
            progress.update(task, total=now.total, completed=now.acknowledged + now.refused)

        return sending.send(
            [demo.folder / "studies"],
            demo.settings.dicom_host,
            demo.settings.dicom_port,
            called_ae=demo.settings.dicom_ae,
            calling_ae="CHIPS-DEMO",
            retries=5,
            manifest=demo.folder / "sent.jsonl",
            associations=2,
            on_progress=show,
            stop=halt,
        )


async def _until_settled(demo: _Demo, store: Store, expected: _Expected, stop: asyncio.Event) -> Verdict:
    """Show progress until nothing more is to come, or it is stopped, or has taken `DONE_S`."""
    deadline = time.monotonic() + DONE_S
    with bar() as progress:
        task = progress.add_task("Measuring", total=len(expected.sent))
        while True:
            rows = await store.views.rows("feed", demo.settings.project, "")
            details = [msgspec.json.decode(row.body, type=FeedDetail) for row in rows]
            verdict = judge(details, *expected)
            progress.update(task, completed=sum(line.done for line in verdict.lines))
            if verdict.settled or stop.is_set() or time.monotonic() > deadline:
                return verdict
            await asyncio.sleep(_LOOK_S)


def _report(demo: _Demo, verdict: Verdict, account: Login) -> None:
    seconds = time.monotonic() - demo.began
    known = verdict.lines
    columns = ("study", "modality", "images", "anonymized", "quarantined", "outcome")
    table = Table(*columns, title="What arrived", title_justify="left")
    for line in known:
        table.add_row(line.title, line.modality, *_numbers(line), line.outcome)
    console.print(table)
    say(
        f"{verdict.studies} studies, {len(known)} series, "
        f"{sum(line.instances for line in known)} images: "
        f"{sum(line.anonymized for line in known)} anonymized, "
        f"{sum(line.quarantined for line in known)} quarantined, "
        f"{sum(line.outcome.startswith('measured') for line in known)} series measured, in {seconds:.0f} s"
    )
    for series, count in verdict.lost.items():
        say(f"LOST: {count} images of series {series} are on no card")
    spec, ml = demo.sent.phantom, verdict.phantom_ml
    say(
        f"The phantom (seed {spec.seed}, tilt {spec.tilt:.1f}°) has {spec.volume_ml:.1f} mL and "
        f"{'was not measured' if ml is None else f'was measured as {ml:.1f} mL'}: "
        f"{'right' if verdict.phantom_is_right else 'WRONG'}, within one voxel layer of "
        f"{tolerance_ml(spec):.1f} mL"
    )
    say(f"The page: {demo.settings.origin}   {account}")


def _numbers(line: Line) -> tuple[str, str, str]:
    return str(line.instances), str(line.anonymized), str(line.quarantined)
