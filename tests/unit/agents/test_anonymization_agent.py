"""The anonymization agent around its core: one verdict an image, one manifest a version."""

from __future__ import annotations

import os

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.anonymization.agent import Anonymization, anonymization_agent
from agents.anonymization.anonymize import anonymize
from agents.anonymization.judging import judge_with
from agents.anonymization.manifest import GIVEN_UP, summarize
from agents.anonymization.policy.choosing import configured
from agents.anonymization.policy.ready import BASIC
from agents.arrivals.agent import arrivals_agent
from agents.arrivals.sweeper import Sweeper
from agents.judgement import Verdict, judge
from agents.progress import Progress
from agents.spec import AgentSpec
from gateway.identity import ProjectKey
from gateway.keys import Keyring
from schemas.facts import AnonymizedInstance, QuarantinedInstance
from schemas.identity import BlobRef
from schemas.image import InstanceQuarantined, SeriesAnonymized, SeriesAttributes, SeriesManifest
from streams.blobs import Blobs
from streams.errors import Misconfigured, Rejected, Unavailable
from streams.publishing import message
from streams.settings import Settings
from streams.store.api import Fact
from streams.store.memory.store import MemoryStore
from tests.door import image, written
from tests.integration.flowing import no_faces, verdict
from tests.unit.agents.flowing import (
    PROJECT,
    Bus,
    Crash,
    Group,
    Ticking,
    ended,
    fact,
    key,
    pacs_event,
    settled,
    stored,
    uuid,
)

IMAGE = "chips.image.v1"


class Room:
    def __init__(self, tmp_path, judging=None):
        self.judged = []
        self.store, self.bus, self.clock, self.blobs = MemoryStore(), Bus(), Ticking(), Blobs(tmp_path)
        self.progress = Progress(
            self.store.facts, self.bus, self.clock, kinds=("anonymized", "quarantined"), source="/chips/x"
        )

        def counted(data):
            self.judged.append(data.instance)
            return (judging or verdict)(data)

        self.agent = Anonymization(
            self.store,
            self.bus,
            self.clock,
            self.progress,
            blobs=self.blobs,
            judge=counted,
            take_faces=no_faces,
        )

    async def arrive(self, *events):
        for event in events:
            data = event.data
            row = Fact(
                PROJECT,
                "stored",
                data.series,
                f"{data.instance}.{data.digest}",
                msgspec.json.encode(fact(data)),
            )
            await self.store.facts.put([row])
            await self.agent.handle(event)

    async def settle(self, version=1):
        await self.agent.handle(pacs_event(settled(version), uuid(f"settled {version}")))
        return self.bus.data(IMAGE, SeriesAnonymized)[-1]


async def test_an_image_is_judged_once(tmp_path):
    room = Room(tmp_path)
    await room.arrive(stored(1), stored(7), stored(1), stored(7))
    assert room.judged == [key(1), key(7)]
    assert await room.store.facts.count(PROJECT, "anonymized", key(1)) == 1
    assert await room.store.facts.count(PROJECT, "quarantined", key(1)) == 1
    assert len(room.bus.data(IMAGE, InstanceQuarantined)) == 1
    await room.progress.flush()
    (counts,) = room.bus.data("chips.live.v1")
    assert (counts.anonymized, counts.quarantined, counts.stored) == (1, 1, None)


async def test_a_crash_before_the_quarantine_is_told_tells_it_then(tmp_path):
    room = Room(tmp_path)
    room.bus.crash_after = 0
    with pytest.raises(Crash):
        await room.arrive(stored(7))
    await room.arrive(stored(7))
    assert len(room.bus.data(IMAGE, InstanceQuarantined)) == 1
    assert await room.store.facts.count(PROJECT, "quarantined", key(1)) == 1


async def test_a_settled_series_has_a_manifest_that_repeats_itself(tmp_path):
    room = Room(tmp_path)
    await room.arrive(stored(3), stored(1), stored(2), stored(7), stored(2, digest=99))
    first, again = await room.settle(), await room.settle()
    assert first == again
    assert len({event.id for event in room.bus.events(IMAGE) if event.data == first}) == 1
    assert (first.anonymized, first.quarantined, first.conflicts) == (3, 1, 1)
    assert first.attributes.patient_sex == "F"
    body = room.blobs.path(PROJECT, first.manifest).read_bytes()
    listed = msgspec.json.decode(body, type=SeriesManifest)
    assert [one.instance for one in listed.instances] == [key(1), key(2), key(3)]
    later = await room.settle(version=2)
    assert later.manifest == first.manifest


async def test_a_series_without_a_clean_image_has_no_manifest(tmp_path):
    room = Room(tmp_path)
    await room.arrive(stored(7))
    said = await room.settle()
    assert (said.manifest, said.anonymized, said.quarantined) == (None, 0, 1)


async def test_what_fails_is_told_by_its_family(tmp_path):
    secret = ProjectKey(project=PROJECT, secret=bytes(32))
    vault = Blobs(tmp_path / "vault", private=True)
    room = Room(tmp_path / "blobs", judge_with(vault, lambda _project: secret, BASIC))
    with pytest.raises(Unavailable, match="not there"):
        await room.arrive(stored(1))


async def test_a_lost_original_keeps_back_one_image_and_not_its_series(tmp_path):
    secret = ProjectKey(project=PROJECT, secret=bytes(32))
    vault = Blobs(tmp_path / "vault", private=True)
    vault.put(PROJECT, b"another original", "application/dicom")
    judging = judge_with(vault, lambda _project: secret, BASIC)
    room = Room(tmp_path / "blobs", lambda data: (judging if data.instance == key(2) else verdict)(data))
    await room.arrive(stored(2), stored(1))
    said = await room.settle()
    assert (said.anonymized, said.quarantined) == (1, 1)
    assert [reason.reason for reason in said.reasons] == ["missing-original"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda vault: (vault / "keys.json").write_text("{"),
        lambda vault: (vault / "keys.json").unlink(),
        lambda vault: (vault / "master.key").chmod(0o644),
        lambda vault: (vault / "master.key").unlink(),
    ],
    ids=["damaged", "lost", "open", "no master"],
)
async def test_an_image_waits_for_keys_that_cannot_be_used(tmp_path, damage):
    vault, file = tmp_path / "vault", written(tmp_path, [image()])[0]
    originals = Blobs(vault / "objects", private=True)
    ring = Keyring(vault)
    found = anonymize(file, key=ring.project_key(PROJECT), policy=BASIC)
    blob = originals.put(PROJECT, file, "application/dicom")
    identity = {name: getattr(found, name) for name in ("patient", "study", "series", "instance")}
    event = stored(1)
    event = msgspec.structs.replace(event, data=msgspec.structs.replace(event.data, blob=blob, **identity))
    kept = {name: (vault / name).read_bytes() for name in ("keys.json", "master.key")}
    room = Room(tmp_path / "blobs", judge_with(originals, ring.known_key, BASIC))
    damage(vault)
    with pytest.raises(Unavailable) as raised:
        await room.arrive(event)
    assert judge(raised.value) is Verdict.AWAY
    assert room.bus.topics == {}
    for name, content in kept.items():
        (vault / name).write_bytes(content)
        (vault / name).chmod(0o600)
    await room.arrive(event)
    assert await room.store.facts.count(PROJECT, "anonymized", found.series) == 1


@pytest.mark.parametrize("content", ["{", '{"format": 1}'])
def test_keys_that_cannot_be_used_are_told_at_the_start(tmp_path, content):
    settings = Settings(data=str(tmp_path))
    Keyring(settings.path("vault")).project_key(settings.project)
    (settings.path("vault") / "keys.json").write_text(content)
    with pytest.raises(Rejected, match="damaged"):
        anonymization_agent(settings, MemoryStore(), Bus(), Ticking(), blobs=Blobs(tmp_path / "blobs"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "CHIPS_POLICY in .*mine.yaml: There is no policy"),
        ("name: mine", "line 1: version is missing"),
        ('name: a\nversion: 1\nencrypt_for: ["-----BEGIN CERTIFICATE-----\\n"]', "is no PEM certificate"),
    ],
)
def test_a_policy_that_cannot_be_followed_is_told_at_the_start(tmp_path, content, told):
    file = tmp_path / "mine.yaml"
    if content:
        file.write_text(content)
    settings = Settings(data=str(tmp_path), policy=str(file))
    with pytest.raises(Misconfigured, match=told):
        anonymization_agent(settings, MemoryStore(), Bus(), Ticking(), blobs=Blobs(tmp_path / "blobs"))


async def test_a_document_s_label_is_in_what_comes_out_and_a_change_makes_another(tmp_path):
    """The policy of the settings, from its file to the event; what is out stays when the file changes."""
    settings = Settings(data=str(tmp_path), project=PROJECT, policy=str(tmp_path / "mine.yaml"))
    vault, blobs, store, bus = settings.path("vault"), Blobs(tmp_path / "out"), MemoryStore(), Bus()
    secret = Keyring(vault).project_key(PROJECT)
    write = (tmp_path / "mine.yaml").write_text
    originals, labels, told = Blobs(vault / "objects", private=True), [], []
    for number, text in enumerate(
        ("name: mine\nversion: 1", "name: mine\nversion: 1\noptions: [retain_uids]"), 1
    ):
        write(text)
        labels.append(configured(settings.policy).label)
        agent = anonymization_agent(settings, store, bus, Ticking(), blobs=blobs)
        (file,) = written(tmp_path, [image("1.2.3.9", number=number)])
        found = anonymize(file, key=secret, policy=BASIC)
        data = msgspec.structs.replace(
            stored(number).data,
            blob=originals.put(PROJECT, file, "application/dicom"),
            **{name: getattr(found, name) for name in ("patient", "study", "series", "instance")},
        )
        row = Fact(
            PROJECT, "stored", data.series, f"{data.instance}.{data.digest}", msgspec.json.encode(fact(data))
        )
        await store.facts.put([row])
        await agent.handle(msgspec.structs.replace(stored(number), data=data))
        facts = await store.facts.all(PROJECT, "anonymized", data.series)
        told = sorted(msgspec.json.decode(one.body, type=AnonymizedInstance).policy for one in facts)
    assert labels[0] != labels[1]
    assert told == sorted(labels)


def test_a_start_sweeps_what_dead_writers_left_among_the_blobs(tmp_path):
    blobs = Blobs(tmp_path / "blobs")
    ref = blobs.put(PROJECT, b"x", "text/plain")
    old, young = blobs.root / "tmp" / "1-old", blobs.root / "tmp" / "1-young"
    for file in (old, young):
        file.write_bytes(b"half")
    os.utime(old, (1e9, 1e9))
    anonymization_agent(Settings(data=str(tmp_path)), MemoryStore(), Bus(), Ticking(), blobs=blobs)
    assert [file.name for file in (blobs.root / "tmp").iterdir()] == [young.name]
    assert blobs.exists(PROJECT, ref)


async def test_what_is_no_dicom_is_kept_back(tmp_path):
    secret = ProjectKey(project=PROJECT, secret=bytes(32))
    vault = Blobs(tmp_path / "vault", private=True)
    blob = vault.put(PROJECT, b"no DICOM at all", "application/dicom")
    room = Room(tmp_path / "blobs", judge_with(vault, lambda _project: secret, BASIC))
    event = stored(1)
    data = msgspec.structs.replace(event.data, blob=blob)
    await room.arrive(msgspec.structs.replace(event, data=data))
    assert len(room.bus.data(IMAGE, InstanceQuarantined)) == 1


def read(found):
    """The outcome with its bytes in memory: from different files they are different splices."""
    return msgspec.structs.replace(found, output=found.content)


@pytest.mark.parametrize("field", ["patient", "study", "series", "instance"])
def test_what_is_not_the_object_that_was_announced_is_kept_back(tmp_path, field):
    secret = ProjectKey(project=PROJECT, secret=bytes(32))
    vault = Blobs(tmp_path / "vault", private=True)
    (file,) = written(tmp_path, [image()])
    found = anonymize(file, key=secret, policy=BASIC)
    data = msgspec.structs.replace(
        stored(1).data,
        blob=vault.put(PROJECT, file, "application/dicom"),
        **{name: getattr(found, name) for name in ("patient", "study", "series", "instance")},
    )
    judging = judge_with(vault, lambda _project: secret, BASIC)
    assert read(judging(data)) == read(found)
    refused = judging(msgspec.structs.replace(data, **{field: "f" * 32}))
    assert refused.reason == "identity-mismatch"


def test_an_image_without_a_verdict_is_not_passed_over():
    one = fact(stored(1).data)
    summary = summarize(settled(), [one], {}, {})
    assert (summary.manifest, summary.quarantined, summary.reasons[0].reason) == (None, 1, GIVEN_UP)


@pytest.mark.parametrize("version", [None, 1, 2])
def test_an_image_without_a_verdict_counts_from_its_version_on(version):
    one = fact(stored(1).data, version=version)
    found = [summarize(settled(number), [one], {}, {}).quarantined for number in (1, 2, 3)]
    assert found == [version in (None, 1), True, True]


async def test_an_image_that_arrivals_met_first_is_of_the_next_version(tmp_path):
    """Two consumers of one topic: arrivals is far ahead when anonymization begins."""
    room = Room(tmp_path)
    arrivals = arrivals_agent(room.store, room.bus, room.clock, quiet_s=10, settle_s=1)
    ahead = Group(room.bus, [arrivals])
    sweeper = Sweeper(room.store.deadlines, room.bus, room.clock)
    for batch in ([stored(1), stored(2), ended()], [stored(3), stored(7)]):
        for event in batch:
            await room.bus.send(message(event))
        await ahead.settle()
        room.clock.move(11)
        await sweeper.sweep()
        await ahead.settle()
    behind = Group(room.bus, [AgentSpec("anonymization", ("chips.pacs.v1",), room.agent.handle)])
    await behind.settle()
    said = room.bus.data(IMAGE, SeriesAnonymized)
    assert [(one.version, one.anonymized, one.quarantined) for one in said] == [(1, 2, 0), (2, 3, 1)]
    assert [[reason.reason for reason in one.reasons] for one in said] == [[], ["ultrasound"]]
    # What a version is does not depend on what came since.
    await Group(room.bus, [AgentSpec("anonymization", ("chips.pacs.v1",), room.agent.handle)]).settle()
    assert room.bus.data(IMAGE, SeriesAnonymized) == said * 2


@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(1, 4), st.booleans()), unique_by=lambda one: one[:2])
)
def test_a_summary_counts_every_image_once(images):
    rows, clean, kept = [], {}, {}
    for instance, digest, is_clean in images:
        row = fact(stored(instance, digest=digest).data)
        rows.append(row)
        name = f"{row.instance}.{row.digest}"
        if is_clean:
            blob = BlobRef(sha256=row.digest, size=1, media_type="application/dicom")
            clean[name] = AnonymizedInstance(
                instance=row.instance,
                digest=row.digest,
                blob=blob,
                policy="p",
                attributes=SeriesAttributes(),
            )
        else:
            kept[name] = QuarantinedInstance(
                instance=row.instance, digest=row.digest, reason="ultrasound", message="m", policy="p"
            )
    summary = summarize(settled(), rows, clean, kept)
    assert summary == summarize(settled(), rows[::-1], clean, kept)
    instances = {row.instance for row in rows}
    assert summary.anonymized + summary.quarantined == len(instances)
    assert summary.conflicts == len(rows) - len(instances)
    assert sum(reason.instances for reason in summary.reasons) == summary.quarantined
    listed = [one.instance for one in summary.manifest.instances] if summary.manifest else []
    assert listed == sorted(set(listed))
    assert len(listed) == summary.anonymized
