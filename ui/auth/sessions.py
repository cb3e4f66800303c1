"""Server-side sessions: the browser holds a random token, the store holds its digest."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

import msgspec

from streams.clock import Clock
from streams.errors import Conflict
from streams.store.api import Records
from ui.auth.attempts import PER_ADDRESS, PER_NAME, WINDOW, Attempts, failed, wait_s

LIFETIME = timedelta(hours=12)
COOKIE = "chips_session"
_TRIES = 8


class Session(msgspec.Struct, frozen=True):
    """A login. `csrf` must come back in a header with whatever changes something."""

    account: str
    csrf: str
    expires: datetime


class Sessions:
    """Sessions and the limit on attempts, kept in the store, so that any ui process knows them."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    async def open(self, account: str) -> tuple[str, Session]:
        """Begin a session; give the token for the cookie, and the session."""
        token = secrets.token_urlsafe(32)
        session = Session(account, secrets.token_urlsafe(32), self._clock() + LIFETIME)
        ttl = int(LIFETIME.total_seconds())
        await self._records.put("session", _digest(token), msgspec.json.encode(session), ttl_s=ttl)
        return token, session

    async def find(self, token: str | None) -> Session | None:
        """Give the session of a token that is valid now."""
        if not token or len(token) > 128:  # noqa: PLR2004 - a bound; ours have 43 characters
            return None
        found = await self._records.get("session", _digest(token))
        session = msgspec.json.decode(found.body, type=Session) if found else None
        return session if session and session.expires > self._clock() else None

    async def close(self, token: str) -> None:
        """End a session."""
        await self._records.delete("session", _digest(token))

    async def wait_s(self, name: str, address: str) -> int:
        """How long this name or address must wait before it may try again, s."""
        waits = [
            wait_s(await self._attempts(key), limit, self._clock())
            for key, limit in ((_name_key(name), PER_NAME), (_address_key(address), PER_ADDRESS))
        ]
        return max(waits)

    async def count_failure(self, name: str, address: str) -> None:
        """Count a failed login against its name and its address."""
        for key in (_name_key(name), _address_key(address)):
            await self._count(key)

    async def _count(self, key: str) -> None:
        for _ in range(_TRIES):
            found = await self._records.get("attempts", key)
            before = msgspec.json.decode(found.body, type=Attempts) if found else None
            body = msgspec.json.encode(failed(before, self._clock()))
            try:
                await self._records.put(
                    "attempts",
                    key,
                    body,
                    expected=found.version if found else 0,
                    ttl_s=int(WINDOW.total_seconds()) * 2,
                )
            except Conflict:
                continue  # another attempt was counted at the same moment: count on top of it
            return

    async def _attempts(self, key: str) -> Attempts | None:
        found = await self._records.get("attempts", key)
        return msgspec.json.decode(found.body, type=Attempts) if found else None


def same(expected: str, given: str | None) -> bool:
    """Compare secrets in constant time."""
    return given is not None and hmac.compare_digest(expected.encode(), given.encode())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _name_key(name: str) -> str:
    return "name." + _digest(name.lower()[:64])


def _address_key(address: str) -> str:
    return "address." + _digest(address)
