"""The subjects' keys: one an account, wrapped, in the mutable table outside the log; known for a moment."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Literal, NamedTuple

import msgspec
import structlog

from streams.errors import Conflict, Damaged, Rejected, Unavailable
from streams.store.api import Records
from ui.subjects.sealing import Unreadable, new_key, unwrap, wrap

KIND = "subject_key"
"""Kind of the records; their key is the account id."""

KNOWN_S = 30.0
"""How long a process goes by a key that it has read, s: by then an erasure has taken effect everywhere."""
KNOWN = 4_096
"""Keys that a process knows at a time."""
_TRIES = 3

Lost = Literal["erased", "unreadable"]
"""Why a text can't be shown: its author was erased, or nothing here opens it."""

log = structlog.get_logger()


class SubjectKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record's body. Without a key it says that the subject was erased, and no key is made again."""

    wrapped: bytes | None = None


class _Known(NamedTuple):
    until: float
    found: bytes | Literal["erased"]


class SubjectKeys:
    """Keys by account id."""

    def __init__(
        self, records: Records, wrapping: bytes, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._records = records
        self._wrapping = wrapping
        self._monotonic = monotonic
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def find(self, subject: str) -> bytes | Lost:
        """Give a subject's key, or why there is none.

        Raises
        ------
        streams.errors.Unavailable
            When the store is away.
        """
        return await self._look(subject) or "unreadable"

    async def obtain(self, subject: str) -> bytes:
        """Give a subject's key to seal with, made at its first use and durable before it is given.

        Raises
        ------
        streams.errors.Rejected
            When the subject was erased.
        streams.errors.Damaged
            When the key can't be unwrapped.
        streams.errors.Unavailable
            When the store is away.
        """
        for _ in range(_TRIES):
            found = await self._look(subject)
            if isinstance(found, bytes):
                return found
            if found == "erased":
                raise Rejected("This account was erased: nothing can be written as it any more.")
            if found == "unreadable":
                raise Damaged("The key of this account is damaged: have it restored from a backup.")
            begun, key = self._monotonic(), new_key()
            body = msgspec.json.encode(SubjectKey(wrap(self._wrapping, subject, key)))
            try:
                await self._records.put(KIND, subject, body, expected=0)
            except Conflict:
                continue  # another process was first, or the subject is being erased: look again
            self._keep(subject, begun, key)
            return key
        raise Unavailable("A key is being changed by others: try again")

    async def _look(self, subject: str) -> bytes | Lost | None:
        begun = self._monotonic()  # before the read: what is read may be old by the time that it took
        known = self._known.get(subject)
        if known and begun < known.until:
            return known.found
        stored = await self._records.get(KIND, subject)
        if stored is None:
            return None  # not kept: another process may make the key at any moment
        try:
            wrapped = msgspec.json.decode(stored.body, type=SubjectKey).wrapped
            found: bytes | Literal["erased"] = (
                "erased" if wrapped is None else unwrap(self._wrapping, subject, wrapped)
            )
        except (msgspec.DecodeError, Unreadable):
            log.error("subjects.damaged_key", subject=subject)  # noqa: TRY400 - a traceback says no more
            return "unreadable"
        self._keep(subject, begun, found)
        return found

    def _keep(self, subject: str, begun: float, found: bytes | Literal["erased"]) -> None:
        self._known[subject] = _Known(begun + KNOWN_S, found)
        self._known.move_to_end(subject)
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)


async def destroy(records: Records, subject: str) -> None:
    """Put the mark of an erasure in place of a subject's key; again changes nothing.

    Raises
    ------
    streams.errors.Unavailable
        When the store is away, or others change the record all the time: do it again.
    """
    await records.put(KIND, subject, msgspec.json.encode(SubjectKey()))
