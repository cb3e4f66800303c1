"""What can be told of the Kafka behind a connection. Its protocol names no release, only the cluster."""

from __future__ import annotations

import asyncio

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.kafka.connection import Connection
from streams.kafka.errors import family_of
from streams.settings import Settings

ANSWER_S = 10.0


async def about_kafka(settings: Settings) -> str:
    """Name the cluster and count its brokers.

    Raises
    ------
    streams.errors.Unavailable
        When no broker answers within `ANSWER_S`.
    """
    client = AdminClient(Connection.of(settings).librdkafka({"log_level": 0}))
    try:
        found = await asyncio.to_thread(client.list_topics, timeout=ANSWER_S)
    except KafkaException as error:
        raise family_of(error, "Asking Kafka what it is") from error
    return f"cluster {found.cluster_id}, brokers {len(found.brokers)}"
