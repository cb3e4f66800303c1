"""The store in Cassandra, put together, and its migration."""

from __future__ import annotations

from importlib import resources

from streams.clock import Clock, utc_now
from streams.settings import Settings
from streams.store.cassandra.connecting import connect
from streams.store.cassandra.deadlines import CassandraDeadlines
from streams.store.cassandra.events import CassandraEvents
from streams.store.cassandra.facts import CassandraFacts
from streams.store.cassandra.jobs import CassandraJobs
from streams.store.cassandra.leases import CassandraLeases
from streams.store.cassandra.records import CassandraRecords
from streams.store.cassandra.session import CassandraSession
from streams.store.cassandra.timestamps import Ticker
from streams.store.cassandra.views import CassandraViews
from streams.store.stamp import KEY, KIND, check_stamp, steps, write_stamp

CQL = resources.files("schemas") / "cql"
"""A file for each format, of the statements that lead to it."""


class CassandraStore:
    """Everything in one keyspace."""

    def __init__(self, session: CassandraSession, settings: Settings, clock: Clock) -> None:
        ticker = Ticker()
        self._session = session
        self._settings = settings
        self._clock = clock
        self.events = CassandraEvents(session, ticker)
        self.facts = CassandraFacts(session, ticker)
        self.deadlines = CassandraDeadlines(session, ticker)
        self.leases = CassandraLeases(session)
        self.jobs = CassandraJobs(session, ticker, clock)
        self.views = CassandraViews(session, ticker)
        self.records = CassandraRecords(session)

    @classmethod
    async def open(cls, settings: Settings, clock: Clock = utc_now) -> CassandraStore:
        """Connect; makes no tables.

        Raises
        ------
        streams.errors.Rejected
            When the settings are wrong, or the credentials refused.
        streams.errors.Unavailable
            When no contact point answers.
        """
        return cls(await connect(settings), settings, clock)

    async def migrate(self) -> list[str]:
        """Make or upgrade keyspace and tables, step by step, each followed by its stamp.

        Tables have no transactions: a step that was broken off is taken again from its beginning, and so
        each of its statements must take no harm from having been run (``IF NOT EXISTS``).
        """
        done = await self._make_keyspace()
        found = await self.records.get(KIND, KEY) if await self._has_table("record") else None
        todo = steps(found)
        for step in todo:
            for statement in definitions(step):
                await self._session.run_unprepared(statement, keyspace=self._session.keyspace)
            await write_stamp(self.records, step, self._clock())
            done.append(f"store format {step}")
        return done

    async def check(self) -> None:
        """Tell whether it answers and has our format."""
        await check_stamp(self.records)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def _make_keyspace(self) -> list[str]:
        name = self._session.keyspace
        if await self._session.run_unprepared(
            "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = %s", name
        ):
            return []
        # Both names were checked when they were read; replication is a literal in CQL, no parameter.
        await self._session.run_unprepared(
            f"CREATE KEYSPACE IF NOT EXISTS {name} WITH replication = {{'class': 'NetworkTopologyStrategy', "
            f"'{self._settings.cassandra_datacenter}': {self._settings.cassandra_replication}}}"
        )
        return [f"keyspace {name}"]

    async def _has_table(self, table: str) -> bool:
        rows = await self._session.run_unprepared(
            "SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s AND table_name = %s",
            self._session.keyspace,
            table,
        )
        return bool(rows)


def definitions(step: int) -> list[str]:
    """Give the statements of ``schemas/cql`` that lead to a format."""
    (file,) = [entry for entry in CQL.iterdir() if entry.name.startswith(f"{step:04d}_")]
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("--")]
    return [statement.strip() for statement in "\n".join(lines).split(";") if statement.strip()]
