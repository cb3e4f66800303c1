"""What a settled version of a series consists of, from its facts. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from schemas.facts import AnonymizedInstance, QuarantinedInstance, StoredInstance
from schemas.image import ManifestEntry, ReasonCount, SeriesAttributes, SeriesManifest
from schemas.pacs import SeriesSettled

MAX_REASONS = 64

GIVEN_UP = "given-up"
_GIVEN_UP_MESSAGE = "The image was given up while it was worked on: see the dead letters."


class Summary(NamedTuple):
    """A version of a series; `manifest` is None when nothing of it was anonymized."""

    manifest: SeriesManifest | None
    anonymized: int
    quarantined: int
    conflicts: int
    policy: str
    attributes: SeriesAttributes
    reasons: list[ReasonCount]
    since: int
    """The first version with all of its anonymized images."""


def summarize(
    settled: SeriesSettled,
    stored: Iterable[StoredInstance],
    anonymized: Mapping[str, AnonymizedInstance],
    quarantined: Mapping[str, QuarantinedInstance],
) -> Summary:
    """Sum up a version of a series: of each instance the bytes that came first count, others are conflicts.

    Parameters
    ----------
    settled
        The version. Every image that it counts was handled before it; later ones don't belong to it.
    stored
        All images of the series that are known. Arrivals may know more than anonymization has met.
    anonymized, quarantined
        By ``<instance>.<digest>`` of the original, as the facts' keys.
    """
    chosen = counted(settled, images := list(stored))
    clean = [anonymized[key] for key in chosen if key in anonymized]
    kept_back = [quarantined.get(key) for key in chosen if key not in anonymized]
    entries = [ManifestEntry(instance=one.instance, blob=one.blob) for one in clean]
    return Summary(
        manifest=SeriesManifest(project=settled.project, series=settled.series, instances=entries)
        if entries
        else None,
        anonymized=len(clean),
        quarantined=len(kept_back),
        conflicts=len(_of_version(settled, images)) - len(chosen),
        policy=clean[0].policy if clean else "",
        attributes=clean[0].attributes if clean else SeriesAttributes(),
        reasons=_reasons(kept_back),
        since=max((image.version or 1 for key, image in chosen.items() if key in anonymized), default=1),
    )


def counted(settled: SeriesSettled, stored: Iterable[StoredInstance]) -> dict[str, StoredInstance]:
    """Give the images that count in a version, by ``<instance>.<digest>``: of each instance the first."""
    primary: dict[str, StoredInstance] = {}
    for image in sorted(_of_version(settled, stored), key=lambda one: (one.received, one.digest)):
        primary.setdefault(image.instance, image)
    return {f"{image.instance}.{image.digest}": image for _, image in sorted(primary.items())}


def _of_version(settled: SeriesSettled, stored: Iterable[StoredInstance]) -> list[StoredInstance]:
    return [image for image in stored if image.version is None or image.version <= settled.version]


def _reasons(kept_back: Sequence[QuarantinedInstance | None]) -> list[ReasonCount]:
    """Count reasons, the most frequent first. An image without any outcome is not passed over in silence."""
    counts = Counter(one.reason if one else GIVEN_UP for one in kept_back)
    messages = {one.reason: one.message for one in reversed(kept_back) if one}
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [
        ReasonCount(reason=reason, message=messages.get(reason, _GIVEN_UP_MESSAGE), instances=number)
        for reason, number in ordered[:MAX_REASONS]
    ]
