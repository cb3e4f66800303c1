"""The tables, by format: what `migrate` runs to come from one format to the next."""

from __future__ import annotations

from typing import Final

MIGRATIONS: Final[dict[int, tuple[str, ...]]] = {
    1: (
        # Rows stay in the order of writing, so that an append touches the file's end only; bodies of more
        # than a quarter page would make a clustered index (WITHOUT ROWID) slow.
        """CREATE TABLE event(
             stream TEXT NOT NULL, version INTEGER NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL)""",
        "CREATE UNIQUE INDEX event_version ON event(stream, version)",
        """CREATE TABLE stream(
             category TEXT NOT NULL, project TEXT NOT NULL, stream TEXT NOT NULL,
             PRIMARY KEY(category, project, stream)) WITHOUT ROWID""",
        """CREATE TABLE snapshot(
             stream TEXT NOT NULL, schema INTEGER NOT NULL, version INTEGER NOT NULL, state BLOB NOT NULL,
             PRIMARY KEY(stream, schema))""",
        """CREATE TABLE fact(
             project TEXT NOT NULL, kind TEXT NOT NULL, scope TEXT NOT NULL, key TEXT NOT NULL,
             body BLOB NOT NULL, PRIMARY KEY(project, kind, scope, key))""",
        """CREATE TABLE deadline(
             kind TEXT NOT NULL, key TEXT NOT NULL, due INTEGER NOT NULL, body BLOB NOT NULL,
             PRIMARY KEY(kind, key)) WITHOUT ROWID""",
        "CREATE INDEX deadline_due ON deadline(kind, due)",
        """CREATE TABLE lease(
             resource TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, fencing INTEGER NOT NULL,
             expires INTEGER NOT NULL) WITHOUT ROWID""",
        """CREATE TABLE job(
             project TEXT NOT NULL, job TEXT NOT NULL, opened INTEGER NOT NULL, body BLOB NOT NULL,
             closed INTEGER NOT NULL, PRIMARY KEY(project, job))""",
        "CREATE INDEX job_open ON job(opened) WHERE closed = 0",
        """CREATE TABLE view_row(
             view TEXT NOT NULL, generation INTEGER NOT NULL, project TEXT NOT NULL, scope TEXT NOT NULL,
             key TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL,
             PRIMARY KEY(view, generation, project, scope, key))""",
        """CREATE TABLE view(
             view TEXT NOT NULL PRIMARY KEY, active INTEGER NOT NULL, building INTEGER NOT NULL,
             last INTEGER NOT NULL) WITHOUT ROWID""",
        """CREATE TABLE record(
             kind TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL,
             expires INTEGER, PRIMARY KEY(kind, key))""",
        "CREATE INDEX record_expires ON record(expires) WHERE expires IS NOT NULL",
    ),
}
