"""Whether the head was found for sure. Pure."""

from __future__ import annotations

from agents.anonymization.faces.finding import Fit

INFORMATION = 0.53
"""Nats. Heads (T1, PD, CT; whole, cropped and turned): 0.56 to 0.99; heads not understood: up to 0.52."""
OVERLAP = 0.88
"""Dice coefficient. The same heads: 0.95 to 0.97."""
DISTANCE = 3.4
"""mm. The same heads: 0.9 to 2.5; brains laid over by a head: 3.7 and more."""
STRETCHES = 0.75, 1.35
"""The mean head is of adults; a child's of two years is a tenth smaller, few adults' differ by a fifth."""
ASPECT = 1.25
"""Largest stretch over smallest: the same heads up to 1.16; heads not understood: up to 1.38."""
SEEN = 0.35
"""Share of the head and its surroundings that must be in the volume."""
DOUBT = 12.0
"""mm between places that fit equally: the region reaches farther than this beyond a face on every side."""
TURNED = 0.87
"""A head turned by half a turn must fit worse than this, as a share."""


def is_head(fit: Fit) -> bool:
    """Say whether the mean head lies so well that the face is where it says."""
    return (
        fit.information >= INFORMATION
        and fit.overlap >= OVERLAP
        and fit.distance <= DISTANCE
        and fit.seen >= SEEN
        and STRETCHES[0] <= fit.stretches[1] <= fit.stretches[0] <= STRETCHES[1]
        and fit.stretches[0] <= ASPECT * fit.stretches[1]
        and fit.doubt <= DOUBT
        and fit.turned <= TURNED
    )
