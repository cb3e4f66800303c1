"""The dispatch agent: the only writer of jobs' streams.

One pass of a command: load, decide, append, open or close the job's row, publish, reply; then the loop
acknowledges. A crash anywhere brings the command again, which finds what it made and goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from agents.commanding import take_or_refuse, target
from agents.dispatch.policy import work_orders
from agents.spec import AgentSpec
from plugins.contract.types import Manifest
from schemas import job
from schemas.catalogue import CONSUMES
from schemas.command import RequestJob
from schemas.envelope import Event
from schemas.identity import job_stream, series_stream
from schemas.image import SeriesAnonymized, SeriesManifest
from schemas.make import derived
from streams.aggregates.job import decide, evolve
from streams.aggregates.state import JOB_SCHEMA, JobState
from streams.blobs import Blobs
from streams.bus import Producer
from streams.clock import Clock
from streams.crashpoints import crashpoint
from streams.histories import Aggregate, Histories
from streams.publishing import publish
from streams.store.api import OpenJob, Store

CONSUMER = "dispatch"
TOPICS = CONSUMES[CONSUMER]

JOB_AGGREGATE = Aggregate(JobState(), evolve, JOB_SCHEMA)


def dispatch_agent(
    store: Store,
    producer: Producer,
    clock: Clock,
    *,
    blobs: Blobs,
    registry: Mapping[str, Manifest],
    attempts: int,
) -> AgentSpec:
    """Make the agent of the outer zone that keeps jobs.

    Parameters
    ----------
    blobs
        The outer zone's, for manifests.
    registry
        Installed plugins by name.
    attempts
        How many attempts of a job may fail.
    """
    handler = Dispatch(store, producer, clock, blobs=blobs, registry=registry, attempts=attempts)
    return AgentSpec(CONSUMER, TOPICS, handler.handle)


class Dispatch:
    """Handles `TOPICS`; see the module."""

    def __init__(
        self,
        store: Store,
        producer: Producer,
        clock: Clock,
        *,
        blobs: Blobs,
        registry: Mapping[str, Manifest],
        attempts: int,
    ) -> None:
        self._store = store
        self._producer = producer
        self._clock = clock
        self._blobs = blobs
        self._registry = registry
        self._attempts = attempts
        self._jobs = Histories(store.events, JOB_AGGREGATE, consumer=CONSUMER, clock=clock)

    async def handle(self, event: Event) -> None:
        """Handle one event of any of the topics; what is not for jobs is passed over.

        Raises
        ------
        streams.errors.Poison
            When a command's target is no stream of a job, or a result's manifest is gone.
        streams.errors.Unavailable
            When store or bus are away.
        """
        if isinstance(event.data, SeriesAnonymized):
            await self._request(event, event.data)
        elif event.type.startswith("chips.command.job."):
            await self._command(event)

    async def _request(self, event: Event, series: SeriesAnonymized) -> None:
        await publish(
            self._producer,
            [
                derived(
                    RequestJob(order=order),
                    cause=event,
                    consumer=CONSUMER,
                    subject=job_stream(order.project, order.job),
                    recorded=self._clock(),
                    index=order.job,
                )
                for order in work_orders(series, self._registry)
            ],
        )

    async def _command(self, event: Event) -> None:
        target(event, "job")
        taken = await take_or_refuse(
            self._jobs,
            event,
            lambda state: decide(state, event.data, attempts=self._attempts),
            producer=self._producer,
            consumer=CONSUMER,
            clock=self._clock,
        )
        if taken is None:
            return
        crashpoint("dispatch.after_append_before_publish")
        order = taken.state.order
        if order is None or not taken.events:
            return
        await self._list(taken.events, order)
        results = [
            await self._result(event, one.data, order)
            for one in taken.events
            if isinstance(one.data, job.JobSucceeded)
        ]
        await publish(self._producer, [*taken.events, *results])
        crashpoint("dispatch.after_publish_before_ack")

    async def _list(self, events: Sequence[Event], order: job.WorkOrder) -> None:
        """Put the job on the runners' list when it is requested, take it off when it has ended."""
        for event in events:
            match event.data:
                case job.JobRequested():
                    body = msgspec.json.encode(order)
                    await self._store.jobs.open(OpenJob(order.project, order.job, event.time, body))
                case job.JobSucceeded() | job.JobFailed(final=True):
                    await self._store.jobs.close(order.project, order.job)
                case _:
                    pass

    async def _result(self, cause: Event, data: job.JobSucceeded, order: job.WorkOrder) -> Event:
        published = job.ResultPublished(
            project=order.project,
            study=order.study,
            series=order.series,
            version=order.version,
            job=order.job,
            plugin=order.plugin,
            plugin_version=order.plugin_version,
            outcome=data.outcome,
            instances=len((await asyncio.to_thread(self._manifest, order)).instances),
            artefacts=data.artefacts,
            measures=data.measures,
            findings=data.findings,
        )
        return derived(
            published,
            cause=cause,
            consumer=CONSUMER,
            subject=series_stream(order.project, order.series),
            recorded=self._clock(),
            index="result",
        )

    def _manifest(self, order: job.WorkOrder) -> SeriesManifest:
        body = self._blobs.path(order.project, order.manifest).read_bytes()
        return msgspec.json.decode(body, type=SeriesManifest)
