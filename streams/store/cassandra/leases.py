"""Leases in Cassandra: read at LOCAL_SERIAL, decide, write if nothing changed meanwhile."""

from __future__ import annotations

from datetime import datetime

from streams.errors import Unavailable
from streams.store.api import Lease
from streams.store.cassandra import statements as cql
from streams.store.cassandra.session import CassandraSession
from streams.store.leasing import acquired, is_held, released
from streams.store.times import from_us, to_us

TRIES = 4
"""How often a decision is made anew when another writer was first."""


class CassandraLeases:
    """The table lease."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session

    async def acquire(self, resource: str, owner: str, now: datetime, expires: datetime) -> Lease | None:
        """Take a lease."""
        for _ in range(TRIES):
            found = await self.holder(resource)
            lease = acquired(found, resource, owner, now, expires)
            if lease is None or await self._replace(found, lease):
                return lease
        return None

    async def renew(self, lease: Lease, expires: datetime) -> Lease | None:
        """Hold it longer."""
        renewed = Lease(lease.resource, lease.owner, lease.fencing, expires)
        for _ in range(TRIES):
            found = await self.holder(lease.resource)
            if not is_held(found, lease):
                return None
            if await self._replace(found, renewed):
                return renewed
        raise Unavailable(f"The lease {lease.resource} is being changed by others: try again")

    async def release(self, lease: Lease) -> None:
        """Give it back."""
        for _ in range(TRIES):
            found = await self.holder(lease.resource)
            if not is_held(found, lease) or await self._replace(found, released(lease)):
                return
        raise Unavailable(f"The lease {lease.resource} is being changed by others: try again")

    async def holder(self, resource: str) -> Lease | None:
        """Give the last lease."""
        rows = await self._session.run_serial(cql.LEASE, resource)
        if not rows:
            return None
        owner, fencing, expires = rows[0]
        return Lease(resource, owner, fencing, from_us(expires))

    async def _replace(self, found: Lease | None, lease: Lease) -> bool:
        """Write a lease in place of what was found; False when that is there no more."""
        new = (lease.owner, lease.fencing, to_us(lease.expires))
        try:
            if found is None:
                return await self._session.applied(cql.FIRST_LEASE, lease.resource, *new)
            old = (found.owner, found.fencing, to_us(found.expires))
            return await self._session.applied(cql.TAKE_LEASE, *new, lease.resource, *old)
        except Unavailable:
            # It may have taken place: an owner's name and fencing number are nobody else's.
            if await self.holder(lease.resource) == lease:
                return True
            raise
