"""The hub of one ui process: tails the bus once and fans out to its tabs and waiting commands."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable

import msgspec
import orjson
import stamina
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from schemas.catalogue import FEED, LIVE, REPLY, decode
from schemas.command import CommandAccepted, CommandRejected
from schemas.envelope import Event, InvalidEvent, parse_stream
from schemas.live import JobProgress, SeriesProgress, SourceChanged
from streams.bus import Record, Tail
from streams.errors import Unavailable
from streams.store.api import Store
from ui.live.connection import Connection

Reply = CommandAccepted | CommandRejected

HEAD_EVERY_S = 10.0
CARD_EVERY_S = 0.1
"""A card that changes faster than this is sent as often as this, s."""
HOME_APART_S = 0.005
"""How far apart home pages read their cards again when the bus is back, s: not all at one moment."""
MAX_TABS = 2_000
MAX_TABS_EACH = 100
"""Tabs of one account, so that one can't take the places of all."""
REMEMBERED = 1_000
"""Replies kept for a command whose waiter comes a little later."""

log = structlog.get_logger()


class Hub:
    """Fans out feed events, card changes, progress and replies."""

    def __init__(
        self, store: Store, open_tail: Callable[[], Tail], project: str, metrics: CollectorRegistry
    ) -> None:
        self._store = store
        self._open_tail = open_tail
        self._project = project
        self._tabs: set[Connection] = set()
        self._dirty: dict[str, None] = {}
        self._changed = asyncio.Event()
        self._waiting: dict[str, asyncio.Future[Reply]] = {}
        self._replies: OrderedDict[str, Reply] = OrderedDict()
        self._tailing = False
        self._relayed = Counter("chips_ui_relayed_total", "Bus messages relayed", ["topic"], registry=metrics)
        Gauge("chips_ui_tabs", "Open live connections", registry=metrics).set_function(
            lambda: len(self._tabs)
        )

    @property
    def tailing(self) -> bool:
        """Whether the bus is being read right now."""
        return self._tailing

    def join(self, tab: Connection) -> bool:
        """Take in a tab; False when there are too many, of all or of its account."""
        of_account = sum(other.account == tab.account for other in self._tabs)
        if len(self._tabs) >= MAX_TABS or of_account >= MAX_TABS_EACH:
            return False
        self._tabs.add(tab)
        return True

    def leave(self, tab: Connection) -> None:
        """Forget a tab."""
        self._tabs.discard(tab)

    async def reply(self, command: str, timeout_s: float) -> Reply | None:
        """Wait for the reply to a command, bounded; None when none came."""
        if command in self._replies:
            return self._replies[command]
        waiter = self._waiting.setdefault(command, asyncio.get_running_loop().create_future())
        try:
            return await asyncio.wait_for(asyncio.shield(waiter), timeout_s)
        except TimeoutError:
            self._waiting.pop(command, None)
            return None

    async def run(self) -> None:
        """Tail the bus and send heads and cards until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read())
            tasks.create_task(self._cards())
            tasks.create_task(self._heads())

    async def _read(self) -> None:
        while True:  # for as long as the process lives; each attempt waits longer, up to a bound
            async for attempt in stamina.retry_context(
                on=Unavailable, attempts=None, timeout=None, wait_max=5.0
            ):
                with attempt:
                    await self._read_once()

    async def _read_once(self) -> None:
        tail = self._open_tail()
        topics = [FEED.name, LIVE.name, REPLY.name]
        try:
            # From the ends as they are now: whatever happened before is in the store.
            ends = await tail.ends(topics)
            self._tailing = True
            await self._missed()
            async for record in tail.records(topics, start=ends):
                self._relay(record)
        finally:
            self._tailing = False
            with contextlib.suppress(Unavailable):
                await tail.close()

    async def _missed(self) -> None:
        """Have every tab look for what the bus carried while nobody listened."""
        for index, tab in enumerate(list(self._tabs)):  # tabs come and go while we wait
            tab.reread(index * HOME_APART_S)
            await tab.heads()

    def _relay(self, record: Record) -> None:
        self._relayed.labels(record.topic).inc()
        try:
            event = decode(record.value)
        except InvalidEvent as invalid:
            log.warning("live.invalid", topic=record.topic, offset=record.offset, error=str(invalid))
            return
        if record.topic == FEED.name:
            self._feed(event, record.value)
        elif isinstance(event.data, SeriesProgress | JobProgress):
            self._progress(event.data)
        elif isinstance(event.data, SourceChanged):
            self._source(event.data)
        elif isinstance(event.data, CommandAccepted | CommandRejected):
            self._answer(event, event.data)

    def _feed(self, event: Event, raw: bytes) -> None:
        try:
            _, project, feed = parse_stream(event.subject)
        except ValueError:
            log.warning("live.invalid", topic=FEED.name, event_id=event.id, error="its subject is no stream")
            return
        if project != self._project:
            return
        for tab in self._tabs:
            tab.offer(feed, event.version, raw)
        self._dirty[feed] = None
        self._changed.set()

    def _progress(self, data: SeriesProgress | JobProgress) -> None:
        if data.project != self._project:
            return
        told = {name: value for name, value in msgspec.to_builtins(data).items() if name != "project"}
        kind = "progress" if isinstance(data, SeriesProgress) else "job"
        # Stored and anonymized are counted by different agents: neither may displace the other's newest.
        subject = f"{kind}.{data.series}.{'stored' if told.get('stored') is not None else ''}"
        raw = orjson.dumps({"t": kind, **told})
        for tab in self._tabs:
            tab.hint(subject, raw)

    def _source(self, data: SourceChanged) -> None:
        if data.shown.project != self._project:
            return
        raw = b'{"t":"source","source":%s}' % msgspec.json.encode(data.shown)
        for tab in self._tabs:
            if tab.sources:
                tab.hint(f"source.{data.shown.source}", raw)

    def _answer(self, event: Event, reply: Reply) -> None:
        self._replies[reply.command] = reply
        while len(self._replies) > REMEMBERED:
            self._replies.popitem(last=False)
        waiter = self._waiting.pop(reply.command, None)
        if waiter and not waiter.done():
            waiter.set_result(reply)
        told = {"t": "reply", "accepted": isinstance(reply, CommandAccepted), **msgspec.to_builtins(reply)}
        for tab in self._tabs:
            if tab.account == event.authid:
                tab.tell(told)

    async def _cards(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            dirty, self._dirty = self._dirty, {}
            try:
                for feed in dirty:
                    await self._card(feed)
            except Unavailable as away:
                log.warning("live.cards_unavailable", error=str(away))
                self._dirty = {**dirty, **self._dirty}
                self._changed.set()
                await asyncio.sleep(1.0)
            await asyncio.sleep(CARD_EVERY_S)

    async def _card(self, feed: str) -> None:
        row = await self._store.views.row("card", self._project, "", feed)
        if row is None:
            return
        raw = b'{"t":"card","card":%s}' % row.body
        for tab in self._tabs:
            if tab.home:
                tab.hint(f"card.{feed}", raw)

    async def _heads(self) -> None:
        while True:
            await asyncio.sleep(HEAD_EVERY_S)
            try:
                for tab in list(self._tabs):
                    await tab.heads()
            except Unavailable as away:
                log.warning("live.heads_unavailable", error=str(away))
