"""Facts, deadlines, leases and open jobs in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from streams.store.api import Deadline, Fact, Lease, OpenJob
from streams.store.leasing import acquired, is_held, released


class MemoryFacts:
    """Facts by scope and key."""

    def __init__(self) -> None:
        self._scopes: dict[tuple[str, str, str], dict[str, Fact]] = {}

    async def put(self, facts: Sequence[Fact]) -> None:
        """Write facts that are not there."""
        for fact in facts:
            self._scopes.setdefault((fact.project, fact.kind, fact.scope), {}).setdefault(fact.key, fact)

    async def has(self, project: str, kind: str, scope: str, key: str) -> bool:
        """Tell whether a fact is there."""
        return key in self._scopes.get((project, kind, scope), {})

    async def get(self, project: str, kind: str, scope: str, key: str) -> Fact | None:
        """Give a fact."""
        return self._scopes.get((project, kind, scope), {}).get(key)

    async def all(self, project: str, kind: str, scope: str) -> list[Fact]:
        """Give the facts of a scope by key."""
        return [fact for _, fact in sorted(self._scopes.get((project, kind, scope), {}).items())]

    async def count(self, project: str, kind: str, scope: str) -> int:
        """Count the facts of a scope."""
        return len(self._scopes.get((project, kind, scope), {}))


class MemoryDeadlines:
    """Deadlines by kind and key."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Deadline] = {}

    async def set(self, deadline: Deadline) -> None:
        """Set or move a deadline."""
        self._rows[deadline.kind, deadline.key] = deadline

    async def clear(self, kind: str, key: str, due: datetime) -> None:
        """Forget a deadline unless it was moved."""
        found = self._rows.get((kind, key))
        if found is not None and found.due == due:
            del self._rows[kind, key]

    async def due(self, kind: str, now: datetime, limit: int = 1000) -> list[Deadline]:
        """Give deadlines that have passed, the oldest first."""
        passed = [row for row in self._rows.values() if row.kind == kind and row.due <= now]
        return sorted(passed, key=lambda row: (row.due, row.key))[:limit]


class MemoryLeases:
    """Leases by resource."""

    def __init__(self) -> None:
        self._rows: dict[str, Lease] = {}

    async def acquire(self, resource: str, owner: str, now: datetime, expires: datetime) -> Lease | None:
        """Take a lease."""
        lease = acquired(self._rows.get(resource), resource, owner, now, expires)
        if lease is not None:
            self._rows[resource] = lease
        return lease

    async def renew(self, lease: Lease, expires: datetime) -> Lease | None:
        """Hold it longer."""
        if not is_held(self._rows.get(lease.resource), lease):
            return None
        renewed = Lease(lease.resource, lease.owner, lease.fencing, expires)
        self._rows[lease.resource] = renewed
        return renewed

    async def release(self, lease: Lease) -> None:
        """Give it back."""
        if is_held(self._rows.get(lease.resource), lease):
            self._rows[lease.resource] = released(lease)

    async def holder(self, resource: str) -> Lease | None:
        """Give the last lease."""
        return self._rows.get(resource)


class MemoryJobs:
    """Open jobs, and the names of those that are closed."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], OpenJob] = {}
        self._closed: set[tuple[str, str]] = set()

    async def open(self, job: OpenJob) -> None:
        """Write the row."""
        if (job.project, job.job) not in self._closed:
            self._open.setdefault((job.project, job.job), job)

    async def close(self, project: str, job: str) -> None:
        """Take the row out."""
        self._closed.add((project, job))
        self._open.pop((project, job), None)

    async def list(self, limit: int = 1000) -> list[OpenJob]:
        """Give open jobs, the oldest first."""
        return sorted(self._open.values(), key=lambda row: (row.opened, row.project, row.job))[:limit]
