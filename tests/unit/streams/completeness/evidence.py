"""Evidence in short, for tables of cases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from schemas.facts import AnnouncedSeries, EndedAssociation, StoredInstance
from schemas.identity import BlobRef, derived_id
from schemas.pacs import Placement
from streams.completeness.grading import Patience

CT, MR, PET = (f"1.2.840.10008.5.1.4.1.1.{tail}" for tail in ("2", "4", "128"))
ULTRASOUND, CAPTURE, ENHANCED_MR = (f"1.2.840.10008.5.1.4.1.1.{tail}" for tail in ("6.1", "7", "4.1"))
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATE = NOON + timedelta(days=1)
"""When everything that time alone changes has changed."""
PATIENCE = Patience(timedelta(seconds=10), timedelta(seconds=1), timedelta(minutes=15))


def at(seconds):
    return NOON + timedelta(seconds=seconds)


def key(number):
    return f"{number:032x}"


def uuid(name):
    return derived_id("test", str(name))


def image(instance, *, number=None, by="A", second=0, sop_class=CT, digest=None, **placed):
    digest = f"{digest if digest is not None else instance:064x}"
    placement = Placement(number=number, **placed)
    return StoredInstance(
        instance=key(instance),
        digest=digest,
        blob=BlobRef(sha256=digest, size=1, media_type="application/dicom"),
        sop_class_uid=sop_class,
        modality="CT",
        association=uuid(by),
        received=at(second),
        placement=None if placement == Placement() else placement,
    )


def slices(numbers, **what):
    return [image(index, number=number, **what) for index, number in enumerate(numbers, 1)]


def stack(positions, normal=(0.0, 0.0, 1.0), start=1, **what):
    return [
        image(index, position=float(position), normal=normal, **what)
        for index, position in enumerate(positions, start)
    ]


def end(outcome="released", *, second=60, began=None, **told):
    started = None if began is None else at(began)
    return EndedAssociation(outcome=outcome, ended=at(second), began=started, **told)


def announced(instances, *, listed=(), name="P", part=0, second=0, by="announcement"):
    return AnnouncedSeries(
        announcement=uuid(name),
        by=by,
        told=at(second),
        instances=instances,
        listed=[key(one) for one in listed],
        part=part,
    )
