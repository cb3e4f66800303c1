"""A bus in memory that brings events to handlers, repeats them and crashes them, as a test wants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from schemas import make, pacs
from schemas.catalogue import decode
from schemas.facts import StoredInstance
from schemas.identity import BlobRef, derived_id, instance_event_id, series_stream
from streams.bus import Position

PROJECT = "default"
PATIENT = "a" * 32


def key(number):
    return f"{number:032x}"


def uuid(number):
    return derived_id("test", str(number))


class Ticking:
    """A clock that a test moves."""

    def __init__(self):
        self.now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self):
        return self.now

    def move(self, seconds):
        self.now += timedelta(seconds=seconds)


class Crash(BaseException):
    """kill -9, as far as a handler can tell."""


class Bus:
    """Topics as lists; every send is durable. `crash_after` sends of its own kill the sender."""

    def __init__(self):
        self.topics = {}
        self.crash_after = None

    async def send(self, message):
        if self.crash_after is not None:
            if self.crash_after == 0:
                self.crash_after = None
                raise Crash
            self.crash_after -= 1
        there = self.topics.setdefault(message.topic, [])
        there.append((message.key, bytes(message.value)))
        return Position(message.topic, 0, len(there) - 1)

    async def send_all(self, messages):
        return [await self.send(message) for message in messages]

    async def close(self):
        pass

    def events(self, topic):
        return [decode(value) for _, value in self.topics.get(topic, [])]

    def data(self, topic, kind=object):
        return [event.data for event in self.events(topic) if isinstance(event.data, kind)]


class Group:
    """Consumers with their positions; `repeat` tells how many extra times to bring an event."""

    def __init__(self, bus, specs, *, repeat=lambda: 0):
        self.bus, self.specs, self.repeat = bus, specs, repeat
        self.positions = {}

    async def settle(self, limit=10_000):
        """Bring everything until nothing is left."""
        for _ in range(limit):
            if not await self.once():
                return
        raise AssertionError("the bus never came to rest")

    async def once(self):
        moved = False
        for spec in self.specs:
            for topic in spec.topics:
                position = self.positions.get((spec.name, topic), 0)
                records = self.bus.topics.get(topic, [])
                if position >= len(records):
                    continue
                for _ in range(1 + self.repeat()):
                    await spec.handle(decode(records[position][1]))
                self.positions[spec.name, topic] = position + 1
                moved = True
        return moved


def stored(instance=1, *, series=1, study=1, digest=None, association=1, modality="CT", placement=None):
    digest = f"{digest if digest is not None else instance:064x}"
    data = pacs.InstanceStored(
        project=PROJECT,
        patient=PATIENT,
        study=key(study),
        series=key(series),
        instance=key(instance),
        digest=digest,
        blob=BlobRef(sha256=digest, size=10, media_type="application/dicom"),
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        modality=modality,
        association=uuid(association),
        origin="TEST",
        received=datetime(2026, 1, 2, tzinfo=UTC),
        placement=placement,
    )
    return pacs_event(data, instance_event_id(PROJECT, key(instance), digest))


def ended(*, series=1, association=1, outcome="released", instances=1):
    data = pacs.AssociationEnded(
        project=PROJECT,
        series=key(series),
        association=uuid(association),
        outcome=outcome,
        instances=instances,
    )
    return pacs_event(data, derived_id("gateway", uuid(association), key(series)))


def announced(instances, *, series=1, listed=(), name="P", part=0, by="announcement"):
    data = pacs.SeriesAnnounced(
        project=PROJECT,
        series=key(series),
        announcement=uuid(name),
        by=by,
        instances=instances,
        listed=[key(one) for one in listed],
        part=part,
    )
    return pacs_event(data, derived_id("announced", uuid(name), f"{key(series)} {part}"))


def fact(data, version=1):
    """What is remembered of an image that was stored, given the data of its event."""
    return StoredInstance(
        instance=data.instance,
        digest=data.digest,
        blob=data.blob,
        sop_class_uid=data.sop_class_uid,
        modality=data.modality,
        association=data.association,
        received=data.received,
        version=version,
    )


def settled(version=1):
    """The data of a version's settling."""
    return pacs.SeriesSettled(
        project=PROJECT,
        patient=PATIENT,
        study=key(1),
        series=key(1),
        modality="CT",
        version=version,
        instances=1,
        conflicts=0,
        evidence="quiet",
    )


def pacs_event(data, event_id):
    return make.first(
        data,
        event_id=event_id,
        source="/chips/gateway/scp",
        subject=series_stream(PROJECT, data.series),
        time=datetime(2026, 1, 2, tzinfo=UTC),
    )
