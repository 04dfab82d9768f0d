"""Sends dead letters to the topic again, once what had them refused was mended.

```
page of letters ─▶ judged by the decoder of this version ─▶ sent ─▶ all acknowledged ─▶ marked as replayed
                         └─ would be refused again: stays, counted by reason                  ▲
                                     killed before: sent once more the next time, a repeat that changes nothing
```

A letter goes as it came: value and headers untouched, with the header `loket_replay_of` added, which names it; by its
key into the partition where that belongs. What may be changed on the way is said by `Mending`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

import msgspec
from msgspec import Raw, Struct, field
from sqlalchemy import Engine

from loket.clock import Clock
from loket.wire.cloudevents import ClockMode, Decoder
from loket.wire.examination import examine
from loket.wire.record import ATTRIBUTE_PREFIX, WireRecord, mode_of
from loket.wire.rejection import Reason, Rejected
from loket_consumers.dead_letters import DeadLetter, mark_replayed
from loket_consumers.engines import writing

__all__ = ["PAGE", "REPLAY_OF", "Judge", "Mending", "Replayed", "Sender", "replay"]

REPLAY_OF: Final = "loket_replay_of"
"""The header of a replayed record: topic:partition:offset of the dead letter."""

PAGE: Final = 500
"""So many letters are sent before they are marked."""

_OBJECT: Final = msgspec.json.Decoder(dict[str, Raw])


class Sender(Protocol):
    """What is needed of a producer: `flush` returns when all that was sent is acknowledged, and raises otherwise."""

    def send(self, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes]] = ...) -> None: ...

    def flush(self) -> None: ...


class Mending(Struct, frozen=True):
    """What is put right of a letter that is refused for it: the key (as its event's unit has it), and that an event
    that is too old tells of the past (`imported`)."""

    key_by_unit: bool = False
    as_imported: bool = False


class Replayed(Struct):
    """What a replay has done: letters sent by the reason they had, and those that stay by the reason they would get."""

    sent: Counter[str] = field(default_factory=Counter)
    stay: Counter[str] = field(default_factory=Counter)


class Judge:
    """Says of a letter what to send for it, by the decoder of this version; nothing is asked of anybody."""

    def __init__(self, clock: Clock, mode: ClockMode, now_ms: int | None, mending: Mending) -> None:
        # The producer chooses the partition by the key, so that of one partition it is always right.
        self._decoder = Decoder(1, clock=mode, now=lambda: clock.now_ms() if now_ms is None else now_ms)
        self._clock = clock
        self._mending = mending

    def judge(self, letter: DeadLetter) -> WireRecord | Reason:
        """The record to send for a letter, or why it would be refused again."""
        if letter.reason == Reason.CONFLICTING_REPEAT:
            return Reason.CONFLICTING_REPEAT  # the first stands, whatever was mended
        headers = tuple((name, value) for name, value in letter.unpacked_headers() if name != REPLAY_OF)
        record = WireRecord(letter.topic, 0, -1, self._clock.now_ms(), letter.key, letter.value, headers)  # type: ignore[arg-type]  # a header may have no value
        for _ in range(3):  # as it is, and once for each of what may be put right
            try:
                self._decoder.decode(record)
            except Rejected as rejected:
                mended = self._mended(record, rejected.reason)
                if mended is None:
                    return rejected.reason
                record = mended
            else:
                return msgspec.structs.replace(record, headers=(*record.headers, (REPLAY_OF, letter.name.encode())))
        return Reason.KEY_MISMATCH

    def _mended(self, record: WireRecord, reason: Reason) -> WireRecord | None:
        event = examine(record.value, record.headers).event
        if event is None:
            return None
        if reason is Reason.KEY_MISMATCH and self._mending.key_by_unit:
            return msgspec.structs.replace(record, key=event.data.unit.encode())
        is_old = event.time < record.timestamp
        if reason is Reason.IMPLAUSIBLE_TIME and is_old and not event.imported and self._mending.as_imported:
            return _imported(record)
        return None


def _imported(record: WireRecord) -> WireRecord:
    """The same event with the attribute `imported`; its other bytes stay."""
    if mode_of(record.headers) == "binary":
        name = f"{ATTRIBUTE_PREFIX}imported"
        others = tuple(header for header in record.headers if header[0] != name)
        return msgspec.structs.replace(record, headers=(*others, (name, b"true")))
    told = _OBJECT.decode(record.value or b"{}") | {"imported": Raw(b"true")}
    return msgspec.structs.replace(record, value=msgspec.json.encode(told))


def replay(
    letters: Iterable[Sequence[DeadLetter]],
    judge: Judge,
    sender: Sender | None,
    engine: Engine,
    clock: Clock,
    done: Replayed,
    on_page: Callable[[], None] = lambda: None,
) -> None:
    """Send pages of letters and mark each page once it is acknowledged; without a sender nothing is sent or marked.

    `done` is kept up to date as it goes, so that who is interrupted knows: what it counts as sent is marked. Raises
    DeliveryFailed and what else the broker is, DatabaseAway, DatabaseRefuses.
    """
    for page in letters:
        sent: list[DeadLetter] = []
        stay: Counter[str] = Counter()
        for letter in page:
            found = judge.judge(letter)
            if isinstance(found, Reason):
                stay[found] += 1
                continue
            sent.append(letter)
            if sender is not None:
                sender.send(found.key or b"", found.value or b"", found.headers)
        if sender is not None and sent:
            sender.flush()
            with writing(engine) as connection:
                mark_replayed(connection, sent, clock.now_ms())
        done.sent.update(letter.reason for letter in sent)
        done.stay.update(stay)
        on_page()
