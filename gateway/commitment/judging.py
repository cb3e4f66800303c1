"""What becomes of a request for commitment: which objects are kept, and what that says of their series."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from gateway.announcing import announce_commitment
from gateway.commitment.holdings import Finds
from gateway.commitment.messages import NO_SUCH_INSTANCE, OTHER_CLASS, Asked, Failure
from gateway.identity import ProjectKey, instance_key
from schemas.envelope import Event
from streams.blobs import Blobs

MOST_SERIES = 256
"""Series of one request that something is said of; of one with more, nothing is."""


class Judged(NamedTuple):
    """An answer."""

    failures: tuple[Failure, ...]
    series_of: dict[str, str | None]
    """Key of the series of each instance, by the instance's key; None: not here."""


def judge(asked: Asked, key: ProjectKey, holdings: Finds, blobs: Blobs) -> Judged:
    """Look for each object: noted, of the class asked for, and its bytes there; raises as `holdings.find`."""
    failures: list[Failure] = []
    series_of: dict[str, str | None] = {}
    keys = [instance_key(key, reference.sop_instance_uid) for reference in asked.references]
    known = holdings.find(key.project, keys)
    for reference, instance in zip(asked.references, keys, strict=True):
        held = known.get(instance)
        if held and not blobs.exists(key.project, held.sha256):
            held = None
        series_of[instance] = held.series if held else None
        if held is None:
            failures.append(Failure(reference, NO_SUCH_INSTANCE))
        elif held.sop_class_uid != reference.sop_class_uid:
            failures.append(Failure(reference, OTHER_CLASS))
    return Judged(tuple(failures), series_of)


def evidence(judged: Judged, asked: Asked, key: ProjectKey, now: datetime) -> list[Event]:
    """Give what a request says of the series that it names, as `gateway.announcing` tells it. Pure."""
    if len({one for one in judged.series_of.values() if one}) > MOST_SERIES:
        return []
    return announce_commitment(key, asked.transaction_uid, judged.series_of, now)
