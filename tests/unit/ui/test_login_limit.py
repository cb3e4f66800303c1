"""The limit on login attempts, under concurrency."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime

import pytest
from argon2 import PasswordHasher

from streams.clock import utc_now
from streams.errors import Conflict
from streams.store.memory.store import MemoryStore
from ui.auth.accounts import HASHES, WAITING, Accounts
from ui.auth.attempts import PER_ADDRESS, PER_NAME
from ui.auth.limit import LoginLimit
from ui.errors import Refused

PASSWORD = "correct horse battery"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Interleaved:
    """Records whose every call lets the others go first, as a store over the network does."""

    def __init__(self, records) -> None:
        self._records = records

    async def get(self, *args):
        await asyncio.sleep(0)
        return await self._records.get(*args)

    async def put(self, *args, **options):
        await asyncio.sleep(0)
        return await self._records.put(*args, **options)


class Contended(Interleaved):
    """Records that another writer always changes first."""

    async def put(self, kind, key, body, **_):
        raise Conflict(kind, 0, 1)


@pytest.fixture
def records():
    return MemoryStore().records


async def admitted(limit: LoginLimit, name: str = "ana", address: str = "203.0.113.1"):
    try:
        return await limit.admit(name, address)
    except Refused:
        return None


async def test_of_many_guesses_at_once_as_many_are_verified_as_of_those_in_a_row(records):
    limit = LoginLimit(Interleaved(records), utc_now)
    outcomes = await asyncio.gather(*(admitted(limit) for _ in range(200)))
    outcomes += [await admitted(limit) for _ in range(2 * PER_NAME)]
    assert sum(outcome is not None for outcome in outcomes) == PER_NAME


async def test_guesses_at_many_names_from_one_address_are_limited(records):
    limit = LoginLimit(Interleaved(records), utc_now)
    outcomes = await asyncio.gather(*(admitted(limit, f"name{index}") for index in range(200)))
    outcomes += [await admitted(limit, f"another{index}") for index in range(2 * PER_ADDRESS)]
    assert sum(outcome is not None for outcome in outcomes) == PER_ADDRESS


async def test_another_spelling_of_a_name_is_not_another_chance(records):
    limit = LoginLimit(records, utc_now)
    for spelling in ["ana", "ANA", "\uff41na", "a\uff4ea", "an\uff41"]:
        assert await admitted(limit, spelling) is not None
    assert await admitted(limit, "\uff41\uff4e\uff41") is None


async def test_who_is_refused_for_the_address_does_not_use_up_the_name(records):
    limit = LoginLimit(records, utc_now)
    for index in range(PER_ADDRESS):
        assert await admitted(limit, f"name{index}") is not None
    for _ in range(PER_NAME):
        assert await admitted(limit) is None
    assert await admitted(limit, address="203.0.113.2") is not None


async def test_who_is_refused_for_the_address_in_a_burst_does_not_use_up_the_name(records):
    limit = LoginLimit(Interleaved(records), utc_now)
    outcomes = await asyncio.gather(*(admitted(limit, f"name{index}") for index in range(2 * PER_ADDRESS)))
    name = f"name{outcomes.index(None)}"
    later = [await admitted(limit, name, "203.0.113.2") for _ in range(PER_NAME)]
    assert None not in later


async def test_what_succeeded_counts_no_longer(records):
    limit = LoginLimit(Interleaved(records), utc_now)
    for _ in range(PER_ADDRESS + PER_NAME):
        taken = await admitted(limit)
        assert taken is not None
        await limit.refund(taken)


async def test_an_attempt_that_cannot_be_counted_is_refused(records):
    with pytest.raises(Refused, match="try again") as refused:
        await LoginLimit(Contended(records), utc_now).admit("ana", "203.0.113.1")
    assert (refused.value.status, refused.value.retry_after_s) == (429, 1)


class Held(PasswordHasher):
    """Hashes only when it may, and counts how many do at once."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=64)
        self.go = threading.Event()
        self.running = self.most = 0
        self._lock = threading.Lock()

    def verify(self, hashed, password):
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        assert self.go.wait(timeout=10)
        try:
            return super().verify(hashed, password)
        finally:
            with self._lock:
                self.running -= 1


async def test_a_bounded_number_of_passwords_is_hashed_at_once_and_waits(records):
    hasher = Held()
    accounts = Accounts(records, hasher=hasher)
    await accounts.add("ana", "Ana", PASSWORD, ["member"], NOW)
    logins = [asyncio.create_task(accounts.authenticate("ana", PASSWORD)) for _ in range(WAITING)]
    async with asyncio.timeout(10):
        while hasher.running < HASHES:
            await asyncio.sleep(0)
    with pytest.raises(Refused) as refused:
        await accounts.authenticate("ana", PASSWORD)
    assert (refused.value.status, refused.value.retry_after_s) == (503, 2)
    hasher.go.set()
    assert all(await asyncio.gather(*logins))
    assert hasher.most == HASHES
    assert await accounts.authenticate("ana", PASSWORD)
