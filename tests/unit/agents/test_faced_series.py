"""Images with a face wait until a version of their series settles, which decides all of them together."""

from __future__ import annotations

import msgspec
import pytest

from agents.anonymization.agent import Anonymization
from agents.anonymization.outcome import Quarantine
from agents.anonymization.series_faces import SeriesFaces
from agents.anonymization.whole_series import kept
from agents.progress import Progress
from schemas.facts import AnonymizedInstance, StoredInstance
from schemas.image import InstanceQuarantined, SeriesAnonymized, SeriesAttributes, SeriesManifest
from schemas.pacs import SeriesSettled
from streams.blobs import Blobs
from streams.errors import Unavailable
from streams.store.api import Fact
from streams.store.memory.store import MemoryStore
from tests.integration.flowing import verdict
from tests.unit.agents.flowing import (
    PATIENT,
    PROJECT,
    Bus,
    Crash,
    Ticking,
    fact,
    key,
    pacs_event,
    settled,
    stored,
    uuid,
)

IMAGE = "chips.image.v1"
TOO_FEW = "The images do not form a volume."


def faced(data):
    """Judge without DICOM: of every instance whose number ends in 9 no face can be seen."""
    found = verdict(data)
    if isinstance(found, Quarantine) or data.instance.endswith("9"):
        return found
    return msgspec.structs.replace(found, face=True)


class Room:
    """An agent whose faces are taken out without DICOM: of three images at least, or not at all."""

    def __init__(self, folder):
        self.store, self.bus, self.clock, self.blobs = MemoryStore(), Bus(), Ticking(), Blobs(folder)
        self.taken, self.judged = [], []
        self.failing = None
        self.restart()

    def restart(self):
        self.progress = Progress(
            self.store.facts, self.bus, self.clock, kinds=("anonymized", "quarantined"), source="/chips/x"
        )
        self.agent = Anonymization(
            self.store,
            self.bus,
            self.clock,
            self.progress,
            blobs=self.blobs,
            judge=self.judge,
            take_faces=self.take,
        )

    def judge(self, data):
        self.judged.append(int(data.instance, 16))
        return faced(data)

    async def take(self, images):
        self.taken.append([int(one.instance, 16) for one in images])
        if self.failing:
            raise self.failing
        assert {(one.project, one.patient, one.study, one.series) for one in images} == {
            (PROJECT, PATIENT, key(1), key(1))
        }
        if len(images) < 3:
            stays = Quarantine(reason="face-not-removed", message=TOO_FEW, policy="p")
            return [kept(one, stays) for one in images]
        return [
            AnonymizedInstance(
                instance=one.instance,
                digest=one.digest,
                blob=self.blobs.put(PROJECT, f"{one.digest} of {len(images)}".encode(), "application/dicom"),
                policy="p",
                attributes=SeriesAttributes(patient_sex="F"),
            )
            for one in images
        ]

    async def arrive(self, *events, version=1):
        for event in events:
            data = event.data
            name = f"{data.instance}.{data.digest}"
            await self.store.facts.put(
                [Fact(PROJECT, "stored", data.series, name, msgspec.json.encode(fact(data, version)))]
            )
            await self.agent.handle(event)

    async def settle(self, version=1):
        await self.agent.handle(pacs_event(settled(version), uuid(f"settled {version}")))
        return self.bus.data(IMAGE, SeriesAnonymized)[-1]

    def contents(self, said):
        """What the manifest of a version lists: numbers of instances and their bytes."""
        body = self.blobs.path(PROJECT, said.manifest).read_bytes()
        return {
            int(one.instance, 16): self.blobs.path(PROJECT, one.blob).read_bytes().decode()
            for one in msgspec.json.decode(body, type=SeriesManifest).instances
        }

    def told(self):
        return [
            (int(one.instance, 16), one.reason, one.message)
            for one in self.bus.data(IMAGE, InstanceQuarantined)
        ]

    async def live(self):
        await self.progress.flush()
        return [(one.anonymized, one.quarantined) for one in self.bus.data("chips.live.v1")]


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def defaced(*numbers, of):
    return {number: f"{number:064x} of {of}" for number in numbers}


async def test_an_image_with_a_face_waits_and_nothing_is_told_of_it(room):
    await room.arrive(stored(1), stored(2), stored(1))
    assert await room.store.facts.count(PROJECT, "faced", key(1)) == 2
    assert room.judged == [1, 2]
    assert (room.told(), await room.live(), room.taken, room.bus.topics) == ([], [], [], {})
    assert not list(room.blobs.root.rglob("*"))


async def test_what_waited_comes_out_with_its_series(room):
    await room.arrive(stored(3), stored(1), stored(7), stored(9), stored(2))
    said = await room.settle()
    assert (said.anonymized, said.quarantined, said.policy) == (4, 1, "p")
    assert [reason.reason for reason in said.reasons] == ["ultrasound"]
    assert room.contents(said) == {
        **defaced(1, 2, 3, of=3),
        9: f"clean {9:064x}",
    }
    assert await room.live() == [(4, 1)]
    assert [number for number, *_ in room.told()] == [7]


async def test_a_repeated_settling_gives_the_same_and_takes_no_face_again(room):
    await room.arrive(stored(1), stored(2), stored(3))
    first, again = await room.settle(), await room.settle()
    assert first == again
    assert room.taken == [[1, 2, 3]]
    assert len({event.id for event in room.bus.events(IMAGE)}) == 1


async def test_what_stays_in_is_told_once_each(room):
    await room.arrive(stored(1), stored(2))
    said = await room.settle()
    await room.settle()
    assert sorted(room.told()) == [(number, "face-not-removed", TOO_FEW) for number in (1, 2)]
    assert (said.anonymized, said.quarantined, said.manifest) == (0, 2, None)
    assert [(one.reason, one.message, one.instances) for one in said.reasons] == [
        ("face-not-removed", TOO_FEW, 2)
    ]
    assert await room.live() == [(0, 2)]
    await room.arrive(stored(1))
    assert len(room.told()) == 2


async def test_late_images_make_a_version_that_is_defaced_anew_as_a_whole(room):
    await room.arrive(stored(1), stored(2), stored(3))
    first = await room.settle()
    await room.arrive(stored(4), version=2)
    second = await room.settle(version=2)
    assert room.taken == [[1, 2, 3], [1, 2, 3, 4]]
    assert room.contents(second) == defaced(1, 2, 3, 4, of=4)
    # A repetition of the first is still of three.
    assert await room.settle() == first
    assert room.contents(first) == defaced(1, 2, 3, of=3)


async def test_a_series_that_stayed_in_comes_out_once_it_is_complete(room):
    await room.arrive(stored(1), stored(2))
    first = await room.settle()
    await room.arrive(stored(3), version=2)
    second = await room.settle(version=2)
    assert ((first.anonymized, first.quarantined), (second.anonymized, second.quarantined)) == (
        (0, 2),
        (3, 0),
    )
    assert second.reasons == []
    assert await room.settle() == first


async def test_a_later_version_can_keep_in_what_an_earlier_one_let_out(room):
    await room.arrive(stored(1), stored(2), stored(3))
    await room.settle()

    async def refuse(images):
        return [kept(one, Quarantine(reason="face-not-removed", message="No.", policy="p")) for one in images]

    room.take = refuse
    room.restart()
    await room.arrive(stored(4), version=2)
    said = await room.settle(version=2)
    assert (said.anonymized, said.quarantined, said.manifest) == (0, 4, None)
    assert sorted(number for number, *_ in room.told()) == [1, 2, 3, 4]


async def test_images_of_a_later_version_that_are_there_already_are_not_of_this_one(room):
    """Arrivals was slower: it met them after it had settled the version."""
    await room.arrive(stored(1), stored(2), stored(3))
    await room.arrive(stored(4), version=2)
    assert room.contents(await room.settle()) == defaced(1, 2, 3, of=3)


async def test_other_bytes_of_an_image_are_no_second_plane_of_its_series(room):
    await room.arrive(stored(1), stored(2), stored(3), stored(2, digest=99))
    said = await room.settle()
    assert (said.anonymized, said.quarantined, said.conflicts) == (3, 0, 1)
    assert room.contents(said) == defaced(1, 2, 3, of=3)


@pytest.mark.parametrize("numbers", [(1, 2), (1, 2, 3)], ids=["stays in", "comes out"])
async def test_a_crash_at_any_event_ends_the_same(tmp_path, numbers):
    plain = Room(tmp_path / "plain")
    await plain.arrive(*map(stored, numbers))
    said = await plain.settle()
    for sends in range(len(plain.bus.events(IMAGE))):
        room = Room(tmp_path / str(sends))
        await room.arrive(*map(stored, numbers))
        room.bus.crash_after = sends
        with pytest.raises(Crash):
            await room.settle()
        room.restart()
        assert await room.settle() == said
        assert room.taken == [list(numbers)]
        # What was told before the crash is told again as the same event.
        assert {event.id for event in room.bus.events(IMAGE)} == {
            event.id for event in plain.bus.events(IMAGE)
        }


@pytest.mark.parametrize("after", [0, 1, 2])
async def test_a_crash_while_it_is_remembered_ends_the_same(room, monkeypatch, after):
    await room.arrive(stored(1), stored(2), stored(3))
    put = room.store.facts.put

    async def cut_short(facts):
        await put(facts[:after])
        raise Crash

    monkeypatch.setattr(room.store.facts, "put", cut_short)
    with pytest.raises(Crash):
        await room.settle()
    assert room.bus.topics == {}
    monkeypatch.undo()
    room.restart()
    assert room.contents(await room.settle()) == defaced(1, 2, 3, of=3)
    assert room.taken == [[1, 2, 3]] * 2


async def test_what_another_worker_remembered_first_holds(room):
    await room.arrive(stored(1), stored(2))
    (settled,) = [
        SeriesSettled(
            project=PROJECT,
            patient=PATIENT,
            study=key(1),
            series=key(1),
            modality="CT",
            version=1,
            instances=2,
            conflicts=0,
            evidence="quiet",
        )
    ]
    images = {
        fact.key: msgspec.json.decode(fact.body, type=StoredInstance)
        for fact in await room.store.facts.all(PROJECT, "stored", key(1))
    }

    def saying(message):
        stays = Quarantine(reason="face-not-removed", message=message, policy="p")

        async def take(waiting):
            if message == "second":
                await SeriesFaces(room.store.facts, saying("first")).outcomes(settled, images)
            return [kept(one, stays) for one in waiting]

        return take

    found = await SeriesFaces(room.store.facts, saying("second")).outcomes(settled, images)
    assert {one.message for one in found.values()} == {"first"}


async def test_a_series_waits_for_a_disk_that_is_away(room):
    await room.arrive(stored(1), stored(2), stored(3))
    room.failing = Unavailable("The vault is away.")
    with pytest.raises(Unavailable):
        await room.settle()
    assert room.bus.topics == {}
    room.failing = None
    assert (await room.settle()).anonymized == 3
