"""Server-side sessions: the browser holds a random token, the store holds its digest."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

import msgspec

from streams.clock import Clock
from streams.store.api import Records

LIFETIME = timedelta(hours=12)
COOKIE = "chips_session"
SECURE_COOKIE = f"__Host-{COOKIE}"
"""Its name over https: browsers take this prefix from nobody but the host itself, so that a neighbour on
another subdomain can't put its own session in the place of ours."""
MOST = 100_000
"""Sessions of all people that are looked through; far more than begin within a `LIFETIME`."""


class Session(msgspec.Struct, frozen=True):
    """A login. `csrf` must come back in a header with whatever changes something."""

    account: str
    csrf: str
    expires: datetime


class Sessions:
    """Sessions, kept in the store, so that any ui process knows them."""

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

    async def close_all(self, account: str) -> int:
        """End all sessions of an account; return how many there were."""
        found = [
            stored.key
            for stored in await self._records.list("session", MOST)
            if msgspec.json.decode(stored.body, type=Session).account == account
        ]
        for key in found:
            await self._records.delete("session", key)
        return len(found)


def same(expected: str, given: str | None) -> bool:
    """Compare secrets in constant time."""
    return given is not None and hmac.compare_digest(_octets(expected), _octets(given))


def _digest(token: str) -> str:
    return hashlib.sha256(_octets(token)).hexdigest()


def _octets(text: str) -> bytes:
    # aiohttp gives bytes of a header that are no UTF-8 as lone surrogates.
    return text.encode(errors="surrogateescape")
