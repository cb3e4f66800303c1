"""Faust's Kafka driver (aiokafka) with commit positions that hold."""

from __future__ import annotations

from faust.transport.drivers import aiokafka

from agents.transport.strict import StrictAcks


class KafkaConsumer(StrictAcks, aiokafka.Consumer):
    """Commits only what is done."""


class KafkaTransport(aiokafka.Transport):
    """Faust's own, but for its consumer."""

    Consumer = KafkaConsumer
