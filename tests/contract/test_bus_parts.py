"""The partitioner is the same for every client."""

from __future__ import annotations

import random
import uuid

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from streams.bus import Message
from streams.kafka.connection import Connection
from streams.kafka.producer import KafkaProducer
from streams.partitioner import partition_of
from tests.buses import bus_of

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


@pytest.mark.real
async def test_librdkafka_and_aiokafka_place_on_a_real_broker_as_we_do(tmp_path, request):
    seeded = random.Random(7)
    keys = [
        *(
            f"{kind}/default/{uuid.UUID(int=seeded.getrandbits(128))}"
            for kind in ("feed", "job")
            for _ in range(300)
        ),
        *(f"series/p/{seeded.getrandbits(128):032x}" for _ in range(300)),
        *("x" * length for length in range(1, 60)),
        *("ä", "日本", "\x00"),
    ]
    with bus_of("kafka", tmp_path, request) as bus:
        topic = bus.topic(partitions=7)
        await bus.make(topic)
        bootstrap = bus.settings.bus_url.partition("://")[2]
        ours = KafkaProducer(Connection(bootstrap))
        theirs = AIOKafkaProducer(bootstrap_servers=bootstrap)
        await theirs.start()
        try:
            positions = await ours.send_all(Message(topic.name, key, b"") for key in keys)
            batch = [await theirs.send(topic.name, b"", key=key.encode()) for key in keys]
            found = [await one for one in batch]
        finally:
            await theirs.stop()
            await ours.close()
    expected = [partition_of(key.encode(), 7) for key in keys]
    assert [at.partition for at in positions] == expected
    assert [at.partition for at in found] == expected
