"""Arrivals: series are announced, settle, reopen; nothing late is lost, nothing twice counts twice."""

from __future__ import annotations

import asyncio
import random

import msgspec
import pytest

from agents.arrivals.agent import Arrivals, arrivals_agent
from agents.arrivals.evidence import stored_fact
from agents.arrivals.sweeper import Sweeper
from agents.progress import Progress
from schemas.image import SeriesReceiving
from schemas.live import SeriesProgress
from schemas.pacs import SeriesDue, SeriesReopened, SeriesSettled
from streams.errors import Unavailable
from streams.publishing import message
from streams.store.api import Deadline, Fact
from streams.store.memory.store import MemoryStore
from tests.unit.agents.flowing import (
    PROJECT,
    Bus,
    Crash,
    Group,
    Ticking,
    announced,
    ended,
    key,
    stored,
    uuid,
)

PACS, IMAGE, LIVE = "chips.pacs.v1", "chips.image.v1", "chips.live.v1"


class Door:
    """Arrivals on a store and a bus in memory."""

    def __init__(self, repeat=lambda: 0):
        self.store, self.bus, self.clock = MemoryStore(), Bus(), Ticking()
        self.repeat = repeat
        self.group = None
        self.restart()

    def restart(self):
        spec = arrivals_agent(self.store, self.bus, self.clock, quiet_s=10, settle_s=1)
        positions = self.group.positions if self.group else {}
        self.group = Group(self.bus, [spec], repeat=self.repeat)
        self.group.positions = positions
        self.sweeper = Sweeper(self.store.deadlines, self.bus, self.clock)

    async def receive(self, *events):
        for event in events:
            await self.bus.send(message(event))
        await self.group.settle()

    async def wait(self, seconds):
        self.clock.move(seconds)
        await self.sweeper.sweep()
        await self.group.settle()

    def settled(self):
        return [(one.version, one.instances, one.conflicts) for one in self.bus.data(PACS, SeriesSettled)]


async def test_the_first_image_announces_its_series_once():
    door = Door()
    await door.receive(stored(1), stored(2), stored(3))
    assert len(door.bus.data(IMAGE, SeriesReceiving)) == 1
    assert await door.store.facts.count(PROJECT, "stored", key(1)) == 3
    assert [fact.key for fact in await door.store.facts.all(PROJECT, "series", key(1))] == [key(1)]
    assert [fact.key for fact in await door.store.facts.all(PROJECT, "study", PROJECT)] == [key(1)]


async def test_a_restarted_process_announces_with_the_same_id():
    door = Door()
    await door.receive(stored(1))
    door.restart()
    await door.receive(stored(2))
    assert len({event.id for event in door.bus.events(IMAGE)}) == 1


async def test_an_ended_association_settles_soon():
    door = Door()
    await door.receive(stored(1), stored(2), ended())
    await door.wait(0.5)
    assert door.settled() == []
    await door.wait(0.6)
    assert door.settled() == [(1, 2, 0)]
    assert door.bus.data(PACS, SeriesSettled)[0].evidence == "released"
    await door.wait(60)
    assert door.settled() == [(1, 2, 0)]
    assert await door.store.deadlines.due("series", door.clock()) == []


async def test_quiet_settles_without_an_end():
    door = Door()
    await door.receive(stored(1))
    await door.wait(9)
    assert door.settled() == []
    await door.wait(2)
    assert door.settled() == [(1, 1, 0)]
    assert door.bus.data(PACS, SeriesSettled)[0].evidence == "quiet"


async def test_an_image_after_the_end_moves_the_deadline_on():
    door = Door()
    await door.receive(stored(1), ended(), stored(2, association=2))
    await door.wait(5)
    assert door.settled() == []
    await door.wait(6)
    assert door.settled() == [(1, 2, 0)]


async def test_a_due_event_that_was_overtaken_by_an_image_is_passed_over():
    door = Door()
    await door.receive(stored(1))
    door.clock.move(11)
    await door.bus.send(message(stored(2)))
    await door.sweeper.sweep()
    await door.group.settle()
    assert door.bus.data(PACS, SeriesDue)
    assert door.settled() == []
    await door.wait(11)
    assert door.settled() == [(1, 2, 0)]


async def test_a_late_image_reopens_and_settles_as_the_next_version():
    door = Door()
    await door.receive(stored(1), ended())
    await door.wait(2)
    await door.receive(stored(2), stored(3))
    assert [one.version for one in door.bus.data(PACS, SeriesReopened)] == [2]
    await door.wait(11)
    assert door.settled() == [(1, 1, 0), (2, 3, 0)]


async def test_an_image_again_changes_nothing_and_other_bytes_are_a_conflict():
    door = Door()
    await door.receive(stored(1), stored(1), ended())
    await door.wait(2)
    await door.receive(stored(1))
    await door.wait(11)
    assert door.settled() == [(1, 1, 0)]
    assert door.bus.data(PACS, SeriesReopened) == []
    await door.receive(stored(1, digest=99))
    await door.wait(11)
    assert door.settled() == [(1, 1, 0), (2, 1, 1)]


async def test_a_late_image_whose_deadline_was_lost_in_a_crash_is_not_lost():
    door = Door()
    await door.receive(stored(1), ended())
    await door.wait(2)
    setting = door.store.deadlines.set

    async def crash(_deadline):
        raise Crash

    door.store.deadlines.set = crash
    await door.bus.send(message(stored(2)))
    with pytest.raises(Crash):
        await door.group.settle()
    door.store.deadlines.set = setting
    door.restart()
    await door.group.settle()
    await door.wait(11)
    assert door.settled() == [(1, 1, 0), (2, 2, 0)]


async def test_an_end_of_a_series_without_images_settles_nothing():
    door = Door()
    await door.receive(ended())
    await door.wait(2)
    assert door.settled() == []
    assert await door.store.deadlines.due("series", door.clock()) == []


async def test_the_sweeper_tells_once_then_again_when_nobody_listened():
    door = Door()
    await door.receive(stored(1))
    door.clock.move(11)
    assert [await door.sweeper.sweep() for _ in range(3)] == [1, 0, 0]
    door.clock.move(31)
    assert await door.sweeper.sweep() == 1
    assert len({event.id for event in door.bus.events(PACS) if isinstance(event.data, SeriesDue)}) == 1


def received_now(door, event):
    return msgspec.structs.replace(event, data=msgspec.structs.replace(event.data, received=door.clock()))


def grades(door):
    return [(one.version, one.grading, one.completeness.grade) for one in door.bus.data(PACS, SeriesSettled)]


async def test_an_end_that_comes_after_quiet_grades_the_version_anew():
    door = Door()
    await door.receive(received_now(door, stored(1)), received_now(door, stored(2)))
    await door.wait(11)
    assert grades(door) == [(1, 0, "quiescent")]
    await door.receive(ended())
    await door.wait(2)
    assert grades(door) == [(1, 0, "quiescent"), (1, 1, "complete_assumed")]
    assert door.settled() == [(1, 2, 0), (1, 2, 0)]
    await door.receive(ended(), stored(2))
    await door.wait(3600)
    assert len(grades(door)) == 2


async def test_an_end_that_never_comes_leaves_the_series_partial():
    door = Door()
    await door.receive(received_now(door, stored(1)))
    await door.wait(11)
    assert grades(door) == [(1, 0, "quiescent")]
    door.restart()
    await door.wait(14 * 60)
    assert grades(door) == [(1, 0, "quiescent")]
    await door.wait(60)
    assert grades(door) == [(1, 0, "quiescent"), (1, 1, "partial")]


async def test_a_due_event_of_a_process_before_settles_nothing_while_images_come():
    door = Door()
    await door.receive(stored(1))
    door.clock.move(11)
    await door.sweeper.sweep()
    fresh = received_now(door, stored(2)).data
    await door.store.facts.put([stored_fact(fresh, f"{fresh.instance}.{fresh.digest}", 1)])
    door.restart()
    await door.group.settle()
    assert door.bus.data(PACS, SeriesDue)
    assert door.settled() == []
    await door.wait(11)
    assert door.settled() == [(1, 2, 0)]


async def test_what_was_announced_decides_before_and_after_a_version_settled():
    door = Door()
    await door.receive(announced(3), stored(1), stored(2), ended())
    await door.wait(2)
    assert grades(door) == [(1, 0, "partial")]
    (told,) = door.bus.data(PACS, SeriesSettled)
    assert (told.completeness.expected, told.completeness.missing, told.completeness.lacks) == (
        3,
        1,
        ["shortfall"],
    )
    await door.receive(stored(3, association=2), ended(association=2))
    await door.wait(2)
    assert grades(door)[1:] == [(2, 0, "complete_expected")]
    await door.receive(announced(4, listed=[1, 2, 3, 4], name="Q"))
    await door.wait(2)
    assert grades(door)[2:] == [(2, 1, "partial")]


async def test_an_announcement_of_a_series_without_images_waits_for_them():
    door = Door()
    await door.receive(announced(1))
    await door.wait(2)
    assert door.settled() == []
    assert await door.store.deadlines.due("series", door.clock()) == []
    await door.receive(stored(1), ended())
    await door.wait(2)
    assert grades(door) == [(1, 0, "complete_expected")]


async def test_ends_that_an_earlier_release_recorded_still_count():
    door = Door()
    body = msgspec.json.encode("lost")
    await door.store.facts.put([Fact(PROJECT, "association_ended", key(1), uuid(1), body)])
    await door.receive(stored(1))
    await door.wait(11)
    assert grades(door) == [(1, 0, "partial")]


@pytest.mark.parametrize("last", ["image", "end"])
async def test_what_settles_belongs_to_the_story_of_the_last_that_came(last):
    door = Door()
    of = {number: uuid(f"association {number}") for number in (1, 2)}

    def told(event, number):
        return msgspec.structs.replace(event, correlationid=of[number])

    await door.receive(told(stored(1), 1), told(stored(2, association=2), 2))
    if last == "end":
        await door.receive(told(ended(), 1))
    await door.wait(11)
    for kind in (SeriesDue, SeriesSettled):
        (event,) = [event for event in door.bus.events(PACS) if isinstance(event.data, kind)]
        assert event.correlationid == of[1 if last == "end" else 2]
    (receiving,) = door.bus.events(IMAGE)
    assert receiving.correlationid == of[1]


async def test_a_deadline_of_before_tells_its_own_story():
    door = Door()
    await door.store.deadlines.set(Deadline("series", f"series/{PROJECT}/{key(1)}", door.clock(), b""))
    await door.sweeper.sweep()
    (due,) = door.bus.events(PACS)
    assert due.correlationid == due.id


@pytest.mark.parametrize("seed", range(8))
async def test_repeats_and_crashes_lose_no_image(seed):
    chance = random.Random(seed)
    door = Door(repeat=lambda: chance.choice([0, 0, 1, 2]))
    for instance in range(1, 21):
        await door.bus.send(message(stored(instance, series=1 + instance % 2)))
    for _ in range(60):
        door.bus.crash_after = chance.choice([None, 0, 1, 2])
        try:
            await door.group.settle()
            door.clock.move(chance.choice([0, 3, 12]))
            await door.sweeper.sweep()
        except Crash:
            door.restart()
    door.bus.crash_after = None
    for _ in range(4):
        await door.group.settle()
        await door.wait(45)
    for series in (1, 2):
        last = [one for one in door.bus.data(PACS, SeriesSettled) if one.series == key(series)][-1]
        assert last.instances == 10
    stream = [event async for event in door.store.events.read(f"series/{PROJECT}/{key(1)}")]
    published = {event.id for event in door.bus.events(PACS)}
    assert {event.id for event in stream} <= published


async def test_live_counts_are_throttled_and_the_last_one_is_told():
    store, bus, clock = MemoryStore(), Bus(), Ticking()
    progress = Progress(store.facts, bus, clock, kinds=("stored",), source="/chips/agents/arrivals")
    arrivals = Arrivals(store, bus, clock, progress, quiet_s=10, settle_s=1)
    for instance in range(1, 11):
        await arrivals.handle(stored(instance))
    await progress.flush()
    await progress.flush()
    assert [one.stored for one in bus.data(LIVE, SeriesProgress)] == [10]
    running = asyncio.create_task(progress.run())
    await arrivals.handle(stored(11))
    async with asyncio.timeout(5):
        while len(bus.data(LIVE)) < 2:
            await asyncio.sleep(0.01)
    running.cancel()
    assert bus.data(LIVE)[-1].stored == 11


async def test_a_bus_that_is_away_stops_no_live_counts():
    class Away(Bus):
        away = True

        async def send_all(self, messages):
            if self.away:
                raise Unavailable("away")
            await super().send_all(messages)

    store, bus = MemoryStore(), Away()
    progress = Progress(store.facts, bus, Ticking(), kinds=("stored",), source="/chips/agents/arrivals")
    for bus.away, series in ((True, 1), (False, 2)):
        progress.changed(PROJECT, key(1), key(series))
        await progress.flush()
    # What was not heard is dropped, and what comes later is told.
    assert [one.series for one in bus.data(LIVE, SeriesProgress)] == [key(2)]
