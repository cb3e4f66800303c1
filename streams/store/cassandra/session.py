"""The driver, made awaitable: prepared statements, bounded requests in flight, errors of our families.

Reads and writes at LOCAL_QUORUM, conditions at LOCAL_SERIAL. The driver never retries by itself: whether a
write that was not answered took place is decided by whoever wrote it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from cassandra import ConsistencyLevel, DriverException, InvalidRequest
from cassandra.cluster import Cluster, NoHostAvailable, Session
from cassandra.connection import ConnectionException
from cassandra.query import BatchStatement, BatchType, PreparedStatement, SimpleStatement

from streams.errors import Rejected, Unavailable

IN_FLIGHT = 128
"""Requests that one process has under way; more callers wait in their own task."""

SERIAL = "serial"
"""Execution profile of reads that must see every condition's outcome."""

DRIVER_ERRORS = (DriverException, NoHostAvailable, ConnectionException)

Row = tuple[Any, ...]


class CassandraSession:
    """One cluster, one keyspace, as awaitables."""

    def __init__(self, cluster: Cluster, session: Session, keyspace: str) -> None:
        self._cluster = cluster
        self._session = session
        self.keyspace = keyspace
        self._prepared: dict[str, PreparedStatement] = {}
        self._preparing = asyncio.Lock()
        self._room = asyncio.Semaphore(IN_FLIGHT)

    async def run(self, statement: str, *values: Any) -> list[Row]:
        """Run a prepared statement at LOCAL_QUORUM and give its rows.

        Raises
        ------
        Unavailable
            When it was not confirmed in time; a write may have taken place.
        """
        return await self._execute((await self._prepare(statement)).bind(values))

    async def run_serial(self, statement: str, *values: Any) -> list[Row]:
        """Read at LOCAL_SERIAL: sees every conditional write that took place, finishing those half done."""
        return await self._execute((await self._prepare(statement)).bind(values), SERIAL)

    async def run_all(self, statement: str, rows: Sequence[Sequence[Any]]) -> list[list[Row]]:
        """Run a statement for each row of values, a bounded number at a time; give their results in order."""
        results: list[list[Row]] = []
        for start in range(0, len(rows), IN_FLIGHT):
            chunk = rows[start : start + IN_FLIGHT]
            results += await asyncio.gather(*(self.run(statement, *values) for values in chunk))
        return results

    async def applied(self, statement: str, *values: Any) -> bool:
        """Run a conditional statement; tell whether its condition held."""
        return _applied(await self.run(statement, *values))

    async def applied_together(self, statement: str, rows: Sequence[Sequence[Any]]) -> bool:
        """Run a conditional statement for each row of values, all or none, in one partition."""
        prepared = await self._prepare(statement)
        batch = BatchStatement(
            BatchType.UNLOGGED,
            consistency_level=ConsistencyLevel.LOCAL_QUORUM,
            serial_consistency_level=ConsistencyLevel.LOCAL_SERIAL,
        )
        for values in rows:
            batch.add(prepared.bind(values))
        return _applied(await self._execute(batch))

    async def run_unprepared(self, text: str, *values: Any, keyspace: str | None = None) -> list[Row]:
        """Run what `migrate` runs once: definitions of tables and questions about them."""
        return await self._execute(SimpleStatement(text, keyspace=keyspace), values=values)

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.to_thread(self._cluster.shutdown)

    async def _prepare(self, statement: str) -> PreparedStatement:
        found = self._prepared.get(statement)
        if found is None:
            async with self._preparing:
                found = self._prepared.get(statement)
                if found is None:
                    try:
                        found = await asyncio.to_thread(self._session.prepare, statement, None, self.keyspace)
                    except DRIVER_ERRORS as error:
                        raise explain(error) from error
                    self._prepared[statement] = found
        return found

    async def _execute(
        self, statement: Any, profile: str | None = None, values: Sequence[Any] = ()
    ) -> list[Row]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[list[Row]] = loop.create_future()
        rows: list[Row] = []

        def settle(error: Exception | None) -> None:
            if done.done():  # its task was cancelled
                return
            if error is None:
                done.set_result(rows)
            else:
                done.set_exception(explain(error))

        def tell(error: Exception | None = None) -> None:
            try:
                loop.call_soon_threadsafe(settle, error)
            except RuntimeError:  # the loop is closed: nobody waits any more
                return

        async with self._room:
            options = {} if profile is None else {"execution_profile": profile}
            response = self._session.execute_async(statement, values or None, **options)

            def page(found: list[Row] | None) -> None:  # in the driver's thread
                rows.extend(found or [])
                if response.has_more_pages:
                    response.start_fetching_next_page()
                else:
                    tell()

            response.add_callbacks(callback=page, errback=tell)
            return await done


def _applied(rows: Sequence[Row]) -> bool:
    """Tell from a conditional statement's answer, whose first column is ``[applied]``."""
    return bool(rows[0][0])


def explain(error: Exception) -> Exception:
    """Give the error of our families; a mistake in our own CQL stays what it is."""
    text = str(error)
    if isinstance(error, InvalidRequest) and ("unconfigured table" in text or "does not exist" in text):
        return Unavailable("The keyspace has no tables of CHIPS: run `chips migrate`")
    if isinstance(error, DRIVER_ERRORS) and not isinstance(error, InvalidRequest):
        if "AuthenticationFailed" in text or "Unauthorized" in type(error).__name__:
            return Rejected("Cassandra refuses these credentials: correct CHIPS_CASSANDRA_CREDENTIALS_FILE")
        return Unavailable(f"Cassandra does not answer: {type(error).__name__}")
    return error
