"""What a store is. Implementations: `memory` (tests), `sqlite` (one machine), `cassandra` (many)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec

from schemas.envelope import Event

MAX_APPEND = 32
"""Events in one append: it is one conditional batch in one partition."""

BUCKET = 10_000
"""Events in one partition of a stream; an append stays in the bucket of its first event, so that all who
race from one version meet in one partition."""


class Appended(NamedTuple):
    """What an append did: the stream's version after it, and whether this very append was there already."""

    version: int
    repeated: bool


class EventStore(Protocol):
    """Append-only streams under (stream, version), compare-and-set. Versions begin at 1."""

    async def append(self, stream: str, expected: int, events: Sequence[Event]) -> Appended:
        """Append all or nothing. `events` carry sequence expected+1, expected+2, ….

        Repeating the same append (same ids at the same versions) succeeds and says `repeated`.

        Raises
        ------
        streams.errors.Conflict
            When the stream is not at `expected` (another writer was first), or beyond it (a gap).
        streams.errors.Unavailable
            When the store is away. The append may have happened; repeat it.
        ValueError
            When events are empty, more than `MAX_APPEND`, or their sequences do not follow `expected`.
        """
        ...

    def read(self, stream: str, *, after: int = 0, limit: int | None = None) -> AsyncIterator[Event]:
        """Yield events with version > `after`, in order, without gap, at most `limit`."""
        ...

    async def version(self, stream: str) -> int:
        """Give the version of a stream; 0 when it has no events."""
        ...

    def streams(self, category: str, project: str | None = None) -> AsyncIterator[str]:
        """Yield the ids of all streams of a category (``feed``, ``job``, ``series``), in no order.

        A stream whose first append failed may be among them, with version 0.
        """
        ...

    async def save_snapshot(self, stream: str, version: int, schema: int, state: bytes) -> None:
        """Keep a state as a cache; an older one is forgotten."""
        ...

    async def load_snapshot(self, stream: str, schema: int) -> tuple[int, bytes] | None:
        """Give (version, state) of the newest snapshot written with this schema number."""
        ...


class Fact(msgspec.Struct, frozen=True):
    """A fact row: immutable content under a deterministic key; writing it again changes nothing."""

    project: str
    kind: str
    scope: str
    key: str
    body: bytes


class Facts(Protocol):
    """High-rate facts: plain upserts, counted as sets."""

    async def put(self, facts: Sequence[Fact]) -> None:
        """Write facts; durable when it returns. One that is there already stays as it is: the first wins."""
        ...

    async def has(self, project: str, kind: str, scope: str, key: str) -> bool:
        """Tell whether a fact is there."""
        ...

    async def get(self, project: str, kind: str, scope: str, key: str) -> Fact | None:
        """Give a fact."""
        ...

    async def all(self, project: str, kind: str, scope: str) -> list[Fact]:
        """Give all facts of a scope, ordered by key (at most 200,000)."""
        ...

    async def count(self, project: str, kind: str, scope: str) -> int:
        """Count the facts of a scope."""
        ...


class Deadline(msgspec.Struct, frozen=True):
    """Something to look at when `due` has passed."""

    kind: str
    key: str
    due: datetime
    body: bytes


class Deadlines(Protocol):
    """Deadlines in bucketed tables: nothing depends on a process that remembers."""

    async def set(self, deadline: Deadline) -> None:
        """Set or move the deadline of (kind, key); the last one set counts."""
        ...

    async def clear(self, kind: str, key: str, due: datetime) -> None:
        """Forget a deadline, unless it was moved from `due` meanwhile."""
        ...

    async def due(self, kind: str, now: datetime, limit: int = 1000) -> list[Deadline]:
        """Give deadlines that have passed, the oldest first."""
        ...


class Lease(msgspec.Struct, frozen=True):
    """The right to work on a resource until `expires`; `fencing` grows with each owner."""

    resource: str
    owner: str
    fencing: int
    expires: datetime


class Leases(Protocol):
    """Leases by compare-and-set."""

    async def acquire(self, resource: str, owner: str, now: datetime, expires: datetime) -> Lease | None:
        """Take a lease that is free, expired or one's own (same fencing); None when another holds it."""
        ...

    async def renew(self, lease: Lease, expires: datetime) -> Lease | None:
        """Hold it longer; None when it was lost."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give it back, if it is still one's own. The fencing number stays, its owner is "" from then on."""
        ...

    async def holder(self, resource: str) -> Lease | None:
        """Give the last lease of a resource, expired or not."""
        ...


class OpenJob(msgspec.Struct, frozen=True):
    """A job that is not ended; `body` is its encoded work order."""

    project: str
    job: str
    opened: datetime
    body: bytes


class OpenJobs(Protocol):
    """Jobs that are not ended, for runners to find."""

    async def open(self, job: OpenJob) -> None:
        """Write the row; again changes nothing, also after `close`."""
        ...

    async def close(self, project: str, job: str) -> None:
        """Take the row out of the list."""
        ...

    async def list(self, limit: int = 1000) -> list[OpenJob]:
        """Give open jobs, the oldest first."""
        ...


class Row(msgspec.Struct, frozen=True):
    """A row of a view: (view, project, scope, key), made from a stream's events up to `version`."""

    project: str
    scope: str
    key: str
    version: int
    body: bytes


class Views(Protocol):
    """Views: what pages read. A rebuild fills a generation of its own, then switches."""

    async def put(self, view: str, generation: int, rows: Sequence[Row]) -> None:
        """Write rows. A row with a lower version than the one there is not written (a late re-run loses)."""
        ...

    async def delete(self, view: str, generation: int, row: Row) -> None:
        """Take a row out, unless a newer version than `row.version` is there."""
        ...

    async def rows(
        self,
        view: str,
        project: str,
        scope: str,
        *,
        generation: int | None = None,
        after: str = "",
        limit: int = 10_000,
        descending: bool = False,
    ) -> list[Row]:
        """Give rows of a scope by key; of the active generation unless another is named.

        `after` is the last key of the page before: rows with greater keys follow, with lower ones when
        `descending`.
        """
        ...

    async def row(
        self, view: str, project: str, scope: str, key: str, *, generation: int | None = None
    ) -> Row | None:
        """Give one row."""
        ...

    async def scopes(self, view: str, generation: int) -> list[tuple[str, str]]:
        """Give every (project, scope) that has rows, for comparing."""
        ...

    async def active(self, view: str) -> int:
        """Give the generation that pages read; 1 when none was switched."""
        ...

    async def filling(self, view: str) -> list[int]:
        """Give the generations that projections write: the active one, and one being rebuilt."""
        ...

    async def begin(self, view: str) -> int:
        """Open a new generation for a rebuild; from now on projections write it too. Return its number.

        One that an earlier rebuild left unfinished is dropped.
        """
        ...

    async def activate(self, view: str, generation: int) -> None:
        """Let pages read this generation; the others are dropped."""
        ...

    async def drop(self, view: str, generation: int) -> None:
        """Forget a generation that is not active."""
        ...


class Stored(msgspec.Struct, frozen=True):
    """A mutable record with its version for compare-and-set."""

    key: str
    version: int
    body: bytes


class Records(Protocol):
    """What may change and is no part of history: accounts, sessions, attempts, source rules, format stamp."""

    async def get(self, kind: str, key: str) -> Stored | None:
        """Give a record that has not expired."""
        ...

    async def put(
        self, kind: str, key: str, body: bytes, *, expected: int | None = None, ttl_s: int | None = None
    ) -> int:
        """Write and return the new version. `expected`: 0 for a new one; None overwrites.

        Raises
        ------
        streams.errors.Conflict
            When the record is not at `expected`.
        """
        ...

    async def delete(self, kind: str, key: str) -> None:
        """Forget a record."""
        ...

    async def list(self, kind: str, limit: int = 10_000) -> list[Stored]:
        """Give the records of a kind, by key."""
        ...


class Store(Protocol):
    """All of it, on one connection."""

    @property
    def events(self) -> EventStore:
        """Streams and snapshots."""
        ...

    @property
    def facts(self) -> Facts:
        """High-rate facts."""
        ...

    @property
    def deadlines(self) -> Deadlines:
        """What to look at, and when."""
        ...

    @property
    def leases(self) -> Leases:
        """Who may work on what."""
        ...

    @property
    def jobs(self) -> OpenJobs:
        """Jobs that are not ended."""
        ...

    @property
    def views(self) -> Views:
        """What pages read."""
        ...

    @property
    def records(self) -> Records:
        """What may change and is no history."""
        ...

    async def migrate(self) -> list[str]:
        """Make or upgrade tables and stamp the format; return what was done. Only ``chips migrate`` calls it.

        Raises
        ------
        streams.errors.NewerFormat
            When a newer CHIPS wrote the data.
        """
        ...

    async def check(self) -> None:
        """Tell whether it answers and has our format.

        Raises
        ------
        streams.errors.Unavailable
            When it does not answer, or ``chips migrate`` has not run.
        streams.errors.NewerFormat
            When a newer CHIPS wrote the data.
        """
        ...

    async def close(self) -> None:
        """Let go."""
        ...
