"""Why a record is refused: the closed list of reasons, and the error that carries one of them.

```
LoketError
└── Rejected        one record; the stream goes on, the record becomes a dead letter
```
"""

from enum import StrEnum
from typing import Final

from loket.errors import LoketError

__all__ = ["ADVICE", "Reason", "Rejected"]


class Reason(StrEnum):
    """The closed list, in its order: an event with two faults gets the first of it."""

    NOT_JSON = "not_json"
    NOT_CLOUDEVENT = "not_cloudevent"
    TOO_LARGE = "too_large"
    UNKNOWN_TYPE = "unknown_type"
    MISSING_FIELD = "missing_field"
    PERSONAL_ID = "personal_id"
    MALFORMED_ID = "malformed_id"
    MALFORMED_FIELD = "malformed_field"
    NAIVE_TIME = "naive_time"
    MALFORMED_TIME = "malformed_time"
    IMPLAUSIBLE_TIME = "implausible_time"
    KEY_MISMATCH = "key_mismatch"
    WRONG_PARTITION = "wrong_partition"
    CONFLICTING_REPEAT = "conflicting_repeat"


ADVICE: Final[dict[Reason, str]] = {
    Reason.NOT_JSON: "the value is not JSON in UTF-8; send the CloudEvent as JSON",
    Reason.NOT_CLOUDEVENT: (
        "this is not a CloudEvent 1.0; send specversion, type, source and id, "
        "in JSON (application/cloudevents+json) or in ce_ headers"
    ),
    Reason.TOO_LARGE: "over 64 KiB, or nested deeper than 32; send only what the contract names",
    Reason.UNKNOWN_TYPE: "the contract has no such type; correct the emitter, or update Loket if it is the older one",
    Reason.MISSING_FIELD: "a required field is missing; the emitter has to send it",
    Reason.PERSONAL_ID: (
        "16 or 18 digits would be a national identity or civil-servant number; have the emitter send a keyed hash"
    ),
    Reason.MALFORMED_ID: (
        "an id has 1 to 128 characters of A-Z a-z 0-9 . _ : / - (an event's own id: up to 256 bytes without control "
        "characters); correct it in the emitter"
    ),
    Reason.MALFORMED_FIELD: "the field has another type or is outside its bounds; see the type's JSON Schema",
    Reason.NAIVE_TIME: "the time has no offset, so it names no instant; send it with one, such as +07:00 or Z",
    Reason.MALFORMED_TIME: "not an RFC 3339 time of the years 1900 to 2200; send it like 2026-01-31T09:00:00+07:00",
    Reason.IMPLAUSIBLE_TIME: (
        "the time is over 24 hours ahead or over 30 days behind; set the device's clock, "
        "or mark events that tell of the past as imported"
    ),
    Reason.KEY_MISMATCH: "the record's key is not the unit's id in UTF-8; set the key to data.unit",
    Reason.WRONG_PARTITION: (
        "the record is not in the partition of its key; use Kafka's default partitioner "
        "(librdkafka: partitioner=murmur2_random)"
    ),
    Reason.CONFLICTING_REPEAT: (
        "another event with the same source and id said something else and stands; give every event an id of its own"
    ),
}


class Rejected(LoketError):
    """A record that cannot be taken as an event, with the reason, the field and what to do.

    `field` is dotted (`data.employee`), or None where the fault is not in one field. `source` and `id` are the event's,
    where they could be read. The text never repeats what the event holds, as a malformed id may be somebody's name.
    """

    def __init__(
        self,
        reason: Reason,
        field: str | None = None,
        *,
        topic: str = "",
        partition: int = -1,
        offset: int = -1,
        source: str | None = None,
        id: str | None = None,
    ) -> None:
        self.reason = reason
        self.field = field
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.source = source
        self.id = id
        place = f"{topic}[{partition}] offset {offset}: " if topic else ""
        about = f" ({field})" if field is not None else ""
        super().__init__(f"{place}{reason}{about}: {ADVICE[reason]}")
