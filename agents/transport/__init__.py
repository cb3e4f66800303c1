"""Faust's borders: the embedded bus as a transport, and Kafka's with commit positions that hold."""
