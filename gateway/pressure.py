"""When nobody new is let in: the disk runs low, or the journal waits for the bus with too much. Pure.

Objects of those who are in are taken until less than the reserve is free (`Vault.has_room`).
"""

from __future__ import annotations

from typing import NamedTuple

from gateway.dul.negotiation import CONGESTION, Rejection

DISK_LOW = CONGESTION._replace(word="disk-low")
BACKLOG = CONGESTION._replace(word="backlog")


class Marks(NamedTuple):
    """From where on."""

    free: int
    """Bytes free, at least."""
    backlog: int
    """Journal entries that the bus has not confirmed, at most; 0: any number."""


def congestion(marks: Marks, *, free: int, backlog: int) -> Rejection | None:
    """Tell why nobody new may come in now; None when they may."""
    if free < marks.free:
        return DISK_LOW
    if marks.backlog and backlog > marks.backlog:
        return BACKLOG
    return None


def told(rejection: Rejection) -> str:
    """Tell it to an operator."""
    if rejection == DISK_LOW:
        return (
            "The vault's disk runs low (CHIPS_DISK_LOW_MB): new associations are refused until there is room"
        )
    return (
        "The journal waits for the bus with more than CHIPS_JOURNAL_MOST entries: new associations are "
        "refused until the bus has confirmed them"
    )
