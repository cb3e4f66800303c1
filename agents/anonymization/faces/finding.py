"""Find a head in a volume: lay the mean head over it, affinely, by mutual information. Pure.

Bounded and repeatable: a fixed list of starts, so many iterations at most, one thread, no random sample; and
the result is rounded, so that the last bits of another processor seldom show.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import SimpleITK

from agents.anonymization.faces.comparing import Comparison
from agents.anonymization.faces.head import LANDMARKS, Target
from agents.anonymization.faces.volume import Coarse
from plugins.imaging.types import Floats

HEAD_MM = 200.0
"""From the crown downwards: where the middle of the head is looked for, so that shoulders don't count."""
HEIGHTS = 0.0, -40.0, 40.0
"""mm by which the crown may lie elsewhere than at the volume's highest tissue."""
TURNS = (
    *((nodding, 0.0, 0.0) for nodding in (-30.0, -15.0, 0.0, 15.0, 30.0)),
    *((0.0, tilting, 0.0) for tilting in (-20.0, 20.0)),
    *((0.0, 0.0, turning) for turning in (-20.0, 20.0)),
)
"""Degrees about L, P and S."""
WAYS = (1.0, 1.0, 1.0), (1.0, -1.0, -1.0), (-1.0, 1.0, -1.0), (-1.0, -1.0, 1.0)
"""As the header says; and half a turn about L, P and S: what fits as well upside down is no head."""
BY_INFORMATION, BY_SURFACE = (3, 1, 1, 1), (2, 0, 0, 0)
"""Starts that are followed in each way: the best by mutual information, and by their surfaces' distance."""
REFINED = 2
RIVAL = 0.96
"""A second place counts as a rival when it fits nearly as well."""


class Fit(NamedTuple):
    """How the mean head lies in a volume.

    Attributes
    ----------
    transform
        From the mean head's coordinates to the volume's.
    information
        Mutual information of both, nats.
    seen
        Share of the head's surroundings that lie in the volume.
    overlap
        Dice coefficient of both tissues, above the skull base and where the volume is.
    distance
        Between both surfaces, where the volume is: mean over the head's surroundings, mm.
    stretches
        Largest and smallest stretch.
    doubt
        mm between where this and another place that fits nearly as well see the face.
    turned
        How well the head fits when it is turned by half a turn, as a share of how well it fits here.
    """

    transform: SimpleITK.AffineTransform
    information: float
    seen: float
    overlap: float
    distance: float
    stretches: tuple[float, float]
    doubt: float
    turned: float


def find(target: Target, image: SimpleITK.Image, coarse: Coarse) -> Fit | None:
    """Lay `target` over a volume; None: there is too little of it to try.

    Parameters
    ----------
    target
        The mean head, or its brain.
    image
        The volume's brightness, 0 to 255.
    coarse
        The volume.
    """
    glance = Comparison(target.reduced(), image, coarse)
    look = Comparison(target, image, coarse)
    ends = [
        _ends(glance, look, list(_starts(target, coarse, np.diag(way))), *counts) for way, *counts in _PLAN
    ]
    own = ends[0][:REFINED]
    if not own:
        return None
    turned = max((look.score(look.refine(end)) for other in ends[1:] for end in other), default=0.0)
    finals = sorted((look.polish(end) for end in own), key=look.score, reverse=True)
    best = finals[0]
    score = look.score(best)
    doubt = max(_apart(best, rival) for rival in finals if look.score(rival) >= RIVAL * score)
    return _judged(look, _rounded(best), doubt, turned / score if score else 1.0)


_PLAN = tuple(zip(WAYS, BY_INFORMATION, BY_SURFACE, strict=True))


def _ends(
    glance: Comparison,
    look: Comparison,
    starts: list[SimpleITK.Similarity3DTransform],
    by_information: int,
    by_surface: int,
) -> list[SimpleITK.AffineTransform]:
    """Follow the starts that look best; the ends that fit best come first."""
    informed = sorted((-glance.score(start), number) for number, start in enumerate(starts))
    ends = [look.follow(starts[number]) for _, number in informed[:by_information]]
    if by_surface:
        close = sorted((glance.distance(start), number) for number, start in enumerate(starts))
        ends += [look.follow_surface(starts[number]) for _, number in close[:by_surface]]
    return sorted(ends, key=look.score, reverse=True)


def _starts(target: Target, coarse: Coarse, way: Floats) -> Iterator[SimpleITK.Similarity3DTransform]:
    """Put the head's crown at the top of the tissue, at several heights and turned in several ways."""
    places = _places(coarse.tissue)
    if places.size == 0:
        return
    up = way[2, 2]  # a head that stands on its crown has that at the lowest tissue
    top = up * float(np.percentile(up * places[:, 2], 99.8))
    head = places[up * (top - places[:, 2]) < HEAD_MM]
    low, high = np.percentile(head, [0.5, 99.5], axis=0)
    middle = (low + high) / 2
    for height, turn in itertools.product(HEIGHTS, TURNS):
        euler = SimpleITK.Euler3DTransform()
        euler.SetRotation(*(math.radians(angle) for angle in turn))
        start = SimpleITK.Similarity3DTransform()
        start.SetMatrix((np.array(euler.GetMatrix()).reshape(3, 3) @ way).ravel().tolist())
        start.SetTranslation([float(middle[0]), float(middle[1]), top + up * (height - target.top)])
        yield start


def _places(mask: SimpleITK.Image) -> Floats:
    found = np.argwhere(SimpleITK.GetArrayViewFromImage(mask))[:, ::-1] * np.array(mask.GetSpacing())
    places: Floats = found @ np.array(mask.GetDirection()).reshape(3, 3).T + np.array(mask.GetOrigin())
    return places


def _judged(look: Comparison, transform: SimpleITK.AffineTransform, doubt: float, turned: float) -> Fit:
    information, seen = look.information(transform)
    stretches = np.linalg.svd(np.array(transform.GetMatrix()).reshape(3, 3), compute_uv=False)
    return Fit(
        transform=transform,
        information=information,
        seen=seen,
        overlap=look.overlap(transform),
        distance=look.distance(transform),
        stretches=(float(stretches[0]), float(stretches[-1])),
        doubt=doubt,
        turned=turned,
    )


def _apart(one: SimpleITK.AffineTransform, other: SimpleITK.AffineTransform) -> float:
    places = [[np.array(t.TransformPoint(p.tolist())) for p in LANDMARKS] for t in (one, other)]
    return max(float(np.linalg.norm(a - b)) for a, b in zip(*places, strict=True))


def _rounded(transform: SimpleITK.AffineTransform) -> SimpleITK.AffineTransform:
    """Round to 0.001 and to 0.1 mm: less than anything here is exact to."""
    matrix = np.array(transform.GetMatrix()).reshape(3, 3)
    centre = np.array(transform.GetCenter())
    offset = np.array(transform.GetTranslation()) + centre - matrix @ centre
    return SimpleITK.AffineTransform(np.round(matrix, 3).ravel().tolist(), np.round(offset, 1).tolist())
