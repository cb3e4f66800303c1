"""Opening the store that the settings name."""

from __future__ import annotations

from streams.clock import Clock, utc_now
from streams.errors import Misconfigured
from streams.settings import Settings
from streams.store.api import Store
from streams.store.memory.store import MemoryStore
from streams.store.sqlite.store import SqliteStore


async def open_store(settings: Settings, *, clock: Clock = utc_now) -> Store:
    """Open the store of ``CHIPS_STORE``; makes no tables.

    Raises
    ------
    streams.errors.Misconfigured
        When the setting names no store.
    streams.errors.Unavailable
        When Cassandra does not answer.
    """
    scheme, _, _ = settings.store_url.partition("://")
    if scheme == "memory":
        return MemoryStore(clock=clock)
    if scheme == "sqlite":
        return SqliteStore(settings.path("store"), clock=clock)
    if scheme == "cassandra":
        # Its driver takes a quarter of a second to import, which the embedded tier need not spend.
        from streams.store.cassandra.store import CassandraStore  # noqa: PLC0415 - see above

        return await CassandraStore.open(settings, clock)
    raise Misconfigured(
        f"CHIPS_STORE takes sqlite://FILE or cassandra://HOST:PORT,HOST:PORT/KEYSPACE, not {scheme}://"
    )
