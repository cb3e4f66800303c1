"""What the producer asks of librdkafka: nothing counts as sent that a broker could lose or repeat."""

from __future__ import annotations

import pytest

from streams.bus import Message
from streams.errors import Refused
from streams.kafka import producer
from streams.kafka.connection import Connection
from streams.kafka.producer import KafkaProducer


class Client:
    """Stands for librdkafka's client, which keeps its configuration to itself."""

    made: dict[str, object]

    def __init__(self, config, **_):
        Client.made = config

    def list_topics(self, **_):
        return self

    topics = ("a",)

    def poll(self, _):
        return 0

    def flush(self, _):
        return 0


async def test_it_is_idempotent_and_waits_for_all_replicas(monkeypatch):
    monkeypatch.setattr(producer, "Client", Client)
    opened = KafkaProducer(Connection("127.0.0.1:1"), timeout_s=7)
    with pytest.raises(Refused):
        await opened.send(Message("b", "k", b""))
    await opened.close()
    assert Client.made["enable.idempotence"] is True
    assert Client.made["acks"] == "all"
    # The same partition as every other client's, and told in time that it was not confirmed.
    assert Client.made["partitioner"] == "murmur2_random"
    assert Client.made["delivery.timeout.ms"] == 7000
    # What would weaken either by itself.
    assert not {"max.in.flight", "max.in.flight.requests.per.connection", "retries"} & set(Client.made)
