"""The real engines keep what they confirmed when they are killed."""

from __future__ import annotations

import json
import subprocess
import uuid

import pytest
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.policies import RoundRobinPolicy
from cassandra.query import BatchStatement, BatchType, SimpleStatement
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from deploy.engines.docker_engine import BASE_IMAGE
from deploy.engines.pair import Engines
from schemas.catalogue import Topic
from streams.errors import Rejected, Unavailable
from streams.kafka.admin import KafkaAdmin
from streams.kafka.connection import Connection
from tests.engines.run import fresh_engines

pytestmark = [pytest.mark.real, pytest.mark.timeout(400)]


def make_topic(address: str, topic: str) -> None:
    client = AdminClient({"bootstrap.servers": address})
    client.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)


def produce(address: str, topic: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": address, "acks": "all", "enable.idempotence": True})
    errors = []
    producer.produce(topic, value, on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(60) == 0
    assert errors == [None]


def consume(address: str, topic: str, count: int) -> list[bytes]:
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": f"test-{uuid.uuid4().hex}",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        values = []
        for message in consumer.consume(count, timeout=60):
            assert message.error() is None
            values.append(message.value())
        return values
    finally:
        consumer.close()


def append(session, stream: str, rows: list[tuple[int, str]]) -> bool:
    batch = BatchStatement(batch_type=BatchType.UNLOGGED)
    insert = "INSERT INTO event (stream, seq, data) VALUES (%s, %s, %s) IF NOT EXISTS"
    for seq, data in rows:
        batch.add(SimpleStatement(insert), (stream, seq, data))
    return session.execute(batch).was_applied


def connected(address: str) -> Cluster:
    host, port = address.split(":")
    profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), request_timeout=30)
    return Cluster(
        [host],
        port=int(port),
        protocol_version=5,
        connect_timeout=20,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
    )


def test_both_keep_what_they_confirmed_when_killed(own_engines: Engines):
    kafka, cassandra = own_engines.kafka, own_engines.cassandra
    keyspace = "test_engines"
    replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
    with connected(cassandra.address) as cluster:
        session = cluster.connect()
        session.execute(f"CREATE KEYSPACE {keyspace} WITH replication = {replication}")
        session.set_keyspace(keyspace)
        session.execute("CREATE TABLE event (stream text, seq bigint, data text, PRIMARY KEY (stream, seq))")
        assert append(session, "feed/1", [(1, "a"), (2, "b")])
        assert not append(session, "feed/1", [(2, "other"), (3, "c")])
    make_topic(kafka.address, "chips.test.v1")
    produce(kafka.address, "chips.test.v1", b"before")

    cassandra.kill()
    kafka.kill()
    assert [state.pid for state in own_engines.status()] == [None, None]
    own_engines.up()

    produce(kafka.address, "chips.test.v1", b"after")
    assert consume(kafka.address, "chips.test.v1", 2) == [b"before", b"after"]
    with connected(cassandra.address) as cluster:
        session = cluster.connect(keyspace)
        rows = session.execute("SELECT seq, data FROM event WHERE stream = 'feed/1'")
        assert [(row.seq, row.data) for row in rows] == [(1, "a"), (2, "b")]
        assert append(session, "feed/1", [(3, "c")])


def test_one_alone_stops_and_starts_while_the_other_serves(own_engines: Engines):
    own_engines.kafka.stop()
    kafka, cassandra = own_engines.status()
    assert (kafka.pid, kafka.answers, cassandra.answers) == (None, False, True)
    own_engines.kafka.start()
    assert all(state.answers for state in own_engines.status())


async def test_lag_is_told_before_any_group_has_a_coordinator(own_engines: Engines):
    """An admin client of librdkafka would end the process here."""
    topic = Topic(name="chips.test.v1", zone="outer", partitions=2, retention_s=3600, durable=True)
    admin = KafkaAdmin(Connection(own_engines.kafka.address), topics=[topic])
    await admin.create_topics()
    produce(own_engines.kafka.address, topic.name, b"waits")
    lag = await admin.lag("chips-test", [topic.name])
    assert (sorted(lag), sum(lag.values())) == ([(topic.name, 0), (topic.name, 1)], 1)
    await admin.close()


def test_a_second_up_leaves_the_running_engines_alone(own_engines: Engines):
    before = [state.pid for state in own_engines.status()]
    home = own_engines.kafka.home.parent
    Engines(home).up()
    assert [state.pid for state in Engines(home).status()] == before
    assert all(before)
    with pytest.raises(Rejected, match="stop the engines first"):
        Engines(home, 9).up()


def test_a_topic_is_never_made_by_being_named(kafka_bootstrap: str):
    topic = f"chips.absent.{uuid.uuid4().hex}"
    client = AdminClient({"bootstrap.servers": kafka_bootstrap})
    assert client.list_topics(topic, timeout=30).topics[topic].error is not None
    assert topic not in client.list_topics(timeout=30).topics


def test_the_shared_engines_are_one_pair(kafka_bootstrap: str, cassandra_contact: str):
    with connected(cassandra_contact) as cluster:
        version = cluster.connect().execute("SELECT release_version FROM system.local").one().release_version
    assert version == "5.0.5"
    assert len(AdminClient({"bootstrap.servers": kafka_bootstrap}).list_topics(timeout=30).brokers) == 1


def test_an_engine_that_cannot_start_says_why(tmp_path):
    engines = fresh_engines(tmp_path / "engines")
    engines.kafka.home.mkdir(parents=True)
    (engines.kafka.home / "data").write_text("in the way")
    with pytest.raises(Unavailable, match="Kafka"):
        engines.kafka.start()
    assert engines.kafka.pid is None


@pytest.mark.docker
def test_the_base_image_runs_python_without_network(docker_socket: str):
    said = "import sys, json; print(json.dumps(sys.version_info[:2]))"
    confined = ["--rm", "--network=none", "--read-only", "--cap-drop=ALL", "--user=65534"]
    shown = subprocess.run(
        ["docker", "--host", docker_socket, "run", *confined, BASE_IMAGE, "python3", "-c", said],
        check=True,
        capture_output=True,
        timeout=120,
    )
    assert json.loads(shown.stdout) == [3, 11]
