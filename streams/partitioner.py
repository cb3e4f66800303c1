"""Which partition a key lies in: murmur2 as Kafka's Java client computes it, the same for every client.

librdkafka calls it ``murmur2_random``, aiokafka has it as its default. A contract test compares all three.
"""

from __future__ import annotations

from functools import lru_cache

_SEED = 0x9747B28C
_M = 0x5BD1E995
_R = 24
_32 = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """Hash bytes to an unsigned 32 bit number (MurmurHash2, 32 bit, Kafka's seed)."""
    h = _SEED ^ len(data)
    whole = len(data) & ~3
    for start in range(0, whole, 4):
        k = int.from_bytes(data[start : start + 4], "little") * _M & _32
        k = (k ^ (k >> _R)) * _M & _32
        h = (h * _M & _32) ^ k
    if whole < len(data):
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _32
    h = (h ^ (h >> 13)) * _M & _32
    return h ^ (h >> 15)


@lru_cache(maxsize=8192)
def partition_of(key: bytes, partitions: int) -> int:
    """Give the partition of a key among `partitions`.

    Raises
    ------
    ValueError
        When the key is empty (the clients disagree about it) or there are no partitions.
    """
    if not key or partitions < 1:
        raise ValueError(f"a partition needs a key and at least one partition, not {key!r} and {partitions}")
    return (murmur2(key) & 0x7FFFFFFF) % partitions
