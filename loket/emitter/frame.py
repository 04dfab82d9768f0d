"""How an event lies on the disk: framed and checked, so that it can be found and trusted in a file that is damaged.

```
f5 'LK1' │ seq 8 │ floor 8 │ stored_at_ms 8 │ uptime_ms 8 │ boot 4 │ length 4 │ crc32 4 │ the CloudEvent as JSON
```

Big-endian. `floor` is the lowest number that waited when this one came: whatever is below it had been acknowledged. The
first byte is in no UTF-8 text, so no event can contain a frame. A frame without an event only tells the floor.
"""

import struct
from collections.abc import Iterator
from typing import Final
from zlib import crc32

from msgspec import Struct

__all__ = ["Frame", "find_frames", "read_frame"]

_MAGIC: Final = b"\xf5LK1"
_HEAD: Final = struct.Struct(">4sQQqqIII")
_MAX_BYTES: Final = 1 << 20


class Frame(Struct, frozen=True):
    """One stored event: its number, when it was stored by both clocks of the device, and its JSON without `sent`.

    `uptime_ms` counts from the start of the machine that `boot` names.
    """

    seq: int
    floor: int
    stored_at_ms: int
    uptime_ms: int
    boot: int
    value: bytes

    def to_bytes(self) -> bytes:
        """The frame as it is stored."""
        fields = (self.seq, self.floor, self.stored_at_ms, self.uptime_ms, self.boot, len(self.value))
        return _HEAD.pack(_MAGIC, *fields, _check(fields, self.value)) + self.value


def read_frame(data: bytes, at: int = 0) -> Frame | None:
    """The frame that begins at this place; None where there is none, or not all of it as it was written."""
    if len(data) - at < _HEAD.size:
        return None
    magic, *fields, length, check = _HEAD.unpack_from(data, at)
    if magic != _MAGIC or length > _MAX_BYTES:
        return None
    value = data[at + _HEAD.size : at + _HEAD.size + length]
    if len(value) != length or _check((*fields, length), value) != check:
        return None
    seq, floor, stored_at_ms, uptime_ms, boot = fields
    return Frame(seq, floor, stored_at_ms, uptime_ms, boot, value)


def find_frames(data: bytes) -> Iterator[Frame]:
    """Every whole frame that lies anywhere in `data`, in the order of the bytes."""
    at = data.find(_MAGIC)
    while at >= 0:
        if (frame := read_frame(data, at)) is not None:
            yield frame
        at = data.find(_MAGIC, at + 1)


def _check(fields: tuple[int, ...], value: bytes) -> int:
    return crc32(value, crc32(repr(fields).encode()))
