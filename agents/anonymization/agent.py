"""The anonymization agent: each image is anonymized or kept back, then each version of its series summed up.

Images and the settling of a series share a key, so that when *settled* comes, all images before it are done.
The order of a pass: blob, publish, fact; the fact says that an image is done. Everything is deterministic, so
a pass that a crash cut short is run again with the same result.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import structlog

from agents.anonymization.anonymize import anonymize
from agents.anonymization.encrypted import recipient
from agents.anonymization.installed import installed_tools
from agents.anonymization.manifest import summarize
from agents.anonymization.outcome import Anonymized, Quarantine
from agents.anonymization.policy.choosing import configured
from agents.anonymization.policy.document import Policy
from agents.anonymization.tools import NO_TOOLS, Tools
from agents.progress import Progress
from agents.spec import AgentSpec
from gateway.identity import ProjectKey
from gateway.keys import Keyring
from schemas.catalogue import CONSUMES
from schemas.envelope import Event
from schemas.facts import AnonymizedInstance, QuarantinedInstance, StoredInstance
from schemas.identity import series_stream
from schemas.image import InstanceQuarantined, SeriesAnonymized
from schemas.make import derived
from schemas.pacs import InstanceStored, SeriesSettled
from streams.blobs import Blobs, Missing
from streams.bus import Producer
from streams.clock import Clock
from streams.copying import Spliced, Unreadable
from streams.crashpoints import crashpoint
from streams.errors import Rejected, Unavailable
from streams.publishing import publish
from streams.settings import Settings
from streams.store.api import Fact, Store

CONSUMER = "anonymization"
TOPICS = CONSUMES[CONSUMER]
THREADS = 2
"""Images judged side by side; each is several times in memory meanwhile."""

DICOM = "application/dicom"

log = structlog.get_logger()

Judge = Callable[[InstanceStored], Anonymized | Quarantine]
"""Judges an image; blocks."""


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
    agent = Anonymization(store, producer, clock, progress, blobs=blobs, judge=judge)
    return AgentSpec(CONSUMER, TOPICS, agent.handle, (progress.run,))


def judge_with(
    vault: Blobs, key_of: Callable[[str], ProjectKey | None], policy: Policy, tools: Tools = NO_TOOLS
) -> Judge:
    """Make the judge that reads originals from the vault.

    Parameters
    ----------
    key_of
        Gives a project's key, None when there is none; asked until it gave one.
    tools
        What looks at pixels and documents.
    """
    keys: dict[str, ProjectKey] = {}

    def key(project: str) -> ProjectKey:
        if project not in keys:
            try:
                found = key_of(project)
            except Rejected as error:
                # No answer to anybody: the image waits until the keys can be used.
                raise Unavailable(str(error)) from error
            if found is None:
                raise Unavailable(
                    f"The vault has no key of project {project}, under which its images were stored: "
                    "correct CHIPS_VAULT, or restore keys.json from a backup."
                )
            keys[project] = found
        return keys[project]

    def judge(data: InstanceStored) -> Anonymized | Quarantine:
        # The key first: a vault without it is not the one that lost an original.
        secret = key(data.project)
        try:
            found = anonymize(vault.path(data.project, data.blob), key=secret, policy=policy, tools=tools)
        except Missing:
            # One lost file must not park its series for ever.
            message = "The original is not in the vault any more: see to the vault's disk and backup."
            return Quarantine(reason="missing-original", message=message, policy=policy.label)
        except OSError as error:
            raise _unreadable(error) from error
        if isinstance(found, Anonymized) and (found.patient, found.study, found.series, found.instance) != (
            data.patient,
            data.study,
            data.series,
            data.instance,
        ):
            message = "The object's identity is not the one that it was received under."
            return Quarantine(reason="identity-mismatch", message=message, policy=policy.label)
        if isinstance(found, Anonymized) and found.face:
            # A face is taken out of a whole series, and images are handled one by one.
            message = "It can show the patient's face, which is taken out of whole series only."
            return Quarantine(reason="face-not-removed", message=message, policy=found.policy)
        return found

    return judge


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
    ) -> None:
        self._store = store
        self._producer = producer
        self._clock = clock
        self._progress = progress
        self._blobs = blobs
        self._judge = judge
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
        if await facts.has(data.project, "anonymized", data.series, key):
            return
        if await facts.has(data.project, "quarantined", data.series, key):
            return
        loop = asyncio.get_running_loop()
        outcome = await loop.run_in_executor(self._threads, self._judged, data)
        crashpoint("anonymization.after_effect_before_fact")
        if isinstance(outcome, QuarantinedInstance):
            await self._tell_quarantine(event, data, outcome)
        kind = "quarantined" if isinstance(outcome, QuarantinedInstance) else "anonymized"
        await facts.put([Fact(data.project, kind, data.series, key, msgspec.json.encode(outcome))])
        self._progress.changed(data.project, data.study, data.series)

    def _judged(self, data: InstanceStored) -> AnonymizedInstance | QuarantinedInstance:
        """Judge an image and make its bytes durable. Blocks."""
        found = self._judge(data)
        if isinstance(found, Quarantine):
            return QuarantinedInstance(
                instance=data.instance,
                digest=data.digest,
                reason=found.reason,
                message=found.message,
                policy=found.policy,
            )
        return AnonymizedInstance(
            instance=data.instance,
            digest=data.digest,
            blob=self._blobs.put(data.project, _content(found), DICOM),
            policy=found.policy,
            attributes=found.attributes,
        )

    async def _tell_quarantine(
        self, event: Event, data: InstanceStored, outcome: QuarantinedInstance
    ) -> None:
        said = InstanceQuarantined(
            project=data.project,
            study=data.study,
            series=data.series,
            instance=data.instance,
            reason=outcome.reason,
            message=outcome.message,
        )
        await self._publish(event, said, data.project, data.series)

    async def _settled(self, event: Event, data: SeriesSettled) -> None:
        stored = await self._store.facts.all(data.project, "stored", data.series)
        clean = await self._store.facts.all(data.project, "anonymized", data.series)
        kept = await self._store.facts.all(data.project, "quarantined", data.series)
        summary = summarize(
            data,
            [msgspec.json.decode(fact.body, type=StoredInstance) for fact in stored],
            {fact.key: msgspec.json.decode(fact.body, type=AnonymizedInstance) for fact in clean},
            {fact.key: msgspec.json.decode(fact.body, type=QuarantinedInstance) for fact in kept},
        )
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
        )
        crashpoint("anonymization.after_manifest_before_publish")
        await self._publish(event, said, data.project, data.series)

    async def _publish(
        self, cause: Event, said: InstanceQuarantined | SeriesAnonymized, project: str, series: str
    ) -> None:
        event = derived(
            said,
            cause=cause,
            consumer=CONSUMER,
            subject=series_stream(project, series),
            recorded=self._clock(),
        )
        await publish(self._producer, [event])


def _content(found: Anonymized) -> bytes | Iterator[bytes]:
    """Give an object's bytes, those of a large one as they are read from the vault."""
    return found.output if isinstance(found.output, bytes) else _read(found.output)


def _read(output: Spliced) -> Iterator[bytes]:
    try:
        yield from output.chunks()
    except Unreadable as error:
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> Unavailable:
    return Unavailable(f"An original can't be read: {error.strerror}. Check the vault.")
