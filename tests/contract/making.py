"""Synthetic events for the suites of this folder."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import msgspec
import pytest
from cassandra.cluster import Cluster

from schemas.envelope import Event, sequence_of
from schemas.feed import CommentPosted
from schemas.make import first

ENGINES = ["memory", "sqlite", pytest.param("cassandra", marks=pytest.mark.real)]
"""The stores over which the one contract suite runs."""

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def new_project() -> str:
    """A project that no other test has, so that tests may share tables."""
    return f"p{uuid.uuid4().hex[:12]}"


def new_keyspace() -> str:
    return f"chips_{uuid.uuid4().hex[:16]}"


def drop_keyspace(contact: str, keyspace: str) -> None:
    host, _, port = contact.rpartition(":")
    cluster = Cluster([host], port=int(port), control_connection_timeout=20)
    try:
        cluster.connect().execute(f"DROP KEYSPACE IF EXISTS {keyspace}", timeout=60)
    finally:
        cluster.shutdown()


def new_stream(category: str = "feed", project: str = "default") -> str:
    return f"{category}/{project}/{uuid.uuid4()}"


def event(stream: str, version: int, text: str = "Grüße, 画像, 🩻") -> Event:
    made = first(
        CommentPosted(comment=str(uuid.uuid4()), text=text),
        event_id=str(uuid.uuid4()),
        source="/chips/tests",
        subject=stream,
        time=NOON,
        authtype="app_user",
        authid="u-1",
    )
    return msgspec.structs.replace(made, sequence=sequence_of(version))


def events(stream: str, after: int, count: int) -> list[Event]:
    return [event(stream, version) for version in range(after + 1, after + count + 1)]
