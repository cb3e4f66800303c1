"""The limit on login attempts, kept in the store, so that any ui process knows it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

import msgspec

from streams.clock import Clock
from streams.errors import Conflict
from streams.store.api import Records
from ui.auth.attempts import (
    PER_ADDRESS,
    PER_NAME,
    WINDOW,
    Attempts,
    counted,
    login_name,
    refunded,
    site,
    wait_s,
)
from ui.errors import Refused

KIND = "attempts"
_TRIES = 8
_Change = Callable[[Attempts | None], Attempts | None]
_TTL_S = int(WINDOW.total_seconds()) * 2


class Counted(NamedTuple):
    """An attempt that stands in the record `key`, in the window that began at `since`."""

    key: str
    since: datetime


class LoginLimit:
    """Counts an attempt before its password is verified, so that a burst has no more guesses than a queue."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    async def admit(self, name: str, address: str) -> list[Counted]:
        """Count an attempt against its name and its address; give what `refund` takes.

        Raises
        ------
        ui.errors.Refused
            429, when there were too many, or when so many come at this moment that it can't be counted.
        """
        limits = (
            ("name." + _digest(login_name(name)), PER_NAME),
            ("address." + _digest(site(address)), PER_ADDRESS),
        )
        for key, limit in limits:  # what is refused anyway costs reads, and counts nowhere
            self._check((await self._read(key))[0], limit)
        admitted: list[Counted] = []
        for key, limit in limits:
            try:
                admitted.append(await self._count(key, limit))
            except Refused:
                await self.refund(admitted)
                raise
        return admitted

    async def refund(self, admitted: Sequence[Counted]) -> None:
        """Take an attempt back: it succeeded, or nothing was verified. One that can't be stays counted."""
        for key, since in admitted:
            await self._change(key, partial(refunded, since=since))

    async def _count(self, key: str, limit: int) -> Counted:
        def one_more(before: Attempts | None) -> Attempts:
            self._check(before, limit)
            return counted(before, self._clock())

        after = await self._change(key, one_more)
        if after is None:
            raise Refused(429, "Too many logins at this moment: try again.", retry_after_s=1)
        return Counted(key, after.since)

    def _check(self, attempts: Attempts | None, limit: int) -> None:
        wait = wait_s(attempts, limit, self._clock())
        if wait:
            raise Refused(
                429, f"Too many failed logins: try again in {wait // 60 + 1} min.", retry_after_s=wait
            )

    async def _change(
        self, key: str, change: Callable[[Attempts | None], Attempts | None]
    ) -> Attempts | None:
        """Write what `change` makes of the record; None when it makes none, or others came first."""
        for _ in range(_TRIES):
            before, version = await self._read(key)
            after = change(before)
            if after is None:
                return None
            try:
                await self._records.put(KIND, key, msgspec.json.encode(after), expected=version, ttl_s=_TTL_S)
            except Conflict:
                continue  # another attempt was counted at the same moment: count on top of it
            return after
        return None

    async def _read(self, key: str) -> tuple[Attempts | None, int]:
        found = await self._records.get(KIND, key)
        return (msgspec.json.decode(found.body, type=Attempts), found.version) if found else (None, 0)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
