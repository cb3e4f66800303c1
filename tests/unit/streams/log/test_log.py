from __future__ import annotations

import pytest

from schemas.catalogue import Topic
from streams.bus import Record
from streams.errors import Unavailable
from streams.log.database import create_all
from streams.log.formats import DURABLE
from streams.log.log import TRIMMED, Appended, Log
from streams.log.logs import Logs

TOPIC = Topic(name="t", zone="outer", partitions=2, retention_s=10)


@pytest.fixture
def log(tmp_path):
    opened = Log.create(tmp_path, DURABLE)
    opened.create_topic(TOPIC)
    yield opened
    opened.close()


def one(partition=0, timestamp=0, value=b"v"):
    return Appended("t", partition, timestamp, b"k", value, ())


def test_offsets_are_dense_in_each_partition(log):
    positions = log.append([one(0), one(1), one(0)]) + log.append([one(0)])
    assert [(at.partition, at.offset) for at in positions] == [(0, 0), (1, 0), (0, 1), (0, 2)]
    assert log.ends(["t"]) == {("t", 0): 3, ("t", 1): 1}


def test_reading_stays_in_its_partition(log):
    log.append([one(0, value=b"a"), one(1, value=b"b")])
    assert [record.value for record in log.read("t", 0, 0, 10)] == [b"a"]
    assert log.read("t", 1, 0, 10) == [Record("t", 1, 0, 0, b"k", b"b", ())]
    assert log.read("t", 0, 1, 10) == []


def test_a_batch_that_fails_leaves_nothing(log):
    with pytest.raises(Unavailable):
        log.append([one(0), one(0, value=None)])
    assert log.ends(["t"])["t", 0] == 0
    assert log.append([one(0)])[0].offset == 0


def test_more_rows_than_one_statement_takes(log):
    log.append([one(0, value=str(n).encode()) for n in range(2500)])
    assert [record.value for record in log.read("t", 0, 2490, 100)] == [
        str(n).encode() for n in range(2490, 2500)
    ]


def test_retention_forgets_what_expired_and_offsets_go_on(log):
    log.append([one(0, timestamp=at) for at in (1000, 2000, 30_000)])
    log.append([one(1, timestamp=1000)])
    assert log.trim(now=13_000) == 3
    assert [record.offset for record in log.read("t", 0, 0, 10)] == [2]
    assert log.read("t", 1, 0, 10) == []
    assert log.starts(["t"]) == {("t", 0): 2, ("t", 1): 1}
    assert log.append([one(1)])[0].offset == 1


def test_one_trim_is_bounded(log):
    log.append([one(0) for _ in range(TRIMMED + 10)])
    assert log.trim(now=100_000) == TRIMMED
    assert log.trim(now=100_000) == 10


def test_a_topic_keeps_its_partitions_and_takes_a_new_retention(log):
    log.append([one(0, timestamp=1000)])
    assert not log.create_topic(Topic(name="t", zone="outer", partitions=9, retention_s=1))
    assert log.partitions("t") == 2
    assert log.trim(now=5000) == 1


def test_committed_positions_are_kept_by_app(log, tmp_path):
    log.commit("one", {("t", 0): 5, ("t", 1): 1})
    log.commit("one", {("t", 0): 7})
    log.commit("two", {("t", 0): 2})
    other = Log.open(tmp_path, DURABLE)
    assert other.committed("one") == {("t", 0): 7, ("t", 1): 1}
    assert other.committed("two") == {("t", 0): 2}
    other.close()


def test_fetch_sees_what_another_connection_wrote_and_only_then_looks(tmp_path):
    create_all(tmp_path)
    reading, writing = Logs(tmp_path), Logs(tmp_path)
    writing.file(DURABLE).create_topic(TOPIC)
    assert reading.fetch({("t", 0): 0}, 10) == {}
    assert not reading.file(DURABLE).changed()
    writing.file(DURABLE).append([one(0), one(0), one(0)])
    assert [len(records) for records in reading.fetch({("t", 0): 0, ("t", 1): 0}, 2).values()] == [2]
    assert [record.offset for record in reading.fetch({("t", 0): 2}, 2)["t", 0]] == [2]
    assert reading.fetch({("t", 0): 3}, 2) == {}
    reading.close()
    writing.close()


def test_a_topic_made_later_is_found(tmp_path):
    create_all(tmp_path)
    reading, writing = Logs(tmp_path), Logs(tmp_path)
    assert reading.file(DURABLE).partitions("t") == 0
    writing.file(DURABLE).create_topic(TOPIC)
    assert reading.partitions("t") == 2
    reading.close()
    writing.close()
