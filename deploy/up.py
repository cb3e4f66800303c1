"""``chips up``: all processes of one machine, under one supervisor."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.exits import Exit, told
from deploy.isolation import prepare
from deploy.locking import only_here
from deploy.migrate import apply
from deploy.ports import PROCESSES, check_free, wanted
from deploy.process import settings_here
from deploy.supervisor import Child, Supervisor
from deploy.terminal import say
from schemas.catalogue import AGENTS
from streams import logs
from streams.settings import Settings
from streams.store.opening import open_store
from ui.auth.accounts import Accounts


def up() -> int:
    """Run until Ctrl-C or SIGTERM."""

    def work() -> int:
        settings = settings_here().settings
        logs.configure(settings.log_level, "supervisor")
        asyncio.run(_main(settings))
        return Exit.OK

    return told(work)


async def _main(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    isolation = await asyncio.to_thread(prepare, settings, say)
    environment = {**os.environ, "CHIPS_ISOLATION": isolation}
    await serve(settings, stop=stop, environment=environment, on_ready=lambda: _announce(settings))
    say("Stopped.")


async def serve(
    settings: Settings,
    *,
    stop: asyncio.Event,
    environment: Mapping[str, str],
    on_ready: Callable[[], None] | None = None,
    log: Path | None = None,
) -> None:
    """Migrate, then keep every process running until `stop` is set; their logs go to `log`, else to ours.

    Raises
    ------
    streams.errors.Misconfigured
        When CHIPS runs on this folder already, a port is taken, or a process can't start as it is set.
    streams.errors.Unavailable
        When an engine does not answer.
    """
    async with only_here(Path(settings.data), say) as lock:
        check_free(wanted(settings))
        await apply(settings)
        if not await _has_accounts(settings):
            say("There is no account yet: make one with `chips user add NAME`.")
        children = [
            Child(name, ["agents", name] if name in AGENTS else [name], environment)
            for name in (*PROCESSES, "ui")
        ]
        supervisor = Supervisor(children, Path(settings.data) / "run", log, held=[lock])
        await supervisor.run(stop=stop, on_ready=on_ready)


async def _has_accounts(settings: Settings) -> bool:
    store = await open_store(settings)
    try:
        return bool(await Accounts(store.records).everyone())
    finally:
        await store.close()


def _announce(settings: Settings) -> None:
    say(f"The page:  {settings.origin}")
    if settings.dicom_plain:
        say(f"DICOM:     {settings.dicom_ae} at {settings.dicom_host}:{settings.dicom_port}")
    if settings.dicom_tls_certificate_file:
        say(f"DICOM/TLS: {settings.dicom_ae} at {settings.dicom_host}:{settings.dicom_tls_port}")
    say("Ctrl-C stops CHIPS.")
