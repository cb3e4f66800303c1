"""Real Apache Kafka and Apache Cassandra on one machine, started from their Maven artefacts."""

from __future__ import annotations

from deploy.engines.pair import DEFAULT_CASSANDRA_PORT, DEFAULT_KAFKA_PORT, Engines, EngineStatus

__all__ = ["DEFAULT_CASSANDRA_PORT", "DEFAULT_KAFKA_PORT", "EngineStatus", "Engines"]
