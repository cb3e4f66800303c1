"""Files of older formats come up with all that is in them, also when it is broken off anywhere."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import sqlite3
import stat

import pytest

from schemas.catalogue import PACS, TOPICS, dead_letters
from streams.errors import Refused, Unavailable
from streams.log import database, formats
from streams.log.admin import LogAdmin, file_of
from streams.log.database import connect, create_all
from streams.log.formats import DURABLE, INNER, LIVE, STEPS, Step
from streams.log.log import Appended, Log
from streams.log.logs import Logs

APP = "chips-arrivals"
MINE = b"only the inner zone may read this"
INNER_TOPICS = {topic.name for topic in (PACS, dead_letters("arrivals"), dead_letters("anonymization"))}


def of(topic, partition, number):
    value = (MINE if topic in INNER_TOPICS else b"everybody may") + b" %d" % number
    return Appended(topic, partition, 1000 + number, b"k", value, (("h", b"v"),))


@pytest.fixture
def old(tmp_path):
    """A bus as release 0.1 left it: all durable topics in one file, some of their records forgotten."""
    for file in (DURABLE, LIVE):
        with sqlite3.connect(tmp_path / file) as db:
            db.execute("PRAGMA journal_mode=WAL")
            for statement in STEPS[1].statements:
                db.execute(statement)
            db.execute("PRAGMA user_version=1")
        db.close()
    log = Log(sqlite3.connect(tmp_path / DURABLE, isolation_level=None), tmp_path)
    for topic in TOPICS.values():
        if topic.durable:
            log.create_topic(topic)
            log.append([of(topic.name, n % topic.partitions, n) for n in range(40)])
    log.commit(APP, {("chips.pacs.v1", 3): 2, ("chips.pacs.v1", 5): 4})
    log.commit("chips-feeds", {("chips.job.v1", 1): 3})
    log._db.execute("DELETE FROM record WHERE timestamp < 1009")
    log.close()
    return tmp_path


def content(folder):
    """Everything that a bus holds, by topic and partition."""
    logs = Logs(folder)
    names = [topic.name for topic in TOPICS.values() if topic.durable]
    ends, starts = logs.ends(names), logs.starts(names)
    found = {
        at: (starts[at], end, [(r.offset, r.timestamp, r.value) for r in logs.of(at[0]).read(*at, 0, 100)])
        for at, end in ends.items()
    }
    commits = logs.committed(APP), logs.committed("chips-feeds")
    logs.close()
    return found, commits


def check(folder):
    found, commits = content(folder)
    assert commits == (
        {("chips.pacs.v1", 3): 2, ("chips.pacs.v1", 5): 4},
        {("chips.job.v1", 1): 3},
    )
    for topic in TOPICS.values():
        if not topic.durable:
            continue
        records = {}
        for n in range(40):
            records.setdefault(n % topic.partitions, []).append(of(topic.name, n % topic.partitions, n))
        for partition, there in records.items():
            kept = [(offset, r.timestamp, r.value) for offset, r in enumerate(there) if r.timestamp >= 1009]
            start, end, read = found[topic.name, partition]
            assert (end, read) == (len(there), kept)
            assert start == (kept[0][0] if kept else end)


@pytest.fixture
def forgetful(monkeypatch):
    """SQLite as it comes: some systems build theirs so that what is deleted is overwritten at once."""
    opening = database._open

    def opened(path):
        db = opening(path)
        db.execute("PRAGMA secure_delete=OFF")
        return db

    monkeypatch.setattr(database, "_open", opened)


@pytest.mark.usefixtures("forgetful")
def test_inner_topics_move_into_a_file_of_their_own_and_leave_nothing_behind(old):
    assert MINE in (old / DURABLE).read_bytes()
    with pytest.raises(Unavailable, match="has format 1, this CHIPS writes 2: run `chips migrate`"):
        Logs(old)
    create_all(old)
    check(old)
    for file in old.glob("*.db*"):
        assert MINE not in file.read_bytes(), file.name
    assert MINE in (old / INNER).read_bytes()
    with sqlite3.connect(old / INNER) as db:
        there = {name for (name,) in db.execute("SELECT DISTINCT topic FROM partition")}
    assert there == INNER_TOPICS == {t.name for t in TOPICS.values() if t.zone == "inner"}
    create_all(old)
    check(old)


async def test_what_is_made_later_lies_where_it_moved(old):
    admin = LogAdmin(old)
    assert await admin.create_topics() == ["chips.live.v1"]
    assert (await admin.lag(APP, ["chips.pacs.v1"]))["chips.pacs.v1", 3] == 3
    await admin.close()
    check(old)


TELLING = ("COMMIT", "VACUUM", "INSERT INTO partition", "DELETE FROM partition", "PRAGMA wal_checkpoint")
"""Statements before which a migration is killed: what lies between two of them is one transaction's."""


def dies_at(folder, moment):
    """Bring a bus up in a process that is killed at one of its telling moments; tell whether it was."""
    child = os.fork()
    if not child:
        left = itertools.count()

        def trace(statement):
            if statement.startswith(TELLING) and next(left) == moment:
                os.kill(os.getpid(), signal.SIGKILL)

        def connecting(*arguments, **options):
            db = real(*arguments, **options)
            db.set_trace_callback(trace)
            return db

        real, sqlite3.connect = sqlite3.connect, connecting
        try:
            create_all(folder)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_a_migration_that_is_killed_anywhere_is_finished_by_the_next(old, tmp_path_factory):
    for moment in itertools.count():
        folder = tmp_path_factory.mktemp("killed") / "bus"
        shutil.copytree(old, folder)
        died = dies_at(folder, moment)
        create_all(folder)
        check(folder)
        assert MINE not in (folder / DURABLE).read_bytes()
        if not died:
            break
    assert moment > 20, "it was to be killed at more moments than that"


PLANTED = Step(
    ("ALTER TABLE record ADD COLUMN note TEXT", "UPDATE record SET note='from format 2'"),
)
TORN = Step((*PLANTED.statements[:1], "INSERT INTO nowhere VALUES (1)"))


def test_a_next_step_over_data_is_taken_whole_and_again_when_it_broke_off(old, monkeypatch):
    create_all(old)
    monkeypatch.setattr(formats, "FORMAT", 3)
    monkeypatch.setitem(STEPS, 3, TORN)
    with pytest.raises(Unavailable, match="format 2, this CHIPS writes 3"):
        connect(old, DURABLE)
    with pytest.raises(Unavailable, match="nowhere"):
        create_all(old)
    with sqlite3.connect(old / INNER) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
        assert "note" not in {column for _, column, *_ in db.execute("PRAGMA table_info(record)")}
    monkeypatch.setitem(STEPS, 3, PLANTED)
    create_all(old)
    check(old)
    for file in database.FILES:
        with sqlite3.connect(old / file) as db:
            assert db.execute("PRAGMA user_version").fetchone() == (3,)
            notes = {note for (note,) in db.execute("SELECT note FROM record")}
            assert notes == (set() if file == LIVE else {"from format 2"})


def test_the_inner_file_is_its_owners_alone_and_opened_by_who_needs_it(tmp_path):
    create_all(tmp_path)
    assert stat.S_IMODE((tmp_path / INNER).parent.stat().st_mode) == 0o700
    logs = Logs(tmp_path)
    for topic in TOPICS.values():
        logs.file(file_of(topic)).create_topic(topic)
    logs.close()
    for file in (tmp_path / INNER).parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
    logs = Logs(tmp_path)
    logs.ends([topic.name for topic in TOPICS.values() if topic.zone == "outer"])
    assert set(logs._open) == {DURABLE, LIVE}
    logs.ends(["chips.pacs.v1"])
    assert set(logs._open) == {DURABLE, LIVE, INNER}
    logs.close()


def test_who_may_not_open_the_inner_file_is_told_so(tmp_path, monkeypatch):
    create_all(tmp_path)
    monkeypatch.setattr(database.os, "access", lambda path, _: path != tmp_path / INNER)
    logs = Logs(tmp_path)
    with pytest.raises(Refused, match=r"inner\.db is the inner zone's"):
        logs.of("chips.pacs.v1")
    logs.close()
