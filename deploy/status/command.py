"""``chips status``: asks everybody at once, and never lets one that is away hide the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import msgspec

from deploy.exits import FAMILIES, Exit
from deploy.process import settings_here
from deploy.status import engines, machine
from deploy.status.report import Agent, Report, needs_a_person
from deploy.status.table import show
from deploy.terminal import say
from schemas.catalogue import AGENTS
from streams.clock import utc_now
from streams.settings import Settings

ANSWER_S = 60.0
"""How long one question may take, s."""

Answer = TypeVar("Answer")


async def status(*, as_json: bool) -> int:
    """Tell how everything is; exit status 1 when something needs a person.

    Raises
    ------
    streams.errors.Misconfigured
        When the settings are wrong.
    """
    report = await gather(settings_here().settings)
    wrong = list(needs_a_person(report))
    if as_json:
        whole = {**msgspec.to_builtins(report), "needs_a_person": wrong}
        say(msgspec.json.format(msgspec.json.encode(whole), indent=2).decode())
    else:
        show(report, wrong)
    return Exit.NO if wrong else Exit.OK


class _Asking:
    """Questions asked side by side; one without an answer is a trouble, told once with its reason."""

    def __init__(self) -> None:
        self._unanswered: dict[str, list[str]] = {}

    async def ask(self, what: str, question: Awaitable[Answer]) -> Answer | None:
        """Wait for an answer, `ANSWER_S` at most; None when there is none."""
        try:
            async with asyncio.timeout(ANSWER_S):
                return await question
        except TimeoutError:
            why = f"no answer within {ANSWER_S:g} s"
        except (*FAMILIES, OSError) as error:
            why = str(error)
        self._unanswered.setdefault(why, []).append(what)
        return None

    def troubles(self) -> list[str]:
        """Say which questions had no answer, and why."""
        return [f"{', '.join(sorted(what))}: {why}" for why, what in sorted(self._unanswered.items())]


async def gather(settings: Settings) -> Report:
    """Ask everybody, side by side; what does not answer is among the report's troubles."""
    asking = _Asking()
    async with asyncio.TaskGroup() as tasks:
        lag = tasks.create_task(asking.ask("lag", engines.lag(settings)))
        given_up = tasks.create_task(asking.ask("dead letters", engines.given_up(settings)))
        jobs = tasks.create_task(asking.ask("open jobs", engines.jobs(settings)))
        found = tasks.create_task(asking.ask("data format", engines.data_format(settings)))
        theirs = tasks.create_task(asking.ask("engines", engines.versions(settings)))
        processes = tasks.create_task(machine.processes(settings))
        disks = tasks.create_task(asking.ask("disks", asyncio.to_thread(machine.disks, settings)))
        journal = tasks.create_task(asking.ask("journal", asyncio.to_thread(machine.journal, settings)))
        ours = tasks.create_task(asyncio.to_thread(machine.versions, settings))
    waiting, agents = lag.result() or {}, given_up.result() or {}
    return Report(
        at=utc_now(),
        bus=settings.bus_url,
        store=settings.store_url,
        processes=processes.result(),
        agents=[
            msgspec.structs.replace(agents.get(name) or Agent(name=name), waiting=waiting.get(name, {}))
            for name in AGENTS
        ],
        jobs=jobs.result(),
        journal=journal.result(),
        disks=disks.result() or [],
        format=found.result(),
        versions={**ours.result(), **(theirs.result() or {})},
        troubles=asking.troubles(),
    )
