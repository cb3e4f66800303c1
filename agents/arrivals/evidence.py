"""What is known of a series, as facts: written event by event, read as a whole. An adapter."""

from __future__ import annotations

import msgspec

from schemas.envelope import Event
from schemas.facts import AnnouncedSeries, EndedAssociation, StoredInstance
from schemas.pacs import AssociationEnded, InstanceStored, SeriesAnnounced
from streams.aggregates.series import AssociationOutcome
from streams.completeness.grading import Evidence
from streams.store.api import Fact, Facts


def stored_fact(data: InstanceStored, key: str, version: int) -> Fact:
    """Make the fact of an image; `version` is the first that has it."""
    body = StoredInstance(
        instance=data.instance,
        digest=data.digest,
        blob=data.blob,
        sop_class_uid=data.sop_class_uid,
        modality=data.modality,
        association=data.association,
        received=data.received,
        version=version,
        placement=data.placement,
    )
    return Fact(data.project, "stored", data.series, key, msgspec.json.encode(body))


def ended_fact(event: Event, data: AssociationEnded) -> Fact:
    """Make the fact of an association's end."""
    body = EndedAssociation(
        outcome=data.outcome,
        instances=data.instances,
        ended=event.time,
        began=data.began,
        left=data.left,
        refused=data.refused,
    )
    return Fact(data.project, "association_ended", data.series, data.association, msgspec.json.encode(body))


def announced_fact(event: Event, data: SeriesAnnounced) -> Fact:
    """Make the fact of an announcement, or of a part of one."""
    body = AnnouncedSeries(
        announcement=data.announcement,
        by=data.by,
        told=event.time,
        instances=data.instances,
        listed=data.listed,
        part=data.part,
    )
    key = f"{data.announcement}.{data.part}"
    return Fact(data.project, "announced", data.series, key, msgspec.json.encode(body))


async def evidence_of(facts: Facts, project: str, series: str) -> Evidence:
    """Read all that is known of a series; nothing stored when no image came.

    Raises
    ------
    streams.errors.Unavailable
        When the store is away.
    """
    stored = await facts.all(project, "stored", series)
    ended = await facts.all(project, "association_ended", series)
    announced = await facts.all(project, "announced", series)
    return Evidence(
        [msgspec.json.decode(fact.body, type=StoredInstance) for fact in stored],
        {fact.key: _ended(fact.body) for fact in ended},
        [msgspec.json.decode(fact.body, type=AnnouncedSeries) for fact in announced],
    )


def _ended(body: bytes) -> EndedAssociation:
    told = msgspec.json.decode(body, type=EndedAssociation | AssociationOutcome)
    return told if isinstance(told, EndedAssociation) else EndedAssociation(outcome=told)
