"""The feeds agent: images and jobs become commands, commands become a feed's history.

One pass of a command: load, decide, append, project, publish, forward, reply; then the loop acknowledges.
A crash anywhere brings the command again, which finds what it made and goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from agents.commanding import take_or_refuse, target
from agents.feeds import policy
from agents.feeds.projecting import project
from agents.replying import reply_accepted
from agents.spec import AgentSpec
from schemas import image, job
from schemas.catalogue import CONSUMES
from schemas.command import AddInput
from schemas.envelope import Event
from schemas.facts import SeriesOfStudy, StudyOfProject
from schemas.identity import default_feed, feed_stream, job_stream
from schemas.make import derived
from streams.aggregates.feed import Context, decide
from streams.aggregates.feed_evolution import evolve
from streams.aggregates.feed_system import SystemCommand
from streams.aggregates.state import FEED_SCHEMA, FeedState
from streams.bus import Producer
from streams.clock import Clock
from streams.crashpoints import crashpoint
from streams.errors import Poison
from streams.histories import Aggregate, Histories, Taken
from streams.publishing import publish
from streams.store.api import Store

CONSUMER = "feeds"
TOPICS = CONSUMES[CONSUMER]

FEED_AGGREGATE = Aggregate(FeedState(), evolve, FEED_SCHEMA)


def feeds_agent(store: Store, producer: Producer, clock: Clock) -> AgentSpec:
    """Make the agent of the outer zone that keeps feeds."""
    return AgentSpec(CONSUMER, TOPICS, Feeds(store, producer, clock).handle)


class Feeds:
    """Handles `TOPICS`; see the module."""

    def __init__(self, store: Store, producer: Producer, clock: Clock) -> None:
        self._store = store
        self._producer = producer
        self._clock = clock
        self._feeds = Histories(store.events, FEED_AGGREGATE, consumer=CONSUMER, clock=clock)

    async def handle(self, event: Event) -> None:
        """Handle one event of any of the topics; what is not for feeds is passed over.

        Raises
        ------
        streams.errors.Poison
            When it refers to what can't be: no such job, or a target that is no stream.
        streams.errors.Unavailable
            When store or bus are away.
        """
        match event.data:
            case image.SeriesReceiving() | image.SeriesAnonymized() as data:
                told = policy.of_image(data)
                await self._tell(event, data.project, default_feed(data.project, data.study), [told])
            case job.JobRequested() | job.JobRunning() | job.JobSucceeded() | job.JobFailed() as data:
                await self._job(event, data)
            case _ if event.type.startswith("chips.command.feed."):
                await self._command(event)
            case _:
                pass

    async def _job(
        self, event: Event, data: job.JobRequested | job.JobRunning | job.JobSucceeded | job.JobFailed
    ) -> None:
        order = (
            data.order if isinstance(data, job.JobRequested) else await self._order(data.project, data.job)
        )
        patient = await self._patient_of_series(order)
        to = default_feed(order.project, order.study)
        await self._tell(event, order.project, to, policy.of_job(data, order, patient))

    async def _command(self, event: Event) -> None:
        project_id, feed = target(event, "feed")
        person = event.authid if event.authtype == "app_user" else None
        context = Context(
            command=event.id,
            project=project_id,
            feed=feed,
            author=person,
            patient=await self._patient_of_study(project_id, event.data),
        )
        taken = await take_or_refuse(
            self._feeds,
            event,
            lambda state: decide(state, event.data, context),
            producer=self._producer,
            consumer=CONSUMER,
            clock=self._clock,
        )
        if taken is None:
            return
        crashpoint("feeds.after_append_before_publish")
        if taken.events:
            await project(self._store, taken.state, taken.events)
            await publish(self._producer, taken.events)
            await self._pass_on(event, project_id, feed, taken)
        if person:
            await reply_accepted(self._producer, event, CONSUMER, taken.state.version, self._clock())
        crashpoint("feeds.after_publish_before_ack")

    async def _pass_on(self, command: Event, project_id: str, feed: str, taken: Taken[FeedState]) -> None:
        """Tell other feeds what this one learned, and this one what its new inputs bring."""
        for event in taken.events:
            study = policy.study_of(taken.state, event)
            if study is None or default_feed(project_id, study) != feed:
                continue
            for fact in await self._store.facts.all(project_id, "feed_of_study", study):
                if fact.key != feed:
                    told = policy.forwarded(taken.state, event, study, fact.key)
                    await self._tell(event, project_id, fact.key, told)
        for added in policy.inputs_added(taken.events):
            origin = default_feed(project_id, added.study)
            if origin != feed:
                known = await self._feeds.load(feed_stream(project_id, origin))
                told = policy.backfill(known, added.study, feed)
                await self._tell(command, project_id, feed, told, index=f"backfill {added.study}")

    async def _tell(
        self,
        cause: Event,
        project_id: str,
        feed: str,
        told: Sequence[SystemCommand],
        *,
        index: str = "command",
    ) -> None:
        """Send commands to a feed, as the system, with ids that a re-run repeats."""
        commands = [
            derived(
                data,
                cause=cause,
                consumer=CONSUMER,
                subject=feed_stream(project_id, feed),
                recorded=self._clock(),
                index=f"{index} {feed} {number}",
            )
            for number, data in enumerate(told)
        ]
        await publish(
            self._producer,
            [msgspec.structs.replace(command, authtype="system", authid=None) for command in commands],
        )

    async def _order(self, project_id: str, job_id: str) -> job.WorkOrder:
        async for event in self._store.events.read(job_stream(project_id, job_id), limit=1):
            if isinstance(event.data, job.JobRequested):
                return event.data.order
        raise Poison(f"job {job_id} reports, but its stream has no request")

    async def _patient_of_series(self, order: job.WorkOrder) -> str:
        fact = await self._store.facts.get(order.project, "series", order.study, order.series)
        if fact is None:
            raise Poison(f"job {order.job} is for a series of which no fact is known")
        return msgspec.json.decode(fact.body, type=SeriesOfStudy).patient

    async def _patient_of_study(self, project_id: str, command: object) -> str | None:
        if not isinstance(command, AddInput):
            return None
        fact = await self._store.facts.get(project_id, "study", project_id, command.study)
        return None if fact is None else msgspec.json.decode(fact.body, type=StudyOfProject).patient
