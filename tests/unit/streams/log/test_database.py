from __future__ import annotations

import sqlite3

import pytest

from streams.errors import NewerFormat, Unavailable
from streams.log.admin import LogAdmin
from streams.log.database import connect, create, create_all
from streams.log.formats import DURABLE, FORMAT, INNER, LIVE
from streams.log.logs import Logs


def test_durable_topics_are_fsynced_at_each_commit_and_live_ones_never(tmp_path):
    create_all(tmp_path)
    for file, expected in ((INNER, 2), (DURABLE, 2), (LIVE, 0)):
        db = connect(tmp_path, file)
        assert db.execute("PRAGMA synchronous").fetchone() == (expected,)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        db.close()


@pytest.mark.parametrize("file", [DURABLE, LIVE])
def test_a_newer_format_is_refused_and_left_alone(tmp_path, file):
    create_all(tmp_path)
    with sqlite3.connect(tmp_path / file) as db:
        db.execute(f"PRAGMA user_version={FORMAT + 1}")
    with pytest.raises(NewerFormat, match="newer CHIPS"):
        Logs(tmp_path)
    with pytest.raises(NewerFormat):
        create(tmp_path, file)
    with sqlite3.connect(tmp_path / file) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (FORMAT + 1,)


def test_one_newer_file_keeps_migrate_from_touching_any(tmp_path):
    create(tmp_path, DURABLE).close()
    with sqlite3.connect(tmp_path / DURABLE) as db:
        db.execute(f"PRAGMA user_version={FORMAT + 1}")
    with pytest.raises(NewerFormat):
        create_all(tmp_path)
    assert not (tmp_path / INNER).exists()
    assert not (tmp_path / LIVE).exists()


def test_an_older_format_asks_for_migrate(tmp_path):
    create(tmp_path, DURABLE).close()
    with sqlite3.connect(tmp_path / DURABLE) as db:
        db.execute("PRAGMA user_version=0")
    with pytest.raises(Unavailable, match="chips migrate"):
        connect(tmp_path, DURABLE)


def test_opening_makes_nothing(tmp_path):
    with pytest.raises(Unavailable, match="chips migrate"):
        connect(tmp_path / "bus", DURABLE)
    assert not (tmp_path / "bus").exists()


def test_a_file_that_is_no_database_is_unavailable(tmp_path):
    (tmp_path / DURABLE).write_bytes(b"not a database, not at all" * 200)
    with pytest.raises(Unavailable):
        connect(tmp_path, DURABLE)


async def test_a_torn_live_file_is_made_anew_and_the_durable_one_kept(tmp_path):
    admin = LogAdmin(tmp_path)
    made = await admin.create_topics()
    (tmp_path / LIVE).write_bytes(b"torn by a power cut" * 500)
    assert await admin.create_topics() == ["chips.live.v1"]
    assert "chips.feed.v1" in made
    await admin.close()
