"""Where something lies in bytes, and what is raised where that can't be told."""

from __future__ import annotations

from agents.anonymization.outcome import Refusal

Span = tuple[int, int]
"""First byte, and the one behind the last."""


def broken() -> Refusal:
    """Make what is raised."""
    return Refusal("compressed-pixels", "The compressed pixels are not built as their transfer syntax says.")
