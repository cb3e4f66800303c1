"""What became of the demo's series, and whether that is right. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from plugins.phantom.types import PhantomSpec
from schemas.views import FeedDetail, SeriesView


class Line(NamedTuple):
    """A series as the demo's table tells it."""

    title: str
    series: str
    modality: str
    instances: int
    anonymized: int
    quarantined: int
    outcome: str
    done: bool
    """Measured, not a volume, or all in quarantine: nothing more is to come."""
    well: bool
    """As it should be: not failed, and every reason told."""


def lines(details: Iterable[FeedDetail]) -> list[Line]:
    """List every series of these feeds."""
    return [_line(detail.card.title, series) for detail in details for series in detail.series]


def volume_ml(details: Iterable[FeedDetail], series: str) -> float | None:
    """Give the foreground volume that was measured in a series, mL."""
    for detail in details:
        for view in detail.series:
            if view.series == series and view.run:
                for measure in view.run.measures:
                    if measure.name == "foreground_volume":
                        return measure.value
    return None


def tolerance_ml(spec: PhantomSpec) -> float:
    """Give the volume of one voxel layer on the phantom's surface, mL: how wrong a threshold may be.

    The surface by Knud Thomsen's formula (within 1.1 %); the layer is as thick as the longest voxel edge.
    """
    a, b, c = spec.axes_mm
    power: float = 1.6075
    mean = ((a * b) ** power + (a * c) ** power + (b * c) ** power) / 3
    return float(4 * math.pi * mean ** (1 / power) * max(spec.spacing_mm) / 1000)


def _line(title: str, view: SeriesView) -> Line:
    outcome, done, well = _outcome(view)
    return Line(
        title,
        view.series,
        view.modality,
        view.anonymized + view.quarantined,
        view.anonymized,
        view.quarantined,
        outcome,
        done,
        well,
    )


def _outcome(view: SeriesView) -> tuple[str, bool, bool]:
    reasons = "; ".join(f"{reason.message} ({reason.instances})" for reason in view.reasons)
    if view.version == 0:
        return "arriving", False, False
    if view.anonymized == 0:
        return f"quarantined: {reasons}", True, bool(reasons)
    if view.run is None or view.run.state in {"queued", "running"}:
        return view.run.state if view.run else "waiting", False, False
    if view.run.state == "failed":
        return f"failed: {view.run.cause}", True, False
    if view.run.outcome == "measured":
        return "measured" + (f"; quarantined: {reasons}" if reasons else ""), True, True
    found = "; ".join(finding.message for finding in view.run.findings)
    return f"not a volume: {found}", True, bool(found)
