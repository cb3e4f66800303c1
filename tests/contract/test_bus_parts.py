"""The partitioner is the same for every client."""

from __future__ import annotations

import uuid

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from streams.partitioner import partition_of

# Computed with Kafka's Java client (org.apache.kafka.common.utils.Utils.murmur2), its own test values.
JAVA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize("key", JAVA)
def test_it_hashes_as_kafkas_java_client_does(key):
    assert partition_of(key, 1000) == (JAVA[key] & 0x7FFFFFFF) % 1000


@given(st.binary(min_size=1, max_size=300), st.integers(1, 64))
def test_it_places_as_aiokafka_does(key, partitions):
    every = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key, every, every)


def test_keys_of_ours_spread():
    found = [partition_of(f"feed/default/{uuid.UUID(int=n)}".encode(), 8) for n in range(4000)]
    assert all(300 < found.count(partition) < 700 for partition in range(8))


def test_an_empty_key_has_no_partition():
    with pytest.raises(ValueError, match="needs a key"):
        partition_of(b"", 8)
