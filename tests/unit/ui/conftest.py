"""A ui process in this one, over a store in memory."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher
from prometheus_client import CollectorRegistry

from streams.blobs import Blobs
from streams.clock import utc_now
from streams.settings import Settings
from streams.store.memory.store import MemoryStore
from tests.unit.ui.serving import NOW, PASSWORD, Bus
from ui.auth.accounts import Accounts
from ui.auth.limit import LoginLimit
from ui.auth.sessions import Sessions
from ui.backend import Backend
from ui.live.hub import Hub
from ui.server import build
from ui.subjects.texts import open_texts


@pytest.fixture
async def backend(tmp_path):
    store, bus = MemoryStore(), Bus()
    await store.migrate()
    settings = Settings(data=str(tmp_path), http_port=1)
    backend = Backend(
        settings=settings,
        store=store,
        producer=bus,
        blobs=Blobs(tmp_path / "blobs"),
        accounts=Accounts(store.records, hasher=PasswordHasher(time_cost=1, memory_cost=64)),
        sessions=Sessions(store.records, utc_now),
        limit=LoginLimit(store.records, utc_now),
        texts=await open_texts(settings, store.records),
        hub=Hub(store, lambda: bus, "default", CollectorRegistry()),
        clock=utc_now,
    )
    await backend.accounts.add("ana", "Ana Kim", PASSWORD, ["member"], NOW)
    return backend


@pytest.fixture
async def client(backend):
    relaying = asyncio.create_task(backend.hub.run())
    async with TestClient(TestServer(build(backend, CollectorRegistry()))) as client:
        yield client
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)
