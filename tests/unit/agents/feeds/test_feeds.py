"""Feeds: studies become feeds, people's wishes take effect once, a second study brings all it has."""

from __future__ import annotations

import random

import msgspec
import pytest

from agents.feeds.agent import feeds_agent
from schemas import command as c
from schemas import feed as f
from schemas import job, make
from schemas.catalogue import decode
from schemas.facts import SeriesOfStudy, StudyOfProject
from schemas.identity import BlobRef, default_feed, derived_id, feed_stream, job_stream, series_stream
from schemas.image import SeriesAnonymized, SeriesAttributes, SeriesReceiving
from schemas.views import Card, FeedDetail
from streams.errors import Poison
from streams.publishing import message
from streams.store.api import Fact
from streams.store.memory.store import MemoryStore
from tests.sealing import sealed
from tests.unit.agents.flowing import PATIENT, PROJECT, Bus, Crash, Group, Ticking, key, uuid

FEED, REPLY, COMMAND = "chips.feed.v1", "chips.reply.v1", "chips.command.v1"
MANIFEST = BlobRef(sha256="0" * 64, size=2, media_type="application/json")


def event(data, *, ident, subject, author=None):
    return make.first(
        data,
        event_id=uuid(ident),
        source="/chips/ui",
        subject=subject,
        time=Ticking().now,
        authtype="app_user" if author else "system",
        authid=author,
    )


def who(series, study):
    return {
        "project": PROJECT,
        "patient": PATIENT,
        "study": key(study),
        "series": key(series),
        "modality": "CT",
    }


def order(series, study, version=1):
    return job.WorkOrder(
        project=PROJECT,
        job=uuid(f"job {series} {version}"),
        study=key(study),
        series=key(series),
        version=version,
        modality="CT",
        plugin="volumetry",
        plugin_version="1.0",
        manifest=MANIFEST,
    )


class Office:
    """The feeds agent on a store and a bus in memory."""

    def __init__(self, repeat=lambda: 0):
        self.store, self.bus, self.clock, self.repeat = MemoryStore(), Bus(), Ticking(), repeat
        self.group = None
        self.restart()

    def restart(self):
        positions = self.group.positions if self.group else {}
        self.group = Group(self.bus, [feeds_agent(self.store, self.bus, self.clock)], repeat=self.repeat)
        self.group.positions = positions

    async def image(self, data):
        stream = series_stream(PROJECT, data.series)
        await self.bus.send(message(event(data, ident=str(data), subject=stream)))

    async def arrive(self, series, study=1, *, version=1, quarantined=0):
        """Facts as arrivals leaves them, then the two events of a series."""
        of_study = msgspec.json.encode(
            SeriesOfStudy(**{k: v for k, v in who(series, study).items() if k != "project"})
        )
        of_project = msgspec.json.encode(StudyOfProject(patient=PATIENT, study=key(study)))
        await self.store.facts.put(
            [
                Fact(PROJECT, "series", key(study), key(series), of_study),
                Fact(PROJECT, "study", PROJECT, key(study), of_project),
            ]
        )
        await self.image(SeriesReceiving(**who(series, study)))
        await self.image(
            SeriesAnonymized(
                **who(series, study),
                version=version,
                anonymized=10 * version,
                quarantined=quarantined,
                conflicts=0,
                manifest=MANIFEST,
                policy="basic",
                attributes=SeriesAttributes(patient_sex="F"),
                reasons=[],
            )
        )

    async def work(self, series, study=1, *, version=1):
        """A job's history as dispatch leaves and publishes it."""
        wanted = order(series, study, version)
        stream = job_stream(PROJECT, wanted.job)
        report = {"project": PROJECT, "job": wanted.job, "fencing": 1, "attempt": 1}
        datas = [
            job.JobRequested(order=wanted),
            job.JobLeased(**report, runner="r"),
            job.JobRunning(**report, isolation="docker"),
            job.JobSucceeded(**report, outcome="measured", seconds=1, artefacts=[], measures=[], findings=[]),
        ]
        cause = event(c.RequestJob(order=wanted), ident=f"request {stream}", subject=stream)
        for number, data in enumerate(datas):
            made = make.derived(
                data,
                cause=cause,
                consumer="dispatch",
                subject=stream,
                recorded=cause.time,
                index=number,
                version=number + 1,
            )
            await self.store.events.append(stream, number, [made])
            await self.bus.send(message(made))

    async def ask(self, data, *, ident, feed, author="anna"):
        subject = feed_stream(PROJECT, feed)
        await self.bus.send(message(event(data, ident=ident, subject=subject, author=author)))
        await self.group.settle()
        return [one for one in self.bus.data(REPLY) if one.command == uuid(ident)][-1]

    async def card(self, feed):
        row = await self.store.views.row("card", PROJECT, "", feed)
        return msgspec.json.decode(row.body, type=Card)

    async def history(self, feed):
        return [one async for one in self.store.events.read(feed_stream(PROJECT, feed))]


ONE = default_feed(PROJECT, key(1))
TWO = default_feed(PROJECT, key(2))


async def test_a_study_becomes_a_card_a_page_and_a_timeline():
    office = Office()
    await office.arrive(1)
    await office.work(1)
    await office.group.settle()
    card = await office.card(ONE)
    assert (card.state, card.measured, card.anonymized, card.version) == ("done", 1, 10, 7)
    page = await office.store.views.row("feed", PROJECT, "", ONE)
    assert msgspec.json.decode(page.body, type=FeedDetail).card == card
    assert len(await office.store.views.rows("timeline", PROJECT, ONE)) == 7
    assert [one.id for one in office.bus.events(FEED)] == [one.id for one in await office.history(ONE)]


async def test_a_job_that_is_heard_of_before_its_series_waits_for_nothing():
    office = Office()
    await office.arrive(1)
    held, office.bus.topics["chips.image.v1"] = office.bus.topics["chips.image.v1"], []
    await office.work(1)
    await office.group.settle()
    assert (await office.card(ONE)).measured == 1
    office.bus.topics["chips.image.v1"] = held
    await office.group.settle()
    assert (await office.card(ONE)).anonymized == 10


async def test_people_are_answered_and_what_they_ask_happens_once():
    office = Office()
    mine = uuid("mine")
    made = await office.ask(c.CreateFeed(project=PROJECT, feed=mine, title="Mine"), ident="1", feed=mine)
    assert (type(made), made.version) == (c.CommandAccepted, 1)
    for _ in range(3):
        posted = c.PostComment(comment=uuid("c"), text=sealed("hello"))
        said = await office.ask(posted, ident="2", feed=mine)
        assert (type(said), said.version) == (c.CommandAccepted, 2)
    assert len(await office.history(mine)) == 2
    refused = await office.ask(
        c.EditComment(comment=uuid("c"), text=sealed("mine")), ident="3", feed=mine, author="bob"
    )
    assert "Only its author" in refused.reason
    assert {one.partitionkey for one in office.bus.events(REPLY)} == {"anna", "bob"}


async def test_a_person_may_not_record_for_the_system():
    office = Office()
    data = c.RecordRunQueued(run=f.RunQueued(job=uuid("j"), series=key(1), version=1, plugin="volumetry"))
    assert "system alone" in (await office.ask(data, ident="1", feed=ONE)).reason


async def test_a_second_study_brings_all_it_has_and_all_that_comes():
    office = Office()
    await office.arrive(1, study=1)
    await office.arrive(2, study=2)
    await office.work(2, study=2)
    await office.group.settle()
    assert (await office.card(ONE)).studies == 1
    await office.ask(c.AddInput(study=key(2)), ident="add", feed=ONE)
    card = await office.card(ONE)
    assert (card.studies, card.measured, card.series) == (2, 1, [key(1), key(2)])
    await office.arrive(3, study=2)
    await office.arrive(2, study=2, version=2)
    await office.work(2, study=2, version=2)
    await office.group.settle()
    card = await office.card(ONE)
    assert (card.series, card.anonymized) == ([key(1), key(2), key(3)], 40)
    authors = {
        one.authid for one in await office.history(ONE) if isinstance(one.data, f.FeedSeriesAnonymized)
    }
    assert authors == {None}


async def test_studies_and_series_are_found_by_their_key_however_many_there_are():
    office = Office()
    await office.arrive(1, study=1)
    await office.arrive(2, study=2)
    listing, read = office.store.facts.all, []

    async def all_(project, kind, scope):
        read.append(kind)
        return await listing(project, kind, scope)

    office.store.facts.all = all_
    await office.work(2, study=2)
    await office.group.settle()
    await office.ask(c.AddInput(study=key(2)), ident="add", feed=ONE)
    assert (await office.card(ONE)).studies == 2
    assert set(read) == {"feed_of_study"}


async def test_an_unknown_study_is_refused():
    office = Office()
    await office.arrive(1)
    await office.group.settle()
    assert "no such study" in (await office.ask(c.AddInput(study=key(9)), ident="a", feed=ONE)).reason


@pytest.mark.parametrize("subject", ["nonsense", f"job/{PROJECT}/{uuid('x')}"])
async def test_a_command_with_a_wrong_target_is_poison(subject):
    office = Office()
    (spec,) = office.group.specs
    with pytest.raises(Poison, match=r"stream|job"):
        await spec.handle(event(c.RenameFeed(title="x"), ident="1", subject=subject))


async def test_reports_of_a_job_without_a_history_are_poison():
    office = Office()
    (spec,) = office.group.specs
    report = job.JobRunning(project=PROJECT, job=uuid("j"), fencing=1, attempt=1, isolation="docker")
    with pytest.raises(Poison, match="no request"):
        await spec.handle(event(report, ident="1", subject=job_stream(PROJECT, uuid("j"))))


async def test_who_sees_an_event_can_read_views_of_its_version():
    office = Office()
    sending, seen = office.bus.send, []

    async def send(sent):
        if sent.topic == FEED:
            version = decode(sent.value).version
            rows = await office.store.views.rows("timeline", PROJECT, ONE)
            seen.append((await office.card(ONE)).version >= version and len(rows) >= version)
        return await sending(sent)

    office.bus.send = send
    await office.arrive(1)
    await office.work(1)
    await office.group.settle()
    assert seen == [True] * 7


async def test_a_generation_that_is_being_rebuilt_is_written_too():
    office = Office()
    generation = await office.store.views.begin("card")
    await office.arrive(1)
    await office.group.settle()
    assert await office.store.views.row("card", PROJECT, "", ONE, generation=generation)


async def everything(office):
    """Two studies, the second one added to the first one's feed while things happen."""
    await office.arrive(1, study=1)
    await office.arrive(2, study=2)
    added = event(c.AddInput(study=key(2)), ident="add", subject=feed_stream(PROJECT, ONE), author="anna")
    created = event(
        c.CreateFeed(project=PROJECT, feed=uuid("m"), title="Mine"),
        ident="create",
        subject=feed_stream(PROJECT, uuid("m")),
        author="anna",
    )
    mine = event(
        c.AddInput(study=key(1)), ident="add mine", subject=feed_stream(PROJECT, uuid("m")), author="anna"
    )
    await office.work(1, study=1)
    for command in (created, mine):
        await office.bus.send(message(command))
    await office.work(2, study=2)
    await office.arrive(2, study=2, version=2)
    await office.group.once()
    await office.group.once()
    await office.group.once()
    await office.bus.send(message(added))


@pytest.mark.parametrize("seed", range(12))
async def test_repeats_and_crashes_end_in_the_same_cards(seed):
    plain = Office()
    await everything(plain)
    await plain.group.settle()
    chance = random.Random(seed)
    office = Office()
    await everything(office)
    office.repeat = lambda: chance.choice([0, 0, 0, 1, 2])
    for _ in range(200):
        office.bus.crash_after = chance.choice([None, 0, 1, 2, 3, 5])
        try:
            await office.group.settle()
        except Crash:
            office.restart()
    office.bus.crash_after = None
    await office.group.settle()
    for feed in (ONE, TWO, uuid("m")):
        card, wanted = await office.card(feed), await plain.card(feed)
        assert msgspec.structs.replace(card, version=0) == msgspec.structs.replace(wanted, version=0)
        history = await office.history(feed)
        assert [one.version for one in history] == list(range(1, len(history) + 1))
        assert {one.id for one in history} <= {one.id for one in office.bus.events(FEED)}
        assert len({derived_id("x", one.id) for one in history}) == len(history)
        assert len(await office.store.views.rows("timeline", PROJECT, feed)) == len(history)
