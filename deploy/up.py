"""``chips up``: all processes of one machine, under one supervisor."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.isolation import prepare
from deploy.migrate import apply
from deploy.process import settings_or_exit
from deploy.supervisor import Child, Supervisor
from deploy.terminal import say
from schemas.catalogue import AGENTS
from streams import logs
from streams.errors import Rejected, Unavailable
from streams.settings import Settings
from streams.store.opening import open_store
from ui.auth.accounts import Accounts


def up() -> int:
    """Run until Ctrl-C or SIGTERM."""
    settings = settings_or_exit().settings
    logs.configure(settings.log_level, "supervisor")
    try:
        asyncio.run(_main(settings))
    except Rejected as wrong:
        sys.stderr.write(f"chips: {wrong}\n")
        return os.EX_CONFIG
    except Unavailable as away:
        sys.stderr.write(f"chips: {away}\n")
        return os.EX_TEMPFAIL
    return 0


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
    """Migrate, then keep every process running until `stop` is set; their logs go to `log`, else to ours."""
    await apply(settings)
    if not await _has_accounts(settings):
        say("There is no account yet: make one with `chips user add NAME`.")
    commands = {"gateway": ["gateway"], **{name: ["agents", name] for name in AGENTS}, "runner": ["runner"]}
    children = [
        # Each has a health port of its own: the set one and those after it.
        Child(
            name,
            command,
            {**environment, "CHIPS_HEALTH_PORT": str(settings.health_port and settings.health_port + number)},
        )
        for number, (name, command) in enumerate(commands.items())
    ]
    children.append(Child("ui", ["ui"], environment))
    await Supervisor(children, Path(settings.data) / "run", log).run(stop=stop, on_ready=on_ready)


async def _has_accounts(settings: Settings) -> bool:
    store = await open_store(settings)
    try:
        return bool(await Accounts(store.records).everyone())
    finally:
        await store.close()


def _announce(settings: Settings) -> None:
    say(f"The page:  http://{settings.http_host}:{settings.http_port}")
    say(f"DICOM:     {settings.dicom_ae} at {settings.dicom_host}:{settings.dicom_port}")
    say("Ctrl-C stops CHIPS.")
