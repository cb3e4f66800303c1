"""Failures of the gateway; each belongs to a family of `streams.errors`."""

from __future__ import annotations

import traceback

from streams.errors import Damaged, Rejected, Unavailable


def where_of(error: BaseException) -> list[str]:
    """Name the places that an error came through, without any text of it, which could quote a value."""
    found = traceback.extract_tb(error.__traceback__)[-12:]
    return [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in found]


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


class JournalDamaged(Damaged):
    """A segment does not read back: its disk lost what was durable. An operator must see to it."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is damaged: restore it from a backup. Moved away, the images that it alone tells of "
            "stay in the vault and reach no card."
        )
