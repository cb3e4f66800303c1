"""Accounts: credentials in a mutable table outside the log, so that the log knows opaque ids only."""

from __future__ import annotations

import asyncio
import unicodedata
from datetime import datetime
from typing import Annotated, Literal

import msgspec
import uuid_utils
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from streams.errors import Conflict, Rejected
from streams.store.api import Records
from ui.auth.attempts import login_name
from ui.errors import Refused

Role = Literal["member", "admin"]
MIN_PASSWORD = 12
MAX_PASSWORD = 256
"""Characters; a bound, so that hashing costs the same for everyone."""

HASHES = 2
"""Passwords hashed side by side: each takes 64 MiB, and a flood of logins must not take it all."""
WAITING = 32
"""Logins that wait for their turn; more are told to come again."""

LoginName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._@-]{0,63}$(?!\n)")]


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A person who may log in. `id` is opaque and the only thing that events name."""

    id: str
    name: LoginName
    display_name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    password: str
    """argon2id, encoded with its parameters."""
    roles: list[Role]
    created: datetime


class _Owner(msgspec.Struct, frozen=True):
    id: str


class Accounts:
    """Accounts by id and by name."""

    def __init__(self, records: Records, *, hasher: PasswordHasher | None = None) -> None:
        self._records = records
        self._hasher = hasher or PasswordHasher()  # RFC 9106, low-memory profile: argon2id, 64 MiB, t=3
        self._stand_in: str | None = None
        self._hashing = asyncio.Semaphore(HASHES)
        self._waiting = 0

    async def add(
        self, name: str, display_name: str, password: str, roles: list[Role], now: datetime
    ) -> Account:
        """Make an account.

        Raises
        ------
        streams.errors.Rejected
            When the name is taken or malformed, or the password too short or too long.
        """
        check_password(password)
        hashed = await self._hash(password)
        try:
            account = msgspec.convert(
                {
                    "id": str(uuid_utils.uuid7()),
                    "name": unicodedata.normalize("NFKC", name).lower(),
                    "display_name": display_name,
                    "password": hashed,
                    "roles": roles,
                    "created": now,
                },
                Account,
            )
        except msgspec.ValidationError as error:
            raise Rejected(f"This account can't be made: {error}") from error
        await self._records.put("account", account.id, msgspec.json.encode(account))
        try:
            await self._records.put(
                "account_name", account.name, msgspec.json.encode(_Owner(account.id)), expected=0
            )
        except Conflict as conflict:
            await self._records.delete("account", account.id)
            raise Rejected(f"There is an account {account.name} already: choose another name.") from conflict
        return account

    async def by_id(self, account_id: str) -> Account | None:
        """Give an account."""
        found = await self._records.get("account", account_id)
        return msgspec.json.decode(found.body, type=Account) if found else None

    async def everyone(self) -> list[Account]:
        """Give all accounts."""
        return [msgspec.json.decode(row.body, type=Account) for row in await self._records.list("account")]

    async def owner(self, name: str) -> str | None:
        """Give the id of the account that has a name."""
        found = await self._records.get("account_name", login_name(name))
        return msgspec.json.decode(found.body, type=_Owner).id if found else None

    async def remove(self, account_id: str) -> None:
        """Take an account's credentials and display name away; its name stays taken until `release`."""
        await self._records.delete("account", account_id)

    async def release(self, name: str) -> None:
        """Let a name be taken again."""
        await self._records.delete("account_name", login_name(name))

    async def authenticate(self, name: str, password: str) -> Account | None:
        """Give the account when name and password fit; takes as long when the name is unknown.

        Raises
        ------
        ui.errors.Refused
            503, when too many wait to be verified; then nothing was verified.
        """
        if self._waiting >= WAITING:
            raise Refused(503, "Too many logins at this moment: try again.", retry_after_s=2)
        self._waiting += 1
        try:
            return await self._authenticate(name, password)
        finally:
            self._waiting -= 1

    async def _authenticate(self, name: str, password: str) -> Account | None:
        owner = await self.owner(name)
        account = await self.by_id(owner) if owner else None
        fits = await self._verify(
            account.password if account else await self._decoy(), password[:MAX_PASSWORD]
        )
        return account if account and fits else None

    async def _decoy(self) -> str:
        if self._stand_in is None:
            self._stand_in = await self._hash(str(uuid_utils.uuid7()))
        return self._stand_in

    async def _hash(self, password: str) -> str:
        async with self._hashing:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def _verify(self, hashed: str, password: str) -> bool:
        async with self._hashing:
            try:
                return await asyncio.to_thread(self._hasher.verify, hashed, password)
            except (VerifyMismatchError, InvalidHashError):
                return False


def check_password(password: str) -> None:
    """Refuse passwords outside the length bounds (NIST SP 800-63B: length, not composition).

    Raises
    ------
    streams.errors.Rejected
        When it is too short or too long.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise Rejected(f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters.")
