"""What a run knows of its files, on disk instead of in memory: a scratch database. An adapter.

It lies beside the manifest, as private as that, and is removed at the end; what lasts is the manifest. A
killed run's is thrown away. One thread uses it.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from agents.anonymization.files.entries import Entry, Stamp, as_line, from_line
from agents.anonymization.files.known import Named
from agents.anonymization.files.objects import Found
from agents.anonymization.files.tasks import Staged
from agents.anonymization.report.comparing import Change
from streams.errors import Unavailable

_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE before (path BLOB PRIMARY KEY, failed, line BLOB) WITHOUT ROWID;
CREATE TABLE found (
    path BLOB PRIMARY KEY, bytes, modified, patient, study, series, instance, modality, sop_class
) WITHOUT ROWID;
CREATE INDEX by_series ON found (study, series, path);
CREATE INDEX by_instance ON found (instance, path);
CREATE TABLE entry (path BLOB PRIMARY KEY, result, reason, tools, line BLOB) WITHOUT ROWID;
CREATE TABLE winner (instance PRIMARY KEY, path BLOB) WITHOUT ROWID;
CREATE TABLE known (
    study, charset BLOB, parent, tag, value BLOB, PRIMARY KEY (study, charset, parent, tag, value)
) WITHOUT ROWID;
CREATE TABLE staged (path BLOB PRIMARY KEY, partial, tools) WITHOUT ROWID;
CREATE TABLE compared (path BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE profile (id INTEGER PRIMARY KEY, changes TEXT UNIQUE);
CREATE TABLE profiled (folder, profile, objects, PRIMARY KEY (folder, profile)) WITHOUT ROWID;
"""
_COLUMNS = "f.path, f.bytes, f.modified, f.patient, f.study, f.series, f.instance, f.modality, f.sop_class"


class Due(NamedTuple):
    """An object that has no result yet; `winner`: the input of the same instance that came out."""

    found: Found
    winner: str | None


class Standing(NamedTuple):
    """An object that came out, and its line."""

    found: Found
    entry: Entry


class Index:
    """A scratch database at `path`, made anew.

    Raises
    ------
    streams.errors.Unavailable
        From any method, when the disk is full or broken.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.unlink(missing_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        self._db = sqlite3.connect(path, isolation_level=None)
        with _told(path):
            self._db.executescript(_TABLES)
            self._db.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._db.close()
        self._path.unlink(missing_ok=True)

    # -- what the manifest said before

    def add_before(self, entry: Entry) -> None:
        """Note a line of the manifest; a later one of the same input counts."""
        row = os.fsencode(entry.input), entry.result == "failed", as_line(entry)
        self._run("INSERT OR REPLACE INTO before VALUES (?, ?, ?)", *row)

    def before(self, path: str) -> Entry | None:
        """Give what the manifest said of an input."""
        row = self._one("SELECT line FROM before WHERE path = ?", os.fsencode(path))
        return from_line(row[0]) if row else None

    def all_before(self) -> Iterator[Entry]:
        """Yield all that the manifest said."""
        return (from_line(row[0]) for row in self.rows("SELECT line FROM before"))

    def missing(self) -> int:
        """Count inputs that had a result and have none now; what failed had none."""
        return self._number(
            "SELECT COUNT(*) FROM before WHERE NOT failed AND path NOT IN (SELECT path FROM entry)"
        )

    # -- what there is

    def add_found(self, found: Found, named: Iterable[Named]) -> None:
        """Note an object, and what it calls people."""
        path, stamp, *rest = found
        self._run("INSERT INTO found VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", os.fsencode(path), *stamp, *rest)
        rows = [(found.study, charset, parent or 0, tag, value) for charset, parent, tag, value in named]
        with _told(self._path):
            self._db.executemany("INSERT OR IGNORE INTO known VALUES (?, ?, ?, ?, ?)", rows)

    def known(self, study: str) -> list[Named]:
        """Give what the objects of a study call people."""
        rows = self.rows("SELECT charset, parent, tag, value FROM known WHERE study = ?", study)
        return [Named(charset, parent or None, tag, value) for charset, parent, tag, value in rows]

    def found(self) -> Iterator[Found]:
        """Yield all objects, by study, series and name."""
        rows = self.rows(f"SELECT {_COLUMNS} FROM found f ORDER BY study, series, path")  # noqa: S608 - no input
        return (_found(row) for row in rows)

    def objects(self) -> int:
        """Count objects."""
        return self._number("SELECT COUNT(*) FROM found")

    def due(self) -> Iterator[Due]:
        """Yield objects without a result, by study, series and name.

        Of those with the same instance, as long as none of them came out, only the next one: the others wait
        for what becomes of it. Results may be added meanwhile.
        """
        rows = self.rows(
            f"""
            SELECT {_COLUMNS}, w.path FROM found f LEFT JOIN winner w ON w.instance = f.instance
            WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.path = f.path)
            AND NOT EXISTS (SELECT 1 FROM staged s WHERE s.path = f.path)
            AND (w.path IS NOT NULL OR f.path = (
                SELECT g.path FROM found g WHERE g.instance = f.instance
                AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.path = g.path)
                ORDER BY g.path LIMIT 1
            ))
            ORDER BY f.study, f.series, f.path
            """  # noqa: S608 - no input
        )
        for *row, winner in rows:
            yield Due(_found(row), None if winner is None else os.fsdecode(winner))

    # -- what became of them

    def settle(self, entry: Entry, instance: str | None = None) -> None:
        """Note a result; `instance`, when it is the output of that."""
        tools = json.dumps(entry.tools)
        self._run(
            "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?)",
            os.fsencode(entry.input), entry.result, entry.reason, tools, as_line(entry),
        )  # fmt: skip
        self._run("DELETE FROM staged WHERE path = ?", os.fsencode(entry.input))
        if instance is not None and entry.result == "anonymized":
            self._run("INSERT OR REPLACE INTO winner VALUES (?, ?)", instance, os.fsencode(entry.input))

    def stage(self, staged: Staged) -> None:
        """Note an object that waits for the rest of its series."""
        path, tools = os.fsencode(staged.found.path), json.dumps(staged.tools)
        self._run("INSERT INTO staged VALUES (?, ?, ?)", path, staged.partial, tools)

    def staged(self) -> Iterator[tuple[Staged, ...]]:
        """Yield the objects that wait, series by series."""
        rows = self.rows(
            f"""
            SELECT {_COLUMNS}, s.partial, s.tools FROM staged s JOIN found f ON f.path = s.path
            ORDER BY f.study, f.series, f.path
            """  # noqa: S608 - no input
        )
        waiting = (Staged(_found(row), partial, tuple(json.loads(tools))) for *row, partial, tools in rows)
        for _, series in itertools.groupby(waiting, lambda one: (one.found.study, one.found.series)):
            yield tuple(series)

    def entries(self) -> Iterator[Entry]:
        """Yield a line an input, by its name; of inputs that are gone what the manifest said before.

        Of those that are gone and had failed nothing is left to account for.
        """
        rows = self.rows(
            """
            SELECT path, line FROM entry UNION ALL
            SELECT path, line FROM before b WHERE NOT failed
                AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.path = b.path)
            ORDER BY path
            """
        )
        return (from_line(row[1]) for row in rows)

    def outputs(self) -> Iterator[str]:
        """Yield the paths of outputs, below OUT."""
        rows = self.rows("SELECT line FROM entry WHERE result = 'anonymized' ORDER BY path")
        return (output for row in rows if (output := from_line(row[0]).output))

    # -- what was changed in them

    def add_changes(self, found: Found, changes: Iterable[Change]) -> None:
        """Note what was changed in an object; those of a series mostly have the same changes."""
        content = json.dumps(sorted(changes))
        self._run("INSERT INTO compared VALUES (?)", os.fsencode(found.path))
        self._run("INSERT OR IGNORE INTO profile (changes) VALUES (?)", content)
        self._run(
            "INSERT INTO profiled SELECT ?, id, 1 FROM profile WHERE changes = ? "
            "ON CONFLICT DO UPDATE SET objects = objects + 1",
            found.folder,
            content,
        )

    def uncompared(self) -> Iterator[Standing]:
        """Yield objects that came out whose changes were not noted, by study, series and name."""
        rows = self.rows(
            f"""
            SELECT {_COLUMNS}, e.line FROM found f JOIN entry e ON e.path = f.path
            WHERE e.result = 'anonymized'
            AND NOT EXISTS (SELECT 1 FROM compared c WHERE c.path = f.path)
            ORDER BY f.study, f.series, f.path
            """  # noqa: S608 - no input
        )
        return (Standing(_found(row), from_line(line)) for *row, line in rows)

    # -- small change

    def _run(self, sql: str, *values: object) -> None:
        with _told(self._path):
            self._db.execute(sql, values)

    def rows(self, sql: str, *values: object) -> Iterator[tuple[Any, ...]]:
        """Ask the database."""
        with _told(self._path):
            for row in self._db.execute(sql, values):  # noqa: UP028 - a cursor given up late has no database
                yield row

    def _one(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        return next(self.rows(sql, *values), None)

    def _number(self, sql: str) -> int:
        return int((self._one(sql) or (0,))[0])


def _found(row: Iterable[Any]) -> Found:
    path, size, modified, *rest = row
    return Found(os.fsdecode(path), Stamp(size, modified), *rest)


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise Unavailable(
            f"The scratch file {path} can't be written: {error}. See to its disk and run the same command "
            "again: it goes on where it was."
        ) from error
