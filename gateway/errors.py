"""Failures of the gateway; each belongs to a family of `streams.errors`."""

from __future__ import annotations

from streams.errors import Poison, Rejected, Unavailable


class ObjectRefused(Rejected):
    """An object that is not kept; its sender is told why.

    Attributes
    ----------
    status
        DIMSE status, a failure of the Storage Service Class (PS3.4 B.2.3).
    reason
        One of the few words that metrics count by.
    comment
        Error Comment (0000,0902): what to do, at most 64 characters, never a value of the object.
    """

    def __init__(self, status: int, reason: str, comment: str) -> None:
        super().__init__(comment)
        self.status = status
        self.reason = reason
        self.comment = comment


class JournalBroken(Unavailable):
    """The journal's disk failed: what it holds is unknown until the gateway starts anew."""


class JournalDamaged(Poison):
    """A finished segment does not read back: its disk lost what was durable. Restore it, or move it away."""
