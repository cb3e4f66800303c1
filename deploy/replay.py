"""``chips replay``: the tools of `streams.replay` at the command line."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from rich.table import Table

from deploy.process import settings_here
from deploy.send import bar
from deploy.terminal import console, say
from schemas.catalogue import AGENTS
from streams.bus import Tail
from streams.errors import Refused
from streams.opening import open_producer, open_tail
from streams.projections.views import View
from streams.replay import comparing, dead_letters, rebuilding, tailing
from streams.replay.reading import Gap
from streams.store.api import Row, Store
from streams.store.opening import open_store


class _Ports(NamedTuple):
    store: Store
    tail: Tail


@contextlib.asynccontextmanager
async def _ports() -> AsyncIterator[_Ports]:
    async with _tail() as bus:
        store = await open_store(settings_here().settings)
        try:
            await store.check()
            yield _Ports(store, bus)
        finally:
            await store.close()


@contextlib.asynccontextmanager
async def _tail() -> AsyncIterator[Tail]:
    bus = open_tail(settings_here().settings)
    try:
        yield bus
    finally:
        await bus.close()


async def tail(
    *, type_prefix: str | None, stream: str | None, correlation: str | None, beginning: bool, follow: bool
) -> int:
    """Print events as they lie on the bus, one a line."""
    wanted = tailing.Filter(type_prefix or "", stream or "", correlation or "")
    topics = tailing.event_topics(wanted.type_prefix)
    # Of the bus alone: what happens is to be seen also while the store is away.
    async with _tail() as bus:
        async for seen in tailing.follow(bus, topics, wanted, beginning=beginning, forever=follow):
            say(seen.record.value.decode())
    return 0


async def rebuild(view: View, at: datetime | None) -> int:
    """Make a view again from the store alone: as pages read it, or print it as it was at a time."""
    if at is not None:
        return await _print_at(view, at.replace(tzinfo=UTC) if at.tzinfo is None else at)
    async with _ports() as ports:
        with bar() as progress:
            task = progress.add_task("Rebuilding", total=None)
            rebuilt = await rebuilding.rebuild(
                ports.store,
                view,
                on_progress=lambda now: progress.update(task, completed=now.feeds, total=now.of),
            )
    say(
        f"{rebuilt.view}, generation {rebuilt.generation}: {rebuilt.rows} rows from "
        f"{rebuilt.events} events of {rebuilt.feeds} feeds."
    )
    for gap in rebuilt.gaps:
        say(_missing(gap))
    return 1 if rebuilt.gaps else 0


async def _print_at(view: View, at: datetime) -> int:
    gaps = []
    async with _ports() as ports:
        async for part in rebuilding.parts(ports.store, view, at=at):
            gaps += part.gaps
            for row in part.rows:
                say(as_line(row))
    for gap in gaps:
        print(f"chips: {_missing(gap)}", file=sys.stderr)  # noqa: T201 - beside the rows, which may go to a file
    return 1 if gaps else 0


def as_line(row: Row) -> str:
    """Give a row of a view as a line of JSON."""
    return msgspec.json.encode(
        {
            "project": row.project,
            "scope": row.scope,
            "key": row.key,
            "version": row.version,
            "row": msgspec.Raw(row.body),
        }
    ).decode()


def _missing(gap: Gap) -> str:
    return f"missing in the store: {gap.stream}, versions {gap.first} to {gap.last}"


async def diff(view: View) -> int:
    """Compare a view with the store, the store with itself and the bus; exit status 1 on a difference."""
    found = 0
    read = dict.fromkeys(("feeds", "other streams", "events of the bus"), 0)
    unread: list[str] = []

    def counting(what: str) -> Callable[[int], None]:
        before = read[what]
        return lambda count: read.update({what: before + count})

    async def tell(differences: AsyncIterator[comparing.Difference]) -> None:
        nonlocal found
        async for one in differences:
            found += 1
            say(f"{one.kind:<9} {one.stream}  {one.place}: {one.detail}")

    async with _ports() as ports:
        feeds = counting("feeds")
        await tell(comparing.diff(ports.store, view, on_progress=lambda now: feeds(now.feeds)))
        await tell(comparing.diff_streams(ports.store, on_read=counting("other streams")))
        for topic in comparing.STREAM_TOPICS:
            events = counting("events of the bus")
            try:
                await tell(comparing.diff_bus(ports.store, ports.tail, topic.name, on_read=events))
            except Refused as refused:
                if topic.zone == "outer":
                    raise
                unread.append(f"not compared: {refused}")
    for line in unread:
        say(line)
    compared = ", ".join(f"{count} {what}" for what, count in read.items())
    say(f"{f'{found} differences.' if found else 'No difference.'} Compared: {compared}.")
    return 1 if found else 0


async def dlq_list() -> int:
    """List dead letters and parked keys."""
    table = Table(
        "letter", "reason", "from", "attempts", "at", "why", title="Dead letters", title_justify="left"
    )
    unread: list[str] = []
    async with _ports() as ports:
        for agent, zone in AGENTS.items():
            try:
                async for found in dead_letters.letters(ports.tail, ports.store.records, [agent]):
                    table.add_row(*_row(found))
            except Refused as refused:
                if zone == "outer":
                    raise
                unread.append(f"not listed: {agent}'s, for {refused}")
        parked = await dead_letters.parked_keys(ports.store.records)
    console.print(table if table.row_count else "No dead letters.")
    for line in unread:
        say(line)
    for key in parked:
        say(f"parked: {key.agent} {key.key} since {_time(key.parked.at)}")
    return 0


def _row(found: dead_letters.Found) -> tuple[str, ...]:
    letter = found.letter
    return (
        found.name,
        f"{letter.reason}, released" if found.released else letter.reason,
        f"{letter.topic}/{letter.partition}/{letter.offset}",
        str(letter.attempts),
        letter.at.isoformat("T", "seconds"),
        letter.why,
    )


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
