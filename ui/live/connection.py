"""One tab: its subscriptions, and a bounded queue between the hub and the socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec
import orjson
from aiohttp import ClientConnectionResetError, web

from schemas.envelope import encode
from schemas.identity import feed_stream
from schemas.views import FeedDetail
from streams.store.api import Store
from ui.live.cursor import Step, needs_snapshot, step
from ui.subjects.texts import Texts

MAX_FEEDS = 16
"""Feeds that one tab may follow."""
QUEUE = 512
"""Events that wait for one tab; when there are more, its feeds are caught up from the store."""
EPHEMERAL = 64
"""Cards and progress that wait for one tab, one a subject; the newest replaces the older."""
HOME_EVERY_S = 5.0
"""A home page that is too slow for its cards is told to read them again as often as this, s."""


class Connection:
    """Sends to one socket, in one task. The hub only puts into its queues, and never waits for it."""

    def __init__(
        self, socket: web.WebSocketResponse, store: Store, project: str, account: str, texts: Texts
    ) -> None:
        self.account = account
        self.home = False
        self.sources = False
        self._socket = socket
        self._store = store
        self._project = project
        self._texts = texts
        self._last: dict[str, int] = {}
        self._behind: set[str] = set()
        self._events: deque[tuple[str, int, bytes]] = deque()
        self._messages: deque[bytes] = deque(maxlen=QUEUE)
        self._newest: dict[str, bytes] = {}
        self._stale = False
        self._home_from = 0.0
        self._wake = asyncio.Event()

    def follows(self, feed: str) -> bool:
        """Tell whether this tab follows a feed."""
        return feed in self._last

    def subscribe(self, feed: str, after: int) -> str | None:
        """Follow a feed from after a version; give the reason when it is refused."""
        if feed not in self._last and len(self._last) >= MAX_FEEDS:
            return f"A tab follows at most {MAX_FEEDS} feeds: leave one first."
        self._last[feed] = after
        self._fall_behind(feed)
        return None

    def unsubscribe(self, feed: str) -> None:
        """Follow a feed no longer."""
        self._last.pop(feed, None)
        self._behind.discard(feed)

    def offer(self, feed: str, seq: int, raw: bytes) -> None:
        """Take an event from the bus; when the tab is too slow, it will be caught up from the store."""
        if feed not in self._last or feed in self._behind:
            return
        if len(self._events) >= QUEUE:
            self._fall_behind(feed)
            return
        self._events.append((feed, seq, raw))
        self._wake.set()

    def tell(self, message: Mapping[str, Any]) -> None:
        """Queue a message that must arrive, unless the tab is so slow that the oldest has to go."""
        self._messages.append(orjson.dumps(message))
        self._wake.set()

    def hint(self, subject: str, raw: bytes) -> None:
        """Queue progress or a card's newest state. The newest of a subject counts.

        What does not fit is dropped, and a home page reads again what the store has.
        """
        if subject in self._newest or len(self._newest) < EPHEMERAL:
            self._newest[subject] = raw
            self._wake.set()
        else:
            self.reread(0.0)

    def reread(self, delay_s: float) -> None:
        """Have a home page read its cards, and who sends, again, `delay_s` from now at the earliest."""
        if not self.home or self._stale:
            return
        self._stale = True
        self._home_from = max(self._home_from, _now() + delay_s)
        self._wake.set()

    async def heads(self) -> None:
        """Tell the version of each feed that is followed, and catch up what the bus did not bring."""
        for feed in list(self._last):
            version = await self._store.events.version(feed_stream(self._project, feed))
            if feed not in self._last:  # left while we waited
                continue
            self.tell({"t": "head", "feed": feed, "version": version})
            if version > self._last[feed]:
                self._fall_behind(feed)

    async def run(self) -> None:
        """Send until the socket closes.

        Raises
        ------
        streams.errors.Unavailable
            When a feed can't be caught up; the tab has to connect, and ask for it, again.
        """
        while not self._socket.closed:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self._home_from if self._stale else None):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self._drain()
            except (ClientConnectionResetError, ConnectionResetError):
                return

    async def _drain(self) -> None:
        while True:
            if self._stale and self._home_from <= _now():  # first, or a flood of the rest would hold it up
                self._stale, self._home_from = False, _now() + HOME_EVERY_S
                await self._send(b'{"t":"home"}')
            elif self._messages:
                await self._send(self._messages.popleft())
            elif self._behind:
                await self._catch_up(next(iter(self._behind)))
            elif self._events:
                await self._deliver(*self._events.popleft())
            elif self._newest:
                await self._send(self._newest.pop(next(iter(self._newest))))
            else:
                return

    async def _deliver(self, feed: str, seq: int, raw: bytes) -> None:
        if self._moved(feed):
            return
        match step(self._last[feed], seq):
            case Step.DELIVER:
                await self._event(feed, seq, raw)
            case Step.GAP:
                self._fall_behind(feed)
            case Step.REPEAT:
                pass

    async def _catch_up(self, feed: str) -> None:
        # What the bus brings while we read goes into the queue; what we read is dropped there as a repeat.
        self._behind.discard(feed)
        after = self._last[feed]
        stream = feed_stream(self._project, feed)
        snapshot = needs_snapshot(after, await self._store.events.version(stream))
        if self._moved(feed):
            return
        if snapshot:
            await self._snapshot(feed)
            return
        async for event in self._store.events.read(stream, after=after):
            if self._moved(feed):
                return
            await self._event(feed, event.version, encode(event))

    async def _snapshot(self, feed: str) -> None:
        row = await self._store.views.row("feed", self._project, "", feed)
        if self._moved(feed):
            return
        if row is None:
            self._last.pop(feed, None)
            self.tell({"t": "bye", "feed": feed, "code": "unknown", "reason": "There is no such feed."})
            return
        detail = msgspec.json.decode(row.body, type=FeedDetail)
        shown = orjson.dumps(await self._texts.detail(detail))
        if self._moved(feed):
            return
        self._last[feed] = detail.card.version
        await self._send(_snap(feed, shown, detail.card.version))

    async def _event(self, feed: str, seq: int, raw: bytes) -> None:
        shown = await self._texts.event(feed, raw)
        if self._moved(feed):
            return
        self._last[feed] = seq  # before we wait: what the tab asks meanwhile comes after, and counts
        await self._send(b'{"t":"ev","feed":"%s","seq":%d,"event":%s}' % (feed.encode(), seq, shown))

    def _moved(self, feed: str) -> bool:
        """Tell whether, while we waited, the tab left the feed or is to be caught up from elsewhere."""
        return feed not in self._last or feed in self._behind

    async def _send(self, raw: bytes) -> None:
        await self._socket.send_str(raw.decode())

    def _fall_behind(self, feed: str) -> None:
        self._behind.add(feed)
        self._events = deque(event for event in self._events if event[0] != feed)
        self._wake.set()


def _now() -> float:
    return asyncio.get_running_loop().time()


def _snap(feed: str, body: bytes, version: int) -> bytes:
    return b'{"t":"snap","feed":"%s","version":%d,"detail":%s}' % (feed.encode(), version, body)
