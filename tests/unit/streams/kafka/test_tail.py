"""What the tail on Kafka does while a partition has no leader yet."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError, KafkaException

from streams.errors import Refused, Unavailable
from streams.kafka.connection import Connection
from streams.kafka.tail import _Threaded


class Client:
    """A consumer whose broker answers with errors first."""

    def __init__(self, *errors: int) -> None:
        self.errors = list(errors)
        self.asked = 0

    def list_topics(self, topic=None, timeout=None):
        del topic, timeout

    def get_watermark_offsets(self, partition, timeout):
        del partition, timeout
        self.asked += 1
        if self.errors:
            raise KafkaException(KafkaError(self.errors.pop(0)))
        return 3, 7


def asked(client: Client, away_s: float = 5.0):
    threaded = _Threaded(Connection("127.0.0.1:1"), away_s)
    threaded._client = client
    return threaded._watermark("t", 0)


def test_a_partition_that_awaits_its_leader_is_asked_again():
    client = Client(KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)
    assert asked(client) == (3, 7)
    assert client.asked == 3


def test_it_is_not_asked_for_ever():
    with pytest.raises(Unavailable):
        asked(Client(*[KafkaError.NOT_LEADER_FOR_PARTITION] * 100), away_s=0.25)


@pytest.mark.parametrize(
    ("code", "family"),
    [(KafkaError._TRANSPORT, Unavailable), (KafkaError.TOPIC_AUTHORIZATION_FAILED, Refused)],
)
def test_other_errors_are_told_at_once(code, family):
    client = Client(code)
    with pytest.raises(family):
        asked(client)
    assert client.asked == 1
