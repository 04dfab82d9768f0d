"""A Kafka record as the wire reads it, and which of CloudEvents' modes its headers say."""

from collections.abc import Sequence
from typing import Final, Literal, Protocol

from msgspec import Struct

__all__ = ["CONTENT_TYPE", "Headers", "Mode", "Record", "WireRecord", "mode_of"]

Headers = Sequence[tuple[str, bytes]]
Mode = Literal["structured", "binary", "unknown"]

CONTENT_TYPE: Final = b"application/cloudevents+json"
"""The content type of the structured mode, which may have parameters."""

ATTRIBUTE_PREFIX: Final = "ce_"

_USUAL: Final = frozenset({CONTENT_TYPE, CONTENT_TYPE + b"; charset=UTF-8", CONTENT_TYPE + b"; charset=utf-8"})


class Record(Protocol):
    """What is read of a record. Those of kafka-python and of aiokafka are such records as they are."""

    @property
    def topic(self) -> str: ...

    @property
    def partition(self) -> int: ...

    @property
    def offset(self) -> int: ...

    @property
    def timestamp(self) -> int:
        """The broker's time (`LogAppendTime`), in milliseconds UTC."""
        ...

    @property
    def key(self) -> bytes | None: ...

    @property
    def value(self) -> bytes | None: ...

    @property
    def headers(self) -> Headers: ...


class WireRecord(Struct, frozen=True):
    """A record that was not made by a Kafka client. `timestamp` is in milliseconds UTC."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


def mode_of(headers: Headers) -> Mode:
    """Return how a record says its event: CloudEvents' content type decides, then any `ce_` header.

    Without either the value is taken to be a structured event. `unknown` is a CloudEvents format other than JSON.
    """
    if not headers or (len(headers) == 1 and headers[0][0] == "content-type" and headers[0][1] in _USUAL):
        return "structured"
    media = b""
    attributes = False
    for name, value in headers:
        if name.startswith(ATTRIBUTE_PREFIX):
            attributes = True
        elif name.lower() == "content-type" and value:
            media = value.partition(b";")[0].strip().lower()
    if media.startswith(b"application/cloudevents"):
        return "structured" if media in (CONTENT_TYPE, b"application/cloudevents") else "unknown"
    return "binary" if attributes else "structured"
