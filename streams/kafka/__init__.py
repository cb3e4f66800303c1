"""Apache Kafka as the bus, by confluent-kafka (librdkafka)."""
