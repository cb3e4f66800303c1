"""Subjects' keys over every store: one key whoever asks first, none any more once it is destroyed."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from argon2 import PasswordHasher

from streams.clock import utc_now
from streams.errors import Rejected
from tests.contract.making import NOON
from ui.auth.accounts import Accounts
from ui.auth.sessions import Sessions
from ui.subjects.erasing import erase
from ui.subjects.keys import KIND, KNOWN_S, SubjectKeys, destroy
from ui.subjects.sealing import new_key

WRAPPING = new_key()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def keys(store, clock) -> SubjectKeys:
    return SubjectKeys(store.records, WRAPPING, monotonic=clock)


async def test_whoever_asks_first_makes_the_one_key(store, other, clock):
    subject = uuid.uuid4().hex
    assert await keys(store, clock).find(subject) == "unreadable"
    asking = [keys(which, clock).obtain(subject) for which in (store, other) * 3]
    (key,) = set(await asyncio.gather(*asking))
    assert await keys(other, clock).find(subject) == key
    stored = await store.records.get(KIND, subject)
    assert key not in stored.body
    assert key.hex().encode() not in stored.body


async def test_a_process_that_knew_no_key_finds_it_once_another_made_it(store, other, clock):
    subject, late = uuid.uuid4().hex, keys(other, clock)
    assert await late.find(subject) == "unreadable"
    key = await keys(store, clock).obtain(subject)
    assert await late.find(subject) == key


async def test_a_destroyed_key_is_known_for_a_bounded_time_and_never_made_again(store, other, clock):
    subject, knowing = uuid.uuid4().hex, keys(other, clock)
    key = await knowing.obtain(subject)
    wrapped = (await store.records.get(KIND, subject)).body
    await destroy(store.records, subject)
    await destroy(store.records, subject)
    assert wrapped not in (await other.records.get(KIND, subject)).body
    clock.now = KNOWN_S - 0.001
    assert await knowing.find(subject) == key
    clock.now = KNOWN_S
    assert await knowing.find(subject) == "erased"
    for process in (knowing, keys(store, clock)):
        with pytest.raises(Rejected, match="erased"):
            await process.obtain(subject)


async def test_an_erasure_goes_before_a_first_key(store, other, clock):
    subject = uuid.uuid4().hex
    await destroy(store.records, subject)
    with pytest.raises(Rejected, match="erased"):
        await keys(other, clock).obtain(subject)


async def test_an_erased_account_leaves_its_opaque_id_and_nothing_else(store, other, clock):
    name = f"ana-{uuid.uuid4().hex[:12]}"
    hasher = PasswordHasher(time_cost=1, memory_cost=64)
    accounts, sessions = Accounts(store.records, hasher=hasher), Sessions(store.records, utc_now)
    account = await accounts.add(name, "Ana Kim", "correct horse battery", ["member"], NOON)
    tokens = [(await sessions.open(account.id))[0] for _ in "ab"]
    stays, _ = await sessions.open("another")
    await keys(store, clock).obtain(account.id)
    assert await erase(name.upper(), store.records, accounts, sessions) == 2
    assert await keys(other, clock).find(account.id) == "erased"
    assert [await Sessions(other.records, utc_now).find(token) for token in tokens] == [None, None]
    assert await sessions.find(stays)
    assert await Accounts(other.records).by_id(account.id) is None
    with pytest.raises(Rejected, match="no account"):
        await erase(name, store.records, accounts, sessions)
    assert (await accounts.add(name, "Another", "correct horse battery", ["member"], NOON)).id != account.id


async def test_an_erasure_that_was_interrupted_is_done_again_by_its_name(store, clock, monkeypatch):
    name = f"ana-{uuid.uuid4().hex[:12]}"
    hasher = PasswordHasher(time_cost=1, memory_cost=64)
    accounts, sessions = Accounts(store.records, hasher=hasher), Sessions(store.records, utc_now)
    account = await accounts.add(name, "Ana Kim", "correct horse battery", ["member"], NOON)
    for step in ("remove", "release"):
        with monkeypatch.context() as broken:
            broken.setattr(accounts, step, None)
            with pytest.raises(TypeError):
                await erase(name, store.records, accounts, sessions)
    assert await accounts.by_id(account.id) is None
    await erase(name, store.records, accounts, sessions)
    assert await accounts.owner(name) is None
