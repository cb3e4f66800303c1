"""``chips demo``: the product on a fresh folder, with real studies pushed through its door."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from rich.table import Table

from deploy.demo import studies
from deploy.demo.outcome import Line, lines, tolerance_ml, volume_ml
from deploy.isolation import prepare
from deploy.process import settings_or_exit
from deploy.send import bar, tell
from deploy.terminal import console, say
from deploy.up import serve
from deploy.users import made_up_password, make
from gateway import sending
from gateway.identity import series_key
from gateway.keys import Keyring
from schemas.views import FeedDetail
from streams import logs
from streams.errors import Rejected, Unavailable
from streams.settings import Settings
from streams.store.api import Store
from streams.store.opening import open_store

START_S = 120.0
DONE_S = 900.0
LOGIN = "demo"


class _Demo(NamedTuple):
    settings: Settings
    sent: studies.Sent
    folder: Path
    began: float


def demo(*, once: bool, keep: Path | None) -> int:
    """Run the demo; with `once`, exit status 0 only if every series ended as it should."""
    with _folder(keep) as folder:
        environment = {"CHIPS_DATA": str(folder / "data"), "CHIPS_POLICY": "demo", **_free_ports()}
        os.environ.update({name: value for name, value in environment.items() if name not in os.environ})
        settings = settings_or_exit().settings
        logs.configure("warning", "demo")
        try:
            return asyncio.run(_run(settings, folder, once=once))
        except Rejected as wrong:
            sys.stderr.write(f"chips: {wrong}\n")
            return os.EX_USAGE
        except Unavailable as away:
            sys.stderr.write(f"chips: {away}\n")
            return os.EX_TEMPFAIL


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="chips-demo-") as folder:
        yield Path(folder)


def _free_ports() -> dict[str, str]:
    """Give the usual ports, or free ones where those are taken."""
    chosen = {}
    for variable, usual in (("CHIPS_DICOM_PORT", 11112), ("CHIPS_HTTP_PORT", 8080)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", usual))
            except OSError:
                probe.bind(("127.0.0.1", 0))
            chosen[variable] = str(probe.getsockname()[1])
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
        status = working.result() if working.done() else 130
        if not once and working.done() and not stop.is_set():
            say("Ctrl-C stops CHIPS.")
            await asyncio.wait({serving})
        return status
    finally:
        stop.set()
        working.cancel()
        await asyncio.gather(serving, working, return_exceptions=True)


async def _work(demo: _Demo, ready: asyncio.Event, stop: asyncio.Event) -> int:
    async with asyncio.timeout(START_S):
        await ready.wait()
    settings = demo.settings
    password = made_up_password()
    with contextlib.suppress(Rejected):  # a kept folder has the account of its first run
        await make(settings, LOGIN, "Demo", password, admin=True)
    say(f"Watch it arrive at {_address(settings)} (login {LOGIN}, password {password})")
    summary = await asyncio.to_thread(_send, demo, stop)
    tell(summary)
    store = await open_store(settings)
    try:
        found = await _until_done(demo, store, stop)
    finally:
        await store.close()
    return _report(demo, summary, found, password)


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


async def _until_done(demo: _Demo, store: Store, stop: asyncio.Event) -> list[FeedDetail]:
    wanted = await asyncio.to_thread(_distinct, demo.folder / "sent.jsonl")
    deadline = time.monotonic() + DONE_S
    with bar() as progress:
        task = progress.add_task("Measuring", total=None)
        while True:
            rows = await store.views.rows("feed", demo.settings.project, "")
            details = [msgspec.json.decode(row.body, type=FeedDetail) for row in rows]
            known = lines(details)
            progress.update(task, total=len(known), completed=sum(line.done for line in known))
            arrived = sum(line.instances for line in known) >= wanted
            if (arrived and all(line.done for line in known)) or stop.is_set() or time.monotonic() > deadline:
                return details
            await asyncio.sleep(0.25)


def _distinct(manifest: Path) -> int:
    """Count the images that were acknowledged: packages carry some of them in several encodings."""
    lines = manifest.read_text(encoding="utf-8").splitlines()
    return len({json.loads(line)["sop_instance_uid"] for line in lines})


def _report(demo: _Demo, summary: sending.Summary, details: list[FeedDetail], password: str) -> int:
    seconds = time.monotonic() - demo.began
    known = sorted(lines(details), key=lambda line: (line.title, line.series))
    columns = ("study", "modality", "images", "anonymized", "quarantined", "outcome")
    table = Table(*columns, title="What arrived", title_justify="left")
    for line in known:
        table.add_row(line.title, line.modality, *_numbers(line), line.outcome)
    console.print(table)
    say(
        f"{len(details)} studies, {len(known)} series, {sum(line.instances for line in known)} images: "
        f"{sum(line.anonymized for line in known)} anonymized, "
        f"{sum(line.quarantined for line in known)} quarantined, "
        f"{sum(line.outcome.startswith('measured') for line in known)} series measured, in {seconds:.0f} s"
    )
    right = _phantom_is_right(demo, details)
    well = summary.complete and bool(known) and all(line.done and line.well for line in known)
    if not well:
        say("Not everything ended as it should: see the table and the log.")
    say(f"The page: {_address(demo.settings)}   login {LOGIN}   password {password}")
    return 0 if right and well else 1


def _phantom_is_right(demo: _Demo, details: list[FeedDetail]) -> bool:
    spec = demo.sent.phantom
    key = Keyring(demo.settings.path("vault")).project_key(demo.settings.project)
    measured = volume_ml(details, series_key(key, demo.sent.phantom_series_uid))
    told = "was not measured" if measured is None else f"was measured as {measured:.1f} mL"
    right = measured is not None and abs(measured - spec.volume_ml) <= tolerance_ml(spec)
    say(
        f"The phantom (seed {spec.seed}, tilt {spec.tilt:.1f}°) has {spec.volume_ml:.1f} mL and {told}: "
        f"{'right' if right else 'WRONG'}, within one voxel layer of {tolerance_ml(spec):.1f} mL"
    )
    return right


def _numbers(line: Line) -> tuple[str, str, str]:
    return str(line.instances), str(line.anonymized), str(line.quarantined)


def _address(settings: Settings) -> str:
    return settings.public_url or f"http://{settings.http_host}:{settings.http_port}"
