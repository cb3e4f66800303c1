"""The store in one SQLite file: durable (WAL, synchronous=FULL), for all processes of one machine."""
