"""The anonymization agent: each image is anonymized or kept back, then each version of its series summed up.

Images and the settling of a series share a key, so that when *settled* comes, all images before it are done.
The order of a pass: blob, publish, fact; the fact says that an image is done. Everything is deterministic, so
a pass that a crash cut short is run again with the same result.

An image with a face waits for its series: it is *faced* until a version settles, which then decides it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import msgspec
import structlog

from agents.anonymization.encrypted import recipient
from agents.anonymization.installed import installed_tools
from agents.anonymization.judging import Judge, chunks_of, judge_with
from agents.anonymization.manifest import counted, summarize
from agents.anonymization.outcome import Quarantine
from agents.anonymization.policy.choosing import configured
from agents.anonymization.series_faces import LIMIT_S, FacesAside, SeriesFaces, TakeFaces, facts_of
from agents.anonymization.whole_series import DICOM, Outcome, Place
from agents.consume import IN_FLIGHT
from agents.progress import Progress
from agents.spec import AgentSpec
from gateway.keys import Keyring
from schemas.catalogue import CONSUMES
from schemas.envelope import Event
from schemas.facts import AnonymizedInstance, FacedInstance, QuarantinedInstance, StoredInstance
from schemas.identity import series_stream
from schemas.image import InstanceQuarantined, SeriesAnonymized
from schemas.make import derived
from schemas.pacs import InstanceStored, SeriesSettled
from streams.blobs import Blobs
from streams.bus import Producer
from streams.clock import Clock
from streams.crashpoints import crashpoint
from streams.publishing import publish
from streams.settings import Settings
from streams.store.api import Fact, Store

CONSUMER = "anonymization"
TOPICS = CONSUMES[CONSUMER]
THREADS = 2
"""Images judged side by side; each is several times in memory meanwhile."""
HANDLER_S = IN_FLIGHT * LIMIT_S + 60
"""Of a settled series with faces: it waits for its turn behind as many others as can be under way."""

log = structlog.get_logger()


def anonymization_agent(
    settings: Settings, store: Store, producer: Producer, clock: Clock, *, blobs: Blobs
) -> AgentSpec:
    """Make the agent of the inner zone that lets nothing out that identifies. Reads vault and keys.

    Parameters
    ----------
    blobs
        The outer zone's, where anonymized images go.

    Raises
    ------
    streams.errors.Rejected
        When the policy does not exist or can't be followed, the keys can't be used, or a tool that the
        policy asks for is not installed.
    """
    vault = settings.path("vault")
    # Of the folder's writers, in all zones, one sweeps.
    swept = blobs.sweep_tmp()
    if swept:
        log.info("blobs.swept", files=swept)
    keyring = Keyring(vault)
    # Asked now, so that keys that can't be used are told at the start and not image by image.
    keyring.known_key(settings.project)
    policy = configured(settings.policy)
    for pem in policy.encrypt_for:
        recipient(pem)
    log.info("policy.chosen", policy=policy.label)
    # Loaded now and once: a tool that is missing is told at the start, and no image waits for it.
    tools = installed_tools(policy)
    judge = judge_with(Blobs(vault / "objects", private=True), keyring.known_key, policy, tools)
    progress = Progress(
        store.facts,
        producer,
        clock,
        kinds=("anonymized", "quarantined"),
        source=f"/chips/agents/{CONSUMER}",
    )
    take_faces = FacesAside(Place(vault, blobs.root, policy))
    agent = Anonymization(store, producer, clock, progress, blobs=blobs, judge=judge, take_faces=take_faces)
    return AgentSpec(CONSUMER, TOPICS, agent.handle, (progress.run,), HANDLER_S)


class Anonymization:
    """Handles `TOPICS`; see the module."""

    def __init__(
        self,
        store: Store,
        producer: Producer,
        clock: Clock,
        progress: Progress,
        *,
        blobs: Blobs,
        judge: Judge,
        take_faces: TakeFaces,
    ) -> None:
        self._store = store
        self._producer = producer
        self._clock = clock
        self._progress = progress
        self._blobs = blobs
        self._judge = judge
        self._faces = SeriesFaces(store.facts, take_faces)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=CONSUMER)

    async def handle(self, event: Event) -> None:
        """Handle one event; what is neither an image nor a settled series is passed over.

        Raises
        ------
        streams.errors.Unavailable
            When store, bus, vault or disk are away or full.
        """
        match event.data:
            case InstanceStored() as data:
                await self._image(event, data)
            case SeriesSettled() as data:
                await self._settled(event, data)
            case _:
                pass

    async def _image(self, event: Event, data: InstanceStored) -> None:
        key = f"{data.instance}.{data.digest}"
        facts = self._store.facts
        for kind in ("anonymized", "quarantined", "faced"):
            if await facts.has(data.project, kind, data.series, key):
                return
        loop = asyncio.get_running_loop()
        outcome = await loop.run_in_executor(self._threads, self._judged, data)
        crashpoint("anonymization.after_effect_before_fact")
        if isinstance(outcome, FacedInstance):
            await facts.put([Fact(data.project, "faced", data.series, key, msgspec.json.encode(outcome))])
            return
        if isinstance(outcome, QuarantinedInstance):
            await self._publish(event, data, {0: _quarantined(data, outcome)})
        await facts.put(facts_of(data.project, data.series, {key: outcome}))
        self._progress.changed(data.project, data.study, data.series)

    def _judged(self, data: InstanceStored) -> Outcome | FacedInstance:
        """Judge an image and make its bytes durable, unless it has a face. Blocks."""
        found = self._judge(data)
        if isinstance(found, Quarantine):
            return QuarantinedInstance(
                instance=data.instance,
                digest=data.digest,
                reason=found.reason,
                message=found.message,
                policy=found.policy,
            )
        if found.face:
            return FacedInstance(instance=data.instance, digest=data.digest)
        return AnonymizedInstance(
            instance=data.instance,
            digest=data.digest,
            blob=self._blobs.put(data.project, chunks_of(found), DICOM),
            policy=found.policy,
            attributes=found.attributes,
        )

    async def _settled(self, event: Event, data: SeriesSettled) -> None:
        known = await self._store.facts.all(data.project, "stored", data.series)
        stored = [msgspec.json.decode(fact.body, type=StoredInstance) for fact in known]
        clean = {
            fact.key: msgspec.json.decode(fact.body, type=AnonymizedInstance)
            for fact in await self._store.facts.all(data.project, "anonymized", data.series)
        }
        kept = {
            fact.key: msgspec.json.decode(fact.body, type=QuarantinedInstance)
            for fact in await self._store.facts.all(data.project, "quarantined", data.series)
        }
        faced = {fact.key for fact in await self._store.facts.all(data.project, "faced", data.series)}
        waiting = {key: image for key, image in counted(data, stored).items() if key in faced}
        if waiting:
            outcomes = await self._faces.outcomes(data, waiting)
            await self._tell_faces(event, data, outcomes, told=kept)
            # What another version made of them does not count in this one.
            clean = {key: one for key, one in clean.items() if key not in faced}
            for key, one in outcomes.items():
                if isinstance(one, AnonymizedInstance):
                    clean[key] = one
                else:
                    kept[key] = one
        summary = summarize(data, stored, clean, kept)
        manifest = None
        if summary.manifest:
            body = msgspec.json.encode(summary.manifest, order="deterministic")
            manifest = await asyncio.to_thread(self._blobs.put, data.project, body, "application/json")
        said = SeriesAnonymized(
            project=data.project,
            patient=data.patient,
            study=data.study,
            series=data.series,
            modality=data.modality,
            version=data.version,
            anonymized=summary.anonymized,
            quarantined=summary.quarantined,
            conflicts=summary.conflicts,
            manifest=manifest,
            policy=summary.policy,
            attributes=summary.attributes,
            reasons=summary.reasons,
            completeness=data.completeness,
            grading=data.grading,
            since=summary.since,
        )
        crashpoint("anonymization.after_manifest_before_publish")
        await self._publish(event, data, {0: said})

    async def _tell_faces(
        self,
        event: Event,
        data: SeriesSettled,
        outcomes: Mapping[str, Outcome],
        *,
        told: Mapping[str, QuarantinedInstance],
    ) -> None:
        """Tell what stays in and was not told before, and let the live page count all."""
        kept = {
            key: _quarantined(data, one)
            for key, one in outcomes.items()
            if isinstance(one, QuarantinedInstance) and key not in told
        }
        await self._publish(event, data, kept)
        await self._store.facts.put(facts_of(data.project, data.series, outcomes))
        self._progress.changed(data.project, data.study, data.series)

    async def _publish(
        self,
        cause: Event,
        data: InstanceStored | SeriesSettled,
        said: Mapping[str, InstanceQuarantined] | Mapping[int, InstanceQuarantined | SeriesAnonymized],
    ) -> None:
        """Publish what follows from an event, by what tells it from the others that do."""
        await publish(
            self._producer,
            [
                derived(
                    one,
                    cause=cause,
                    consumer=CONSUMER,
                    subject=series_stream(data.project, data.series),
                    recorded=self._clock(),
                    index=index,
                )
                for index, one in said.items()
            ],
        )


def _quarantined(data: InstanceStored | SeriesSettled, outcome: QuarantinedInstance) -> InstanceQuarantined:
    return InstanceQuarantined(
        project=data.project,
        study=data.study,
        series=data.series,
        instance=outcome.instance,
        reason=outcome.reason,
        message=outcome.message,
    )
