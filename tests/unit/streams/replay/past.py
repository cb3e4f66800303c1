"""Feeds with a history, made by the agent that makes them, and a tail over the bus in memory."""

from __future__ import annotations

import asyncio

from agents.feeds.agent import feeds_agent
from schemas import command as c
from schemas import make
from schemas.identity import default_feed, feed_stream
from streams.bus import Record
from streams.publishing import message
from streams.store.memory.store import MemoryStore
from tests.sealing import sealed
from tests.unit.agents.flowing import PATIENT, PROJECT, Bus, Group, Ticking, key, uuid


class MemoryTail:
    """Reads a bus in memory; at its end it waits for ever, as a real one does."""

    def __init__(self, bus):
        self.bus = bus

    async def ends(self, topics):
        return {(topic, 0): len(self.bus.topics.get(topic, [])) for topic in topics}

    async def starts(self, topics):
        return {(topic, 0): 0 for topic in topics}

    async def records(self, topics, *, start="end"):
        for topic in topics:
            there = self.bus.topics.get(topic, [])
            begin = 0 if start == "beginning" else len(there)
            for offset, record in enumerate(there[begin:], begin):
                yield self.record(topic, offset, record)
        await asyncio.Event().wait()

    def record(self, topic, offset, record):
        return Record(topic, 0, offset, 0, record[0].encode(), record[1])


class Past:
    """Three feeds: receiving, tagged and commented on."""

    def __init__(self, store=None):
        self.store, self.bus, self.clock = store or MemoryStore(), Bus(), Ticking()
        self.group = Group(self.bus, [feeds_agent(self.store, self.bus, self.clock)])

    async def live(self, feeds=3, *, first=0):
        self.numbers = list(range(first, first + feeds))
        for number in self.numbers:
            await self.receive(number)
            await self.say(number, c.TagFeed(tag="liver"), f"tag {number}")
            await self.comment(number, "hello")
        return self

    def feed(self, number):
        return default_feed(PROJECT, key(number))

    def stream(self, number):
        return feed_stream(PROJECT, self.feed(number))

    async def receive(self, number, series=1):
        await self.say(
            number,
            c.ReceiveSeries(
                project=PROJECT,
                feed=self.feed(number),
                patient=PATIENT,
                study=key(number),
                series=key(series + 100 * number),
                modality="CT",
            ),
            f"receive {number} {series}",
            author=None,
        )

    async def comment(self, number, text):
        comment = uuid(f"comment {number} {text}")
        await self.say(number, c.PostComment(comment=comment, text=sealed(text)), f"post {number} {text}")

    async def say(self, number, data, ident, author="anna"):
        self.clock.move(1)
        event = make.first(
            data,
            event_id=uuid(ident),
            source="/chips/ui",
            subject=self.stream(number),
            time=self.clock(),
            authtype="app_user" if author else "system",
            authid=author,
        )
        await self.bus.send(message(event))
        await self.group.settle()
