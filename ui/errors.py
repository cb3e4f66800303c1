"""What goes wrong at this door, as HTTP tells it."""

from __future__ import annotations

from streams.errors import Rejected


class Refused(Rejected):
    """A request that is refused, with its HTTP status; the message says what to do."""

    def __init__(self, status: int, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s
