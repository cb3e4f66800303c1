"""The arrivals agent: images, ends and announcements become facts, and series settle, graded, in versions.

The order of a pass, so that a crash anywhere loses nothing: fact, deadline, reopening, announcement. A series
is counted from its facts, as a set; so an image that comes again changes nothing, and one whose reopening was
lost in a crash is found by the next deadline, which is set for every image.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from agents.arrivals.evidence import announced_fact, ended_fact, evidence_of, stored_fact
from agents.arrivals.sources import SourcesShown
from agents.arrivals.sweeper import DEADLINE_KIND, Sweeper, deadline_of
from agents.progress import Progress
from agents.spec import AgentSpec
from schemas import pacs
from schemas.catalogue import CONSUMES
from schemas.envelope import Event
from schemas.facts import SeriesOfStudy, StudyOfProject
from schemas.identity import derived_id, series_stream
from schemas.image import SeriesReceiving
from schemas.make import derived
from streams.aggregates import series as aggregate
from streams.aggregates.state import SERIES_SCHEMA, SeriesState
from streams.bus import Producer, Tail
from streams.clock import Clock
from streams.completeness.grading import Patience, judge
from streams.crashpoints import crashpoint
from streams.histories import Aggregate, Histories
from streams.publishing import publish
from streams.store.api import Fact, Store

CONSUMER = "arrivals"
TOPICS = CONSUMES[CONSUMER]
REMEMBERED = 4096
"""Series whose announcement and deadline are remembered; forgetting one repeats what is harmless."""

SERIES_AGGREGATE = Aggregate(SeriesState(), aggregate.evolve, SERIES_SCHEMA)


def arrivals_agent(
    store: Store,
    producer: Producer,
    clock: Clock,
    *,
    quiet_s: float,
    settle_s: float,
    open_tail: Callable[[], Tail] | None = None,
) -> AgentSpec:
    """Make the agent of the inner zone that settles series.

    Parameters
    ----------
    quiet_s
        A series without a new image for so long is looked at, s.
    settle_s
        How long after its association ended a series is looked at, s.
    open_tail
        Reads the bus, to show who sends; None: that is not shown.
    """
    progress = Progress(store.facts, producer, clock, kinds=("stored",), source=f"/chips/agents/{CONSUMER}")
    arrivals = Arrivals(store, producer, clock, progress, quiet_s=quiet_s, settle_s=settle_s)
    sweeper = Sweeper(store.deadlines, producer, clock)
    shown = [SourcesShown(store.records, producer, open_tail, clock).run] if open_tail else []
    return AgentSpec(CONSUMER, TOPICS, arrivals.handle, (sweeper.run, progress.run, *shown))


class Arrivals:
    """Handles `TOPICS`; see the module."""

    def __init__(
        self,
        store: Store,
        producer: Producer,
        clock: Clock,
        progress: Progress,
        *,
        quiet_s: float,
        settle_s: float,
    ) -> None:
        self._store = store
        self._producer = producer
        self._clock = clock
        self._progress = progress
        self._patience = Patience(timedelta(seconds=quiet_s), timedelta(seconds=settle_s))
        self._series = Histories(store.events, SERIES_AGGREGATE, consumer=CONSUMER, clock=clock)
        self._announced: OrderedDict[str, None] = OrderedDict()
        self._deadlines: OrderedDict[str, datetime] = OrderedDict()

    async def handle(self, event: Event) -> None:
        """Handle one event; what arrivals itself published is passed over.

        Raises
        ------
        streams.errors.Unavailable
            When store or bus are away.
        """
        match event.data:
            case pacs.InstanceStored() as data:
                await self._stored(event, data)
            case pacs.AssociationEnded() as data:
                await self._told(event, data, ended_fact(event, data))
            case pacs.SeriesAnnounced() as data:
                await self._told(event, data, announced_fact(event, data))
            case pacs.SeriesDue() as data:
                await self._due(event, data)
            case _:
                pass

    async def _stored(self, event: Event, data: pacs.InstanceStored) -> None:
        stream = series_stream(data.project, data.series)
        key = f"{data.instance}.{data.digest}"
        version = (await self._series.load(stream)).settled + 1
        settled = version > 1
        # Only a settled series asks whether the image is new: a fact that is there already stays as it is.
        known = settled and await self._store.facts.has(data.project, "stored", data.series, key)
        await self._store.facts.put([stored_fact(data, key, version)])
        await self._set_deadline(event, stream, self._clock() + self._patience.quiet)
        crashpoint("arrivals.after_fact_before_append")
        of_study = SeriesOfStudy(
            patient=data.patient, study=data.study, series=data.series, modality=data.modality
        )
        if stream not in self._announced:
            await self._announce(event, data, of_study)
        if settled:
            await self._reopen(event, stream, data.project, of_study, known=known)
        self._progress.changed(data.project, data.study, data.series)

    async def _reopen(
        self, event: Event, stream: str, project: str, of_study: SeriesOfStudy, *, known: bool
    ) -> None:
        taken = await self._series.take(
            event,
            stream,
            lambda state: [] if known else aggregate.decide_arrival(state, project, of_study),
        )
        crashpoint("arrivals.after_append_before_publish")
        await publish(self._producer, taken.events)

    async def _announce(self, event: Event, data: pacs.InstanceStored, of_study: SeriesOfStudy) -> None:
        """Say that a series is arriving, once a process: its id is the same each time."""
        stream = series_stream(data.project, data.series)
        await self._store.facts.put(
            [
                Fact(data.project, "series", data.study, data.series, msgspec.json.encode(of_study)),
                Fact(data.project, "study_of_series", data.series, data.study, msgspec.json.encode(of_study)),
                Fact(
                    data.project,
                    "study",
                    data.project,
                    data.study,
                    msgspec.json.encode(StudyOfProject(patient=data.patient, study=data.study)),
                ),
            ]
        )
        receiving = SeriesReceiving(
            project=data.project,
            patient=data.patient,
            study=data.study,
            series=data.series,
            modality=data.modality,
        )
        announced = derived(receiving, cause=event, consumer=CONSUMER, subject=stream, recorded=self._clock())
        same = derived_id(CONSUMER, stream, "receiving")
        await publish(self._producer, [msgspec.structs.replace(announced, id=same)])
        _remember(self._announced, stream, None)

    async def _told(
        self, event: Event, data: pacs.AssociationEnded | pacs.SeriesAnnounced, fact: Fact
    ) -> None:
        """Look at the series soon, with what is known now: a new image before then moves the deadline on."""
        await self._store.facts.put([fact])
        await self._set_deadline(
            event, series_stream(data.project, data.series), self._clock() + self._patience.settle
        )

    async def _due(self, event: Event, data: pacs.SeriesDue) -> None:
        stream = series_stream(data.project, data.series)
        moved_to = self._deadlines.get(stream, data.due)
        if moved_to > data.due and moved_to > self._clock():
            return  # an image came since; the sweeper will ask again
        of_study = await self._store.facts.all(data.project, "study_of_series", data.series)
        if of_study:
            series = msgspec.json.decode(of_study[0].body, type=SeriesOfStudy)
            await self._look(event, stream, data, series)
        await self._store.deadlines.clear(DEADLINE_KIND, stream, data.due)

    async def _look(self, event: Event, stream: str, data: pacs.SeriesDue, series: SeriesOfStudy) -> None:
        """Settle the series, or grade it anew, as the evidence is now; look again when time may change it."""
        evidence = await evidence_of(self._store.facts, data.project, data.series)
        if not evidence.stored:
            return
        judged = judge(evidence, self._clock(), self._patience)
        if judged.again:
            await self._set_deadline(event, stream, judged.again)
        if judged.completeness is None:
            return
        completeness = judged.completeness
        outcomes = {association: end.outcome for association, end in evidence.ends.items()}
        counted = aggregate.census(evidence.stored, outcomes)
        taken = await self._series.take(
            event,
            stream,
            lambda state: aggregate.decide_due(state, data.project, series, counted, completeness),
        )
        crashpoint("arrivals.after_append_before_publish")
        await publish(self._producer, taken.events)

    async def _set_deadline(self, cause: Event, stream: str, due: datetime) -> None:
        await self._store.deadlines.set(deadline_of(stream, due, cause))
        _remember(self._deadlines, stream, due)


T = TypeVar("T")


def _remember(known: OrderedDict[str, T], key: str, value: T) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > REMEMBERED:
        known.popitem(last=False)
