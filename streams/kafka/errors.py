"""Which family an error of Kafka belongs to."""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException

from streams.errors import Refused, Unavailable

_REFUSED = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_MSG_SIZE,
        KafkaError.INVALID_RECORD,
        KafkaError.INVALID_CONFIG,
        KafkaError.INVALID_PARTITIONS,
        KafkaError.INVALID_REPLICATION_FACTOR,
        KafkaError.POLICY_VIOLATION,
        KafkaError.TOPIC_EXCEPTION,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 - librdkafka's own codes begin so
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001 - likewise
    }
)

_PASSING = frozenset({KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE})


def is_passing(exception: KafkaException) -> bool:
    """Tell whether a partition merely changes or awaits its leader: asked again soon, it answers."""
    found = exception.args[0] if exception.args else None
    return isinstance(found, KafkaError) and found.code() in _PASSING


def family(error: KafkaError, doing: str) -> Refused | Unavailable:
    """Give the error of ours that stands for one of Kafka's.

    Parameters
    ----------
    doing
        What failed, to begin the message with: ``"Sending to chips.feed.v1"``.
    """
    if error.code() in _REFUSED:
        return Refused(
            f"{doing} was refused: {error.str()}. Has `chips migrate` run, and with these settings?"
        )
    return Unavailable(f"{doing} failed: {error.str()}")


def family_of(exception: KafkaException | BufferError, doing: str) -> Refused | Unavailable:
    """Give the error of ours that stands for an exception of the client."""
    if isinstance(exception, KafkaException) and exception.args and isinstance(exception.args[0], KafkaError):
        return family(exception.args[0], doing)
    return Unavailable(f"{doing} failed: {exception}")
