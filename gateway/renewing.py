"""Something made of files, and made again when they change: certificates and rules, without a restart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from streams.errors import Rejected, Unavailable

T = TypeVar("T")

log = structlog.get_logger()

_State = tuple[tuple[int, int, int] | None, ...]


class Renewed(Generic[T]):
    """The newest that could be made; safe for many threads.

    Parameters
    ----------
    what
        Its name in log and notes.
    files
        What it is made of.
    make
        Makes it. Raises `streams.errors.Rejected` or `Unavailable` when it can't, with what to do; the one
        before then stays, and the files are read again when they have changed again.
    before
        What stands when the first can't be made; None: that is an error then.

    Raises
    ------
    streams.errors.Rejected, streams.errors.Unavailable
        When the first can't be made, and nothing stands before it.
    """

    def __init__(
        self, what: str, files: Sequence[Path], make: Callable[[], T], before: T | None = None
    ) -> None:
        self._what = what
        self._files = tuple(files)
        self._make = make
        self._lock = threading.Lock()
        # Seen before they are read: what changes meanwhile is seen the next time.
        self._seen = self._state()
        self._problem: str | None = None
        if before is None:
            self._made = make()
        else:
            self._made = before
            self._renew(is_first=True)

    def current(self) -> T:
        """Give it, made anew if its files have changed; blocks for as long as that takes."""
        with self._lock:
            if (state := self._state()) != self._seen:
                self._seen = state
                self._renew()
            return self._made

    @property
    def problem(self) -> str | None:
        """Why the newest files are not followed, None when they are."""
        self.current()
        return self._problem

    def _renew(self, *, is_first: bool = False) -> None:
        try:
            self._made = self._make()
        except (Rejected, Unavailable) as error:
            self._problem = f"The new {self._what} can't be used, the one before still is: {error}"
            log.error("gateway.not_renewed", what=self._what, error=str(error))  # noqa: TRY400 - it says it all
        else:
            self._problem = None
            if not is_first:
                log.info("gateway.renewed", what=self._what)

    def _state(self) -> _State:
        return tuple(_state_of(file) for file in self._files)


def _state_of(file: Path) -> tuple[int, int, int] | None:
    """Tell a file's versions apart; links are followed, as those that orchestrators swap."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
