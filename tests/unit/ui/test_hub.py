"""The hub, when the bus comes back and tabs come and go."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from schemas.identity import derived_id
from streams.errors import Unavailable
from streams.store.memory.store import MemoryStore
from tests.unit.ui.serving import tab_of
from ui.live.hub import MAX_TABS_EACH, Hub

FEED = derived_id("test", "feed")


class Tail:
    """A tail that brings nothing, until it breaks."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.broken = asyncio.Event()

    async def ends(self, topics):
        return {}

    async def records(self, topics, *, start):
        self.opened.set()
        await self.broken.wait()
        raise Unavailable("the bus is away")
        yield

    async def close(self) -> None:
        pass


class Tails:
    """Gives a new tail whenever the hub opens one."""

    def __init__(self) -> None:
        self.tails = asyncio.Queue()

    def open(self) -> Tail:
        tail = Tail()
        self.tails.put_nowait(tail)
        return tail

    async def next(self) -> Tail:
        async with asyncio.timeout(10):
            tail = await self.tails.get()
            await tail.opened.wait()
        return tail


class Socket:
    closed = False

    def __init__(self) -> None:
        self.sent = asyncio.Queue()

    async def send_str(self, text: str) -> None:
        self.sent.put_nowait(text)


@pytest.fixture
async def world():
    tails, store = Tails(), MemoryStore()
    hub = Hub(store, tails.open, "default", CollectorRegistry())
    running = asyncio.create_task(hub.run())
    yield hub, tails, store
    assert not running.done(), "the hub ended"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_one_account_cannot_take_the_places_of_all(world):
    hub, _, store = world
    tabs = [tab_of(Socket(), store) for _ in range(MAX_TABS_EACH + 1)]
    assert [hub.join(tab) for tab in tabs] == [True] * MAX_TABS_EACH + [False]
    assert hub.join(tab_of(Socket(), store, "bo"))
    hub.leave(tabs[0])
    assert hub.join(tabs[-1])


async def test_home_pages_read_their_cards_again_when_the_bus_is_back(world):
    hub, tails, store = world
    tail = await tails.next()
    sockets = [Socket(), Socket()]
    sending = []
    for socket in sockets:
        tab = tab_of(socket, store)
        tab.home = True
        assert hub.join(tab)
        sending.append(asyncio.create_task(tab.run()))
    tail.broken.set()
    await tails.next()
    for socket in sockets:
        async with asyncio.timeout(10):
            assert await socket.sent.get() == '{"t":"home"}'
    for task in sending:
        task.cancel()


@pytest.mark.parametrize("moves", ["come", "go"])
async def test_tabs_may_come_and_go_while_the_bus_comes_back(world, moves):
    hub, tails, store = world
    tail = await tails.next()
    tabs = [tab_of(Socket(), store) for _ in range(3)]
    for tab in tabs[:2]:
        tab.subscribe(FEED, 0)
        assert hub.join(tab)

    async def version(_stream):
        if moves == "come":
            hub.join(tabs[2])
        else:
            hub.leave(tabs[0])
            hub.leave(tabs[1])
        return 0

    store.events.version = version
    tail.broken.set()
    await tails.next()  # the hub's own end would be seen by the fixture
    assert hub.tailing
