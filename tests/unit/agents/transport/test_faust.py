"""What we rely on inside Faust, pinned: an upgrade that moves it fails here, not in a hospital."""

from __future__ import annotations

import inspect
from importlib.metadata import version

import faust
import pytest
from faust.transport import base
from faust.transport.drivers import aiokafka
from faust.types import TP
from mode import CrashingSupervisor

from agents.app import build_app
from agents.consume import ConsumeLoop
from agents.spec import AgentSpec, Patience
from agents.transport.embedded import EmbeddedConsumer, EmbeddedTransport
from agents.transport.kafka import KafkaConsumer, KafkaTransport
from agents.transport.strict import StrictAcks
from streams.errors import Rejected
from streams.settings import Settings
from streams.store.memory.store import MemoryStore

REPLACED = (
    "ack",
    "on_partitions_revoked",
    "on_partitions_assigned",
    "_filter_tps_with_pending_acks",
    "_new_offset",
    "_should_commit",
    "_commit_offsets",
)


async def nothing(_event):
    pass


def app_on(settings, topics=("chips.feed.v1",)):
    spec = AgentSpec("feeds", topics, nothing)
    loop = ConsumeLoop(spec, records=MemoryStore().records, producer=None)
    return build_app(settings, spec, loop, Patience())


def test_the_version_that_was_looked_at():
    assert version("faust-streaming").startswith("0.15.")
    assert version("aiokafka").startswith("0.14.")


@pytest.mark.parametrize("consumer", [base.Consumer, aiokafka.Consumer])
def test_faust_asks_what_the_repair_replaces(consumer):
    assert "self.callback = callback" in inspect.getsource(base.Consumer.__init__)
    assert "callback = self.callback" in inspect.getsource(consumer._drain_messages)
    assert "callback(message)" in inspect.getsource(consumer._drain_messages)
    assert "self._filter_tps_with_pending_acks(topics)" in inspect.getsource(consumer.force_commit)
    assert "self._new_offset(tp)" in inspect.getsource(consumer._filter_committable_offsets)
    assert "self._should_commit(tp, offset)" in inspect.getsource(consumer._filter_committable_offsets)
    assert "await self._commit_offsets(" in inspect.getsource(consumer._commit_tps)
    assert "consumer.ack(self)" in inspect.getsource(faust.types.tuples.ConsumerMessage.on_final_ack)
    assert "await self._wait_next_records(timeout)" in inspect.getsource(consumer.getmany)
    for name in REPLACED:
        assert callable(getattr(consumer, name))


def test_the_repair_comes_before_the_driver():
    for consumer in (EmbeddedConsumer, KafkaConsumer):
        assert consumer.__mro__.index(StrictAcks) < consumer.__mro__.index(base.Consumer)
        for name in REPLACED:
            assert getattr(consumer, name) is getattr(StrictAcks, name)


@pytest.mark.parametrize("bus", ["", "kafka://one:9092,two:9093"])
async def test_the_guards_of_an_app(tmp_path, bus):
    app = app_on(Settings(data=str(tmp_path), bus=bus), ("chips.feed.v1", "chips.job.v1"))
    conf = app.conf
    assert conf.id == "chips-feeds"
    assert conf.agent_supervisor is CrashingSupervisor
    assert conf.stream_wait_empty is False
    assert conf.processing_guarantee.value == "at_least_once"
    assert conf.topic_allow_declare is False
    assert conf.topic_disable_leader is True
    assert conf.web_enabled is False
    assert str(conf.store) == "memory:"
    assert conf.table_standby_replicas == 0
    assert (conf.key_serializer, conf.value_serializer) == ("raw", "raw")
    assert conf.consumer_auto_offset_reset == "earliest"
    assert conf.broker_heartbeat_interval * 3 <= conf.broker_session_timeout
    assert conf.broker_request_timeout >= conf.broker_session_timeout
    (agent,) = app.agents.values()
    assert agent.concurrency == 1
    assert set(agent.get_topic_names()) == {"chips.feed.v1", "chips.job.v1"}
    assert isinstance(app.transport, KafkaTransport if bus else EmbeddedTransport)
    if bus:
        assert [(url.host, url.port) for url in app.transport.url] == [("one", 9092), ("two", 9093)]
    else:
        assert app.transport.directory == tmp_path / "bus"


async def test_a_relative_folder_keeps_its_letters(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(app_on(Settings(bus="embedded://Data/Bus")).transport.directory) == "Data/Bus"


async def test_sasl_and_tls_reach_the_driver(tmp_path):
    secret = tmp_path / "kafka.toml"
    secret.write_text('username = "chips"\npassword = "s3cret"\n')
    settings = Settings(
        bus="kafka://one:9092",
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_mechanism="SCRAM-SHA-512",
        kafka_credentials_file=str(secret),
    )
    told = aiokafka.credentials_to_aiokafka_auth(app_on(settings).conf.broker_credentials)
    assert told["security_protocol"] == "SASL_SSL"
    assert (told["sasl_mechanism"], told["sasl_plain_username"]) == ("SCRAM-SHA-512", "chips")
    assert told["sasl_plain_password"] == "s3cret"
    assert told["ssl_context"].check_hostname
    tls = app_on(Settings(bus="kafka://one:9092", kafka_security_protocol="SSL"))
    assert aiokafka.credentials_to_aiokafka_auth(tls.conf.broker_credentials)["security_protocol"] == "SSL"


async def test_settings_that_name_no_bus_are_rejected():
    with pytest.raises(Rejected, match="CHIPS_BUS"):
        app_on(Settings(bus="sqlite://x"))


class Message:
    def __init__(self, offset, generation, *, tracked=True):
        self.tp = TP("t", 0)
        self.offset, self.generation_id, self.tracked = offset, generation, tracked
        self.acked = False
        self.refcount = 0


async def test_what_is_delivered_while_partitions_are_revoked_holds_no_position_when_they_return(
    tmp_path, monkeypatch
):
    app = app_on(Settings(data=str(tmp_path)))
    consumer, mine = app.consumer, TP("t", 0)

    async def drivers(*_):
        pass

    for callback in ("_on_partitions_revoked", "_on_partitions_assigned"):
        monkeypatch.setattr(consumer, callback, drivers)
    consumer._positions.delivered(mine, 5)
    await consumer.on_partitions_revoked({mine})
    # Fetched before, and on its way to a stream when the revocation came.
    consumer._positions.delivered(mine, 6)
    # Another worker does it, and more; this one has the partition again.
    await consumer.on_partitions_assigned(set(), 2)
    await consumer.on_partitions_revoked(set())
    await consumer.on_partitions_assigned({mine}, app.consumer_generation_id)
    consumer._positions.delivered(mine, 20)
    assert consumer.ack(Message(20, app.consumer_generation_id))
    assert consumer._new_offset(mine) == 21


async def test_acknowledgements_of_an_earlier_assignment_or_of_the_unread_do_not_count(tmp_path):
    app = app_on(Settings(data=str(tmp_path)))
    consumer = app.consumer
    app.consumer_generation_id = 2
    for offset in (5, 6, 7):
        consumer._positions.delivered(TP("t", 0), offset)
    assert not consumer.ack(Message(5, 1))
    assert not consumer.ack(Message(5, 2, tracked=False))
    assert consumer._new_offset(TP("t", 0)) == 5
    acknowledged = Message(5, 2)
    assert consumer.ack(acknowledged)
    assert not consumer.ack(acknowledged)
    assert consumer.ack(Message(7, 2))
    assert consumer._new_offset(TP("t", 0)) == 6
    assert list(consumer._filter_tps_with_pending_acks()) == [TP("t", 0)]
    assert list(consumer._filter_tps_with_pending_acks(["other"])) == []


async def test_a_commit_that_was_refused_in_a_rebalance_is_made_again(tmp_path, monkeypatch):
    app = app_on(Settings(data=str(tmp_path)))
    consumer, mine, told = app.consumer, TP("t", 0), []

    async def driver(offsets):
        told.append(dict(offsets))
        return len(told) > 1

    async def flushed():
        pass

    monkeypatch.setattr(consumer, "_commit", driver)
    monkeypatch.setattr(app.producer, "flush", flushed)
    monkeypatch.setattr(consumer, "assignment", lambda: {mine})
    consumer._positions.delivered(mine, 5)
    consumer.ack(Message(5, app.consumer_generation_id))
    assert not await consumer.force_commit()
    assert await consumer.force_commit()
    assert not await consumer.force_commit()
    assert told == [{mine: 6}, {mine: 6}]
