"""The store in Apache Cassandra 5: many machines, no leader of ours."""
