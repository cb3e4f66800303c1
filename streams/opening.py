"""Opens the bus that the settings name. Nothing is connected before its first use."""

from __future__ import annotations

from pathlib import Path

from streams.bus import Admin, Producer, Tail
from streams.errors import Misconfigured
from streams.kafka.admin import KafkaAdmin
from streams.kafka.connection import Connection
from streams.kafka.producer import KafkaProducer
from streams.kafka.tail import KafkaTail
from streams.log.admin import LogAdmin
from streams.log.producer import LogProducer
from streams.log.tail import LogTail
from streams.settings import Settings


def open_producer(settings: Settings) -> Producer:
    """Open the producer; raises `Misconfigured` when the bus is set to something that is none."""
    if is_embedded(settings):
        return LogProducer(directory_of(settings))
    return KafkaProducer(Connection.of(settings))


def open_tail(settings: Settings) -> Tail:
    """Open the tail; raises `Misconfigured` when the bus is set to something that is none."""
    if is_embedded(settings):
        return LogTail(directory_of(settings))
    return KafkaTail(Connection.of(settings))


def open_admin(settings: Settings) -> Admin:
    """Open the administration; raises `Misconfigured` when the bus is set to something that is none."""
    if is_embedded(settings):
        return LogAdmin(directory_of(settings))
    return KafkaAdmin(
        Connection.of(settings), replication=settings.kafka_replication, min_isr=settings.kafka_min_isr
    )


def is_embedded(settings: Settings) -> bool:
    """Tell whether the bus is the embedded one.

    Raises
    ------
    streams.errors.Misconfigured
        When the setting names neither an embedded bus nor Kafka.
    """
    scheme = settings.bus_url.partition("://")[0]
    if scheme not in {"embedded", "kafka"}:
        raise Misconfigured(f"CHIPS_BUS is {scheme}://…: use embedded://DIR or kafka://HOST:PORT,HOST:PORT")
    return scheme == "embedded"


def directory_of(settings: Settings) -> Path:
    """Give the folder of the embedded bus."""
    return settings.path("bus")
