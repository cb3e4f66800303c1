"""What becomes of the images that wait for their series, remembered by version.

Each version of a series is defaced anew and as a whole: late images change where the face is found.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
import structlog

from agents.anonymization.aside import NoAnswer, aside
from agents.anonymization.outcome import Quarantine
from agents.anonymization.whole_series import Outcome, Place, Waiting, kept, take_faces_at
from schemas.facts import AnonymizedInstance, QuarantinedInstance, StoredInstance
from schemas.pacs import SeriesSettled
from streams.crashpoints import crashpoint
from streams.store.api import Fact, Facts

LIMIT_S = 600.0
"""How long taking out the faces of one series may take, s; 200 images take 3 to 10 s of CPU time. Less than
Kafka lets a consumer whose buffer is full be silent."""

log = structlog.get_logger()

TakeFaces = Callable[[Sequence[Waiting]], Awaitable[Sequence[Outcome]]]
"""Takes the faces out of a series; what came of each image, in their order."""


class FacesAside:
    """Takes faces out in a process of its own, one series at a time: each can need gigabytes."""

    def __init__(self, place: Place, *, limit_s: float = LIMIT_S) -> None:
        self._place = place
        self._limit_s = limit_s
        self._turn = asyncio.Lock()

    async def __call__(self, images: Sequence[Waiting]) -> Sequence[Outcome]:
        """Take the faces out of a series; no answer keeps all of it in.

        Raises
        ------
        streams.errors.Unavailable
            When vault, keys or disk are away or full, or no process can be started.
        """
        async with self._turn:
            try:
                return await aside(take_faces_at, self._place, images, limit_s=self._limit_s)
            except NoAnswer as error:
                log.warning("faces.no_answer", late=error.late, images=len(images))
                message = (
                    f"Taking the face out of the series took longer than {self._limit_s:g} s."
                    if error.late
                    else "Taking the face out of the series ended its process, twice: is there enough memory?"
                )
        label = self._place.policy.label
        stays = Quarantine(reason="face-not-removed", message=message, policy=label)
        return [kept(one, stays) for one in images]


class SeriesFaces:
    """Takes faces out of versions of series, once each: what was found stands as facts of the version."""

    def __init__(self, facts: Facts, take: TakeFaces) -> None:
        self._facts = facts
        self._take = take

    async def outcomes(
        self, settled: SeriesSettled, images: Mapping[str, StoredInstance]
    ) -> dict[str, Outcome]:
        """Give what became of the images of a version that wait, by the keys of `images`.

        Parameters
        ----------
        images
            By ``<instance>.<digest>``, in an order that repeats itself.

        Raises
        ------
        streams.errors.Unavailable
            When store, vault or disk are away or full.
        """
        known = await self._known(settled)
        if images.keys() <= known.keys():
            return known
        found = await self._take([_waiting(settled, one) for one in images.values()])
        crashpoint("anonymization.after_effect_before_fact")
        await self._facts.put(
            facts_of(settled.project, _scope(settled), dict(zip(images, found, strict=True)))
        )
        # Another worker may have been first: what stands is what holds.
        return await self._known(settled)

    async def _known(self, settled: SeriesSettled) -> dict[str, Outcome]:
        found: dict[str, Outcome] = {}
        for fact in await self._facts.all(settled.project, "quarantined", _scope(settled)):
            found[fact.key] = msgspec.json.decode(fact.body, type=QuarantinedInstance)
        for fact in await self._facts.all(settled.project, "anonymized", _scope(settled)):
            found[fact.key] = msgspec.json.decode(fact.body, type=AnonymizedInstance)
        return found


def facts_of(project: str, scope: str, outcomes: Mapping[str, Outcome]) -> list[Fact]:
    """Make the facts of outcomes by key, of a series or of a version of one."""
    return [
        Fact(
            project,
            "anonymized" if isinstance(one, AnonymizedInstance) else "quarantined",
            scope,
            key,
            msgspec.json.encode(one),
        )
        for key, one in outcomes.items()
    ]


def _waiting(settled: SeriesSettled, image: StoredInstance) -> Waiting:
    return Waiting(
        project=settled.project,
        patient=settled.patient,
        study=settled.study,
        series=settled.series,
        instance=image.instance,
        digest=image.digest,
        blob=image.blob,
    )


def _scope(settled: SeriesSettled) -> str:
    return f"{settled.series}.{settled.version}"
