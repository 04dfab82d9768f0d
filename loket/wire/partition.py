"""Which partition a key belongs to: murmur2 as Kafka's default partitioner computes it."""

__all__ = ["murmur2", "partition_of"]

_SEED = 0x9747B28C
_M = 0x5BD1E995
_32 = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """The unsigned 32-bit hash of `org.apache.kafka.common.utils.Utils.murmur2`."""
    whole = len(data) & ~3
    h = _SEED ^ len(data)
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * _M & _32
        k = (k ^ k >> 24) * _M & _32
        h = (h * _M & _32) ^ k
    if rest := data[whole:]:
        h = (h ^ int.from_bytes(rest, "little")) * _M & _32
    h = (h ^ h >> 13) * _M & _32
    return h ^ h >> 15


def partition_of(key: bytes, partitions: int) -> int:
    """The partition, of `partitions`, in which every record with this key belongs."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
