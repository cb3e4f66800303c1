"""The embedded bus as a Faust transport.

Faust expects a broker that assigns partitions. Here one worker reads every partition of its topics, so an
assignment is imitated once, after `subscribe` returned (its callbacks wait for that).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from faust.assignor.client_assignment import ClientAssignment
from faust.exceptions import ImproperlyConfigured
from faust.transport import base
from faust.types import TP, ConsumerMessage

from agents.transport.embedded_producer import EmbeddedProducer
from agents.transport.ownership import Ownership
from agents.transport.strict import StrictAcks
from streams.bus import Record
from streams.errors import Refused
from streams.log.logs import DRIVER, Logs
from streams.log.reader import FIRST_NAP_S, Reader, longer
from streams.partitioner import partition_of

FETCH = 100
"""Records of a partition read at once, unless ``broker_max_poll_records`` says otherwise."""


class EmbeddedConsumer(StrictAcks, base.Consumer):
    """Reads every partition of its topics; there is nobody to share them with."""

    transport: EmbeddedTransport

    def __post_init__(self) -> None:
        self._reader = Reader(self.transport.directory)
        self._ownership = Ownership(self.transport.directory, self.app.conf.id)
        self._assigned: set[TP] = set()
        self._position: dict[TP, int] = {}
        self._ends: dict[TP, int] = {}
        self._counts: dict[str, int] = {}
        self._nap = FIRST_NAP_S

    async def on_start(self) -> None:
        """Take the app's place; refuses when another worker has it."""
        await self._reader.call(_touch)
        await asyncio.to_thread(self._ownership.take)
        await super().on_start()

    async def on_stop(self) -> None:
        """Commit what is done, and give the place back."""
        await super().on_stop()
        await self._reader.close()
        self._ownership.release()

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Read these topics from now on."""
        names = list(topics)
        try:
            self._counts = {name: await self._reader.call(Logs.partitions, name) for name in names}
        except Refused as error:
            raise ImproperlyConfigured(str(error)) from error
        tps = {TP(name, partition) for name, count in self._counts.items() for partition in range(count)}
        self.add_future(self._assign(tps))

    async def _assign(self, tps: set[TP]) -> None:
        """Go through the motions of a rebalance."""
        self.app.on_rebalance_start()
        await self.on_partitions_revoked(self.assignment())
        self.app.consumer_generation_id += 1
        self._assigned = tps
        self._position = {tp: self._position.get(tp, 0) for tp in tps}
        actives = {name: sorted(tp.partition for tp in tps if tp.topic == name) for name in self._counts}
        # Table recovery asks the assignor for the active partitions, even when there are no tables.
        self.app.assignor._assignment = ClientAssignment(actives=actives, standbys={})  # noqa: SLF001 - see above
        await self.on_partitions_assigned(set(tps), self.app.consumer_generation_id)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Mapping[TP, list[Record]]:  # noqa: ASYNC109 - Faust's signature
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        tps = self._assigned if active_partitions is None else active_partitions
        while self.flow_active and not self.should_stop:
            found = await self._fetch(set(tps))
            self._nap = FIRST_NAP_S if found else longer(self._nap)
            if found or loop.time() >= deadline:
                return found
            await asyncio.sleep(self._nap)
        return {}

    async def _fetch(self, tps: set[TP]) -> dict[TP, list[Record]]:
        positions = {(tp.topic, tp.partition): self._position[tp] for tp in tps if tp in self._position}
        generation = self.app.consumer_generation_id
        limit = self.app.conf.broker_max_poll_records or FETCH
        read = await self._reader.call(Logs.fetch, positions, limit)
        if generation != self.app.consumer_generation_id:
            return {}  # assigned anew meanwhile: these are read again from the committed position
        found = {}
        for (topic, partition), records in read.items():
            tp = TP(topic, partition)
            self._position[tp] = records[-1].offset + 1
            self._ends[tp] = max(self._ends.get(tp, 0), records[-1].offset + 1)
            found[tp] = records
        return found

    def _to_message(self, tp: TP, record: Record) -> ConsumerMessage:
        return ConsumerMessage(
            *tp,
            record.offset,
            record.timestamp / 1000,
            0,
            list(record.headers),
            record.key,
            record.value,
            None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        await self._reader.call(Logs.commit, self.app.conf.id, {_place(tp): at for tp, at in offsets.items()})
        return True

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go on where the app left off; a new app begins with the first record kept."""
        committed = await self._reader.call(Logs.committed, self.app.conf.id)
        starts = await self._reader.call(Logs.starts, sorted(self._counts))
        offsets = {tp: committed.get(_place(tp), starts[_place(tp)]) for tp in self._assigned}
        # So that lag is known from the first day, also of a partition that nothing came to yet.
        fresh = {_place(tp): at for tp, at in offsets.items() if _place(tp) not in committed}
        await self._reader.call(Logs.commit, self.app.conf.id, fresh)
        self._position = dict(offsets)
        return offsets

    async def _seek(self, partition: TP, offset: int) -> None:
        self._position[partition] = offset

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Move to these offsets."""
        for tp, offset in partitions.items():
            await self.seek(tp, offset)

    async def seek_to_beginning(self, *partitions: TP) -> None:
        """Move to the first records."""
        for tp in partitions:
            await self.seek(tp, 0)

    async def position(self, tp: TP) -> int | None:
        """Give the offset that is read next."""
        return self._position.get(tp)

    def assignment(self) -> set[TP]:
        """Give the partitions that are read: all."""
        return set(self._assigned)

    def highwater(self, tp: TP) -> int:
        """Give the offset after the last record seen."""
        return self._ends.get(tp, 0)

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """Give the offsets after the last records."""
        ends = await self._reader.call(Logs.ends, sorted({tp.topic for tp in partitions}))
        return {tp: ends[_place(tp)] for tp in partitions}

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        """Give the offsets of the first records kept."""
        starts = await self._reader.call(Logs.starts, sorted({tp.topic for tp in partitions}))
        return {tp: starts[_place(tp)] for tp in partitions}

    def topic_partitions(self, topic: str) -> int | None:
        """Count the partitions of a subscribed topic."""
        return self._counts.get(topic)

    def key_partition(self, topic: str, key: bytes | None, partition: int | None = None) -> int | None:
        """Give the partition of a key."""
        return partition_of(key or b"", self._counts[topic]) if partition is None else partition

    async def create_topic(self, topic: str, *_: Any, **__: Any) -> None:
        """Refuse: only ``chips migrate`` makes topics."""
        raise ImproperlyConfigured(f"Topic {topic} is made by `chips migrate`, not by a worker")

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)


class EmbeddedTransport(base.Transport):
    """Topics in a folder."""

    Consumer = EmbeddedConsumer
    Producer = EmbeddedProducer
    driver_version = DRIVER

    def __init__(self, *arguments: Any, directory: Path) -> None:
        # Not from the URL: it would take the first part of a relative path for a host, in small letters.
        super().__init__(*arguments)
        self.directory = directory


def _place(tp: TP) -> tuple[str, int]:
    """Name a partition as the log does."""
    return tp.topic, tp.partition


def _touch(_: Logs) -> None:
    """Open the bus, so that a missing or newer one is told at the start."""
