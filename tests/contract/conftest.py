"""The stores over which the one contract suite runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from streams.settings import Settings
from streams.store.api import Store
from streams.store.opening import open_store
from tests.contract.making import ENGINES, drop_keyspace, new_keyspace


@pytest.fixture(scope="session")
def cassandra_store_url(cassandra_contact: str) -> Iterator[str]:
    """A keyspace of this run, migrated once."""
    keyspace = new_keyspace()
    url = f"cassandra://{cassandra_contact}/{keyspace}"

    async def migrate() -> None:
        store = await open_store(Settings(store=url))
        try:
            assert await store.migrate()
        finally:
            await store.close()

    asyncio.run(migrate())
    yield url
    drop_keyspace(cassandra_contact, keyspace)


@pytest.fixture(params=ENGINES)
def store_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "memory":
        return Settings(store="memory://here")
    if request.param == "sqlite":
        return Settings(store=f"sqlite://{tmp_path / 'store.db'}")
    return Settings(store=request.getfixturevalue("cassandra_store_url"))


@pytest.fixture
async def store(store_settings: Settings) -> AsyncIterator[Store]:
    opened = await open_store(store_settings)
    if not store_settings.store_url.startswith("cassandra"):
        await opened.migrate()
    yield opened
    await opened.close()


@pytest.fixture
async def other(store_settings: Settings, store: Store) -> AsyncIterator[Store]:
    """The same data through another connection, as another process has it."""
    if store_settings.store_url.startswith("memory"):
        yield store
        return
    opened = await open_store(store_settings)
    yield opened
    await opened.close()
