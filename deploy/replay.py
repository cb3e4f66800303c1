"""``chips replay``: the tools of `streams.replay` at the command line."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import NamedTuple

from rich.table import Table

from deploy.process import settings_here
from deploy.send import bar
from deploy.terminal import console, say
from streams.bus import Tail
from streams.opening import open_producer, open_tail
from streams.projections.views import View
from streams.replay import comparing, dead_letters, rebuilding, tailing
from streams.store.api import Store
from streams.store.opening import open_store


class _Ports(NamedTuple):
    store: Store
    tail: Tail


@contextlib.asynccontextmanager
async def _ports() -> AsyncIterator[_Ports]:
    settings = settings_here().settings
    store = await open_store(settings)
    tail = open_tail(settings)
    try:
        await store.check()
        yield _Ports(store, tail)
    finally:
        await tail.close()
        await store.close()


async def tail(
    *, type_prefix: str | None, stream: str | None, correlation: str | None, beginning: bool, follow: bool
) -> int:
    """Print events as they lie on the bus, one a line."""
    wanted = tailing.Filter(type_prefix or "", stream or "", correlation or "")
    async with _ports() as ports:
        async for seen in tailing.follow(
            ports.tail,
            tailing.event_topics(wanted.type_prefix),
            wanted,
            beginning=beginning,
            forever=follow,
        ):
            say(seen.record.value.decode())
    return 0


async def rebuild(view: View, at: datetime | None) -> int:
    """Make a view again from the store alone, with progress."""
    moment = at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
    async with _ports() as ports:
        with bar() as progress:
            task = progress.add_task("Rebuilding", total=None)
            rebuilt = await rebuilding.rebuild(
                ports.store,
                view,
                at=moment,
                on_progress=lambda now: progress.update(task, completed=now.feeds, total=now.of),
            )
    say(
        f"{rebuilt.view}, generation {rebuilt.generation}: {rebuilt.rows} rows from "
        f"{rebuilt.events} events of {rebuilt.feeds} feeds."
    )
    for gap in rebuilt.gaps:
        say(f"missing in the store: {gap.stream}, versions {gap.first} to {gap.last}")
    return 1 if rebuilt.gaps else 0


async def diff(view: View) -> int:
    """Compare a view with the store, and the store with the bus; exit status 1 when they differ."""
    found = 0
    async with _ports() as ports:
        for differences in (comparing.diff(ports.store, view), comparing.diff_bus(ports.store, ports.tail)):
            async for one in differences:
                found += 1
                say(f"{one.kind:<9} {one.stream}  {one.place}: {one.detail}")
    say(f"{found} differences." if found else "No difference.")
    return 1 if found else 0


async def dlq_list() -> int:
    """List dead letters and parked keys."""
    table = Table(
        "letter", "reason", "from", "attempts", "at", "why", title="Dead letters", title_justify="left"
    )
    async with _ports() as ports:
        async for found in dead_letters.letters(ports.tail, ports.store.records):
            letter = found.letter
            place = f"{letter.topic}/{letter.partition}/{letter.offset}"
            reason = f"{letter.reason}, released" if found.released else letter.reason
            row = (
                found.name,
                reason,
                place,
                str(letter.attempts),
                letter.at.isoformat("T", "seconds"),
                letter.why,
            )
            table.add_row(*row)
        parked = await dead_letters.parked_keys(ports.store.records)
    console.print(table if table.row_count else "No dead letters.")
    for key in parked:
        say(f"parked: {key.agent} {key.key} since {_time(key.parked.at)}")
    return 0


async def dlq_show(name: str) -> int:
    """Show one dead letter."""
    async with _ports() as ports:
        found = await dead_letters.show(ports.tail, ports.store.records, name)
    letter = found.letter
    say(f"{found.name}: {letter.reason}{', released' if found.released else ''}")
    say(f"from      {letter.topic}, partition {letter.partition}, offset {letter.offset}")
    say(f"key       {letter.original.key}")
    say(f"why       {letter.why}")
    say(f"attempts  {letter.attempts}, given up {_time(letter.at)}")
    say(letter.original.value.decode("utf-8", "backslashreplace"))
    return 0


async def dlq_release(name: str) -> int:
    """Send a dead letter, and what waits behind its key, to where they came from."""
    producer = open_producer(settings_here().settings)
    try:
        async with _ports() as ports:
            sent = await dead_letters.release(ports.tail, producer, ports.store.records, name)
    finally:
        await producer.close()
    say(f"{len(sent)} messages sent again; the key goes on.")
    return 0


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
