"""What became of the demo's series, and whether that is right. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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
    """Measured, not a volume, held back as incomplete, or all in quarantine: nothing more is to come."""
    well: bool
    """As it should be: not failed, and every reason told."""


class Phantom(NamedTuple):
    """The phantom that was sent: what it is, and the key of its series."""

    spec: PhantomSpec
    series: str


class Verdict(NamedTuple):
    """What became of everything that was sent."""

    studies: int
    lines: list[Line]
    """Every series on a card, by study and key."""
    lost: dict[str, int]
    """Series of which images are on no card, and how many."""
    phantom_ml: float | None
    """What was measured in the phantom, mL."""
    phantom_is_right: bool

    @property
    def settled(self) -> bool:
        """Nothing more is to come: each image sent is on a card, and each series has its outcome."""
        return not self.lost and all(line.done for line in self.lines)

    @property
    def well(self) -> bool:
        """Every series sent is measured, or has its reason not to be, and the phantom's volume is right."""
        return self.settled and all(line.well for line in self.lines) and self.phantom_is_right


def judge(details: Sequence[FeedDetail], sent: Mapping[str, int], phantom: Phantom) -> Verdict:
    """Hold what the cards show against what was sent.

    Parameters
    ----------
    details
        All feeds.
    sent
        How many distinct images of each series were sent, by series key.
    phantom
        One of these series, of known volume.
    """
    known = sorted(lines(details), key=lambda line: (line.title, line.series))
    shown = Counter[str]()
    for line in known:
        shown[line.series] += line.instances
    measured = volume_ml(details, phantom.series)
    right = measured is not None and abs(measured - phantom.spec.volume_ml) <= tolerance_ml(phantom.spec)
    lost = {series: count - shown[series] for series, count in sent.items() if shown[series] < count}
    return Verdict(len(details), known, lost, measured, right)


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


def _outcome(view: SeriesView) -> tuple[str, bool, bool]:  # noqa: PLR0911 - one return for each outcome
    reasons = "; ".join(f"{reason.message} ({reason.instances})" for reason in view.reasons)
    if view.version == 0:
        return "arriving", False, False
    if view.anonymized == 0:
        return f"quarantined: {reasons}", True, bool(reasons)
    if view.run is None:
        return _held(view)
    if view.run.state in {"queued", "running"}:
        return view.run.state, False, False
    if view.run.state == "failed":
        return f"failed: {view.run.cause}", True, False
    if view.run.outcome == "measured":
        return "measured" + (f"; quarantined: {reasons}" if reasons else ""), True, True
    found = "; ".join(finding.message for finding in view.run.findings)
    return f"not a volume: {found}", True, bool(found)


def _held(view: SeriesView) -> tuple[str, bool, bool]:
    if view.completeness and view.completeness.grade == "partial":
        return f"incomplete: {', '.join(view.completeness.lacks)}", True, bool(view.completeness.lacks)
    return "waiting", False, False
