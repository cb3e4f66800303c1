"""Every CQL statement that is run; each is prepared once. Tables: ``schemas/cql``."""

from __future__ import annotations

from typing import Final

APPEND: Final = "INSERT INTO event (stream, bucket, version, id, body) VALUES (?, ?, ?, ?, ?) IF NOT EXISTS"
EVENT_IDS: Final = (
    "SELECT version, id FROM event WHERE stream = ? AND bucket = ? AND version >= ? AND version <= ?"
)
EVENTS_AFTER: Final = (
    "SELECT version, body FROM event WHERE stream = ? AND bucket = ? AND version > ? LIMIT ?"
)
LAST_EVENT: Final = "SELECT version FROM event WHERE stream = ? AND bucket = ? ORDER BY version DESC LIMIT 1"
ADD_STREAM: Final = "INSERT INTO stream (category, shard, project, stream) VALUES (?, ?, ?, ?)"
STREAMS: Final = "SELECT stream FROM stream WHERE category = ? AND shard = ?"
STREAMS_OF_PROJECT: Final = "SELECT stream FROM stream WHERE category = ? AND shard = ? AND project = ?"
SAVE_SNAPSHOT: Final = (
    "INSERT INTO snapshot (stream, schema_version, version, state) VALUES (?, ?, ?, ?) USING TIMESTAMP ?"
)
LOAD_SNAPSHOT: Final = "SELECT version, state FROM snapshot WHERE stream = ? AND schema_version = ?"

PUT_FACT: Final = (
    "INSERT INTO fact (project, kind, scope, key, body) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?"
)
HAS_FACT: Final = "SELECT key FROM fact WHERE project = ? AND kind = ? AND scope = ? AND key = ?"
FACT: Final = "SELECT body FROM fact WHERE project = ? AND kind = ? AND scope = ? AND key = ?"
FACTS: Final = "SELECT key, body FROM fact WHERE project = ? AND kind = ? AND scope = ? LIMIT ?"
COUNT_FACTS: Final = "SELECT count(*) FROM fact WHERE project = ? AND kind = ? AND scope = ?"

SET_DEADLINE: Final = "INSERT INTO deadline (kind, key, due, body) VALUES (?, ?, ?, ?) USING TIMESTAMP ?"
DEADLINE: Final = "SELECT due, body, writetime(due) FROM deadline WHERE kind = ? AND key = ?"
CLEAR_DEADLINE: Final = "DELETE FROM deadline USING TIMESTAMP ? WHERE kind = ? AND key = ?"
SET_DEADLINE_AT: Final = (
    "INSERT INTO deadline_at (kind, hour, shard, key, due) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?"
)
DEADLINES_AT: Final = (
    "SELECT key, due, writetime(due) FROM deadline_at WHERE kind = ? AND hour = ? AND shard = ?"
)
CLEAR_DEADLINE_AT: Final = (
    "DELETE FROM deadline_at USING TIMESTAMP ? WHERE kind = ? AND hour = ? AND shard = ? AND key = ?"
)

MARK_BUCKET: Final = "INSERT INTO bucket (purpose, number) VALUES (?, ?) USING TIMESTAMP ?"
BUCKETS: Final = "SELECT number FROM bucket WHERE purpose = ? AND number <= ?"
RETIRE_BUCKET: Final = "DELETE FROM bucket USING TIMESTAMP ? WHERE purpose = ? AND number = ?"

LEASE: Final = "SELECT owner, fencing, expires FROM lease WHERE resource = ?"
FIRST_LEASE: Final = "INSERT INTO lease (resource, owner, fencing, expires) VALUES (?, ?, ?, ?) IF NOT EXISTS"
TAKE_LEASE: Final = (
    "UPDATE lease SET owner = ?, fencing = ?, expires = ? WHERE resource = ?"
    " IF owner = ? AND fencing = ? AND expires = ?"
)

OPEN_JOB: Final = "INSERT INTO job (project, job, opened, body, closed) VALUES (?, ?, ?, ?, ?) IF NOT EXISTS"
CLOSE_JOB: Final = "UPDATE job SET closed = true WHERE project = ? AND job = ? IF closed = false"
JOB: Final = "SELECT opened, body, closed FROM job WHERE project = ? AND job = ?"
LIST_JOB: Final = "INSERT INTO job_open (day, shard, project, job, opened) VALUES (?, ?, ?, ?, ?)"
UNLIST_JOB: Final = "DELETE FROM job_open WHERE day = ? AND shard = ? AND project = ? AND job = ?"
JOBS_OPEN: Final = "SELECT project, job, opened FROM job_open WHERE day = ? AND shard = ?"

PUT_ROW: Final = (
    "INSERT INTO view_row (view_name, generation, project, scope, key, version, body)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?"
)
DELETE_ROW: Final = (
    "DELETE FROM view_row USING TIMESTAMP ?"
    " WHERE view_name = ? AND generation = ? AND project = ? AND scope = ? AND key = ?"
)
_GENERATION: Final = "SELECT key, version, body FROM view_row WHERE view_name = ? AND generation = ?"
_ROWS: Final = _GENERATION + " AND project = ? AND scope = ?"
ROW: Final = _ROWS + " AND key = ?"
ROWS: Final = _ROWS + " LIMIT ?"
ROWS_AFTER: Final = _ROWS + " AND key > ? LIMIT ?"
ROWS_DESCENDING: Final = _ROWS + " ORDER BY key DESC LIMIT ?"
ROWS_BEFORE: Final = _ROWS + " AND key < ? ORDER BY key DESC LIMIT ?"
ADD_SCOPE: Final = "INSERT INTO view_scope (view_name, generation, project, scope) VALUES (?, ?, ?, ?)"
SCOPES: Final = "SELECT project, scope FROM view_scope WHERE view_name = ? AND generation = ?"
ANY_ROW: Final = _ROWS + " LIMIT 1"
DROP_SCOPE: Final = (
    "DELETE FROM view_row USING TIMESTAMP ?"
    " WHERE view_name = ? AND generation = ? AND project = ? AND scope = ?"
)
DROP_SCOPES: Final = "DELETE FROM view_scope WHERE view_name = ? AND generation = ?"
GENERATIONS: Final = "SELECT active, building, last FROM view_generation WHERE view_name = ?"
FIRST_GENERATIONS: Final = (
    "INSERT INTO view_generation (view_name, active, building, last) VALUES (?, ?, ?, ?) IF NOT EXISTS"
)
SET_GENERATIONS: Final = (
    "UPDATE view_generation SET active = ?, building = ?, last = ? WHERE view_name = ?"
    " IF active = ? AND building = ? AND last = ?"
)

RECORD: Final = "SELECT version, body, writer FROM record WHERE kind = ? AND key = ?"
RECORDS: Final = "SELECT key, version, body FROM record WHERE kind = ? LIMIT ?"
NEW_RECORD: Final = (
    "INSERT INTO record (kind, key, version, body, writer) VALUES (?, ?, ?, ?, ?) IF NOT EXISTS USING TTL ?"
)
SET_RECORD: Final = (
    "UPDATE record USING TTL ? SET version = ?, body = ?, writer = ? WHERE kind = ? AND key = ?"
    " IF version = ? AND writer = ?"
)
DELETE_RECORD: Final = "DELETE FROM record WHERE kind = ? AND key = ? IF EXISTS"
