"""Whatever bytes stand in a record, the decoder gives an event, or says what is wrong; at once, and keeps nothing."""

import random
from collections.abc import Callable
from typing import Final

import pytest

from loket.domain.events import Event
from loket.domain.unit import UnitState, apply
from loket.testing.builders import unit_policy
from loket.wire.cloudevents import Decoder, Foreign, encode, encode_binary
from loket.wire.examination import examine
from loket.wire.partition import partition_of
from loket.wire.record import Headers, WireRecord
from loket.wire.rejection import Reason, Rejected
from support.events import NOW, STRUCTURED
from support.fuzz_seeds import DICTIONARY_JSON, documents, structured
from support.fuzzing import LARGEST_BYTES, LONGEST_S, Campaign, Mutator, Tree, seed_of, sizes, took_s

PARTITIONS: Final = 4
KEY: Final = b"u"
EVENTS_A_STATE: Final = 500


class Reader:
    """Decodes a record, and holds the decoder to all that it says of itself; what is accepted is applied, too."""

    def __init__(self) -> None:
        self._decoder = Decoder(PARTITIONS)
        self._policy = unit_policy({"card": 300, "1": 60})
        self._state = UnitState("u", self._policy)
        self._applied = 0

    def __call__(self, record: WireRecord) -> str:
        try:
            found = self._decoder.decode(record)
        except Rejected as error:
            rejected = error
        else:
            return self._accepted(record, found)
        assert str(rejected).isprintable()
        return rejected.reason

    def _accepted(self, record: WireRecord, found: Event | Foreign) -> str:
        examined = examine(record.value, record.headers)
        if isinstance(found, Foreign):
            assert examined.foreign == found.type
            return "foreign"
        assert examined.event == found  # two ways, one answer
        for encoded in (encode(found), encode_binary(found)):
            again = WireRecord("t", record.partition, 0, NOW, encoded.key, encoded.value, tuple(encoded.headers))
            assert self._decoder.decode(again) == found
        if found.data.unit == "u":
            if self._applied >= EVENTS_A_STATE:
                self._state, self._applied = UnitState("u", self._policy), 0
            apply(self._state, found, NOW)
            self._applied += 1
        return "event"


class Records:
    """Makes records of which the value is spoilt, seldom the rest."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self._values = Mutator(structured(), DICTIONARY_JSON, self.rng, largest=LARGEST_BYTES)
        self._documents = Tree(documents(), self.rng)
        self._home = partition_of(KEY, PARTITIONS)

    def structured(self) -> WireRecord:
        """The bytes of a document spoilt, or one that stays JSON."""
        made = self._values if self.rng.random() < 0.4 else self._documents
        return self._record(made.make(), STRUCTURED)

    def binary(self) -> WireRecord:
        """The attributes of a document in headers, each spoilt as likely as the value."""
        rng = self.rng
        value, headers = rng.choice(_BINARY)
        made = list(headers)
        for _ in range(1 + int(rng.expovariate(0.7))):
            dice = rng.randrange(8)
            at = rng.randrange(len(made)) if made else 0
            if dice < 2 or not made:
                value = self._spoilt(value)
            elif dice == 2:
                del made[at]
            elif dice == 3:
                made.insert(at, made[rng.randrange(len(made))])
            elif dice == 4:
                made[at] = (rng.choice(_NAMES), made[at][1])
            else:
                made[at] = (made[at][0], self._spoilt(made[at][1]))
        return self._record(value, tuple(made))

    def _spoilt(self, value: bytes) -> bytes:
        return Mutator([value], DICTIONARY_JSON, self.rng).make()

    def _record(self, value: bytes | None, headers: Headers) -> WireRecord:
        rng = self.rng
        dice = rng.random()
        key: bytes | None = KEY
        partition, timestamp = self._home, NOW
        if dice < 0.01:
            key = rng.choice((None, b"", b"U", b"\xff", b"u" * 10_000))
        elif dice < 0.015:
            partition = rng.randrange(PARTITIONS)
        elif dice < 0.02:
            timestamp = rng.choice((-1, 0, NOW + 10**10, 2**63 - 1))
        elif dice < 0.022:
            value = None
        elif dice < 0.03:
            headers = rng.choice(_HEADERS)
        return WireRecord("t", partition, 7, timestamp, key, value, tuple(headers))


_BINARY: Final = [
    (
        structured()[index].partition(b'"data":')[2].removesuffix(b"}"),
        (
            ("content-type", b"application/json"),
            *(
                (f"ce_{name}", (str(value).lower() if value is True else str(value)).encode())
                for name, value in document.items()
                if name != "data"
            ),
        ),
    )
    for index, document in enumerate(documents())
]
_NAMES: Final = ("ce_id", "ce_", "ce_time", "CE_ID", "content-type", "Content-Type", "ce_ID", "ce_data", "", "x\udcff")
_HEADERS: Final[tuple[Headers, ...]] = (
    (),
    (("content-type", b"application/cloudevents+json;charset=latin-1"),),
    (("content-type", b"application/cloudevents+xml"),),
    (("content-type", b"\xff\xfe"),),
    (("content-type", b"application/cloudevents-batch+json"),),
    (("ce_type", b"loket.ticket.called"),),
    (("ce_id", b"\xff"),),
)


@pytest.mark.parametrize("inputs", sizes(12_000, 700_000))
@pytest.mark.timeout(3600)
def test_structured_records(inputs: int) -> None:
    campaign(Records.structured, inputs)


@pytest.mark.parametrize("inputs", sizes(5_000, 250_000))
@pytest.mark.timeout(3600)
def test_binary_records(inputs: int) -> None:
    campaign(Records.binary, inputs)


def campaign(make: Callable[[Records], WireRecord], inputs: int) -> None:
    seed = seed_of(f"records, {make.__name__}", long=inputs > 50_000)
    records = Records(seed)
    run = Campaign(lambda: make(records), Reader(), seed)
    run.run(inputs)
    # A campaign that is always refused at the door would find nothing behind it.
    assert run.results["event"] > inputs / 50
    never = {Reason.CONFLICTING_REPEAT, Reason.TOO_LARGE}
    assert {reason.value for reason in Reason if reason not in never} <= run.results.keys()


# What was found


def decoded(value: bytes, headers: Headers = STRUCTURED) -> tuple[str, str | None]:
    with pytest.raises(Rejected) as caught:
        Decoder(1).decode(WireRecord("t", 0, 7, NOW, KEY, value, tuple(headers)))
    return caught.value.reason, caught.value.field


EVENT: Final = (
    b'{"specversion":"1.0","type":"%s","source":"s","id":"1","time":"2026-01-31T09:00:00+07:00","data":{"unit":"u",%s}}'
)
SERVICES: Final = b'"counter":"1","employee":"e","services":[%s"x"]'
CORRECTION: Final = b'"of":{"source":"s","id":"0"},"set":{%s}'


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        # Each mark was tried as the beginning of a string: 64 KiB took 8 s, a megabyte half an hour.
        (b'"' + b'\\"' * 500_000, "not_json"),
        (b"[" * (1 << 20), "too_large"),
        (b"{}" * (1 << 19), "not_json"),
        (b'["",' + b'"",' * 300_000 + b'""]', "not_cloudevent"),
        (b"{" + b",".join(b'"k%d":1' % number for number in range(90_000)) + b"}", "not_cloudevent"),
        # A reader was made for each field that a correction sets.
        (
            EVENT % (b"loket.event.corrected", CORRECTION % b",".join(b'"%d":[]' % n for n in range(6_000))),
            "malformed_field",
        ),
        (
            EVENT % (b"loket.session.started", SERVICES % (b'"a b",' * 9_000)),
            "malformed_field",
        ),
    ],
    ids=["unclosed string", "brackets", "pairs", "strings", "attributes", "corrections", "services"],
)
def test_no_value_holds_the_stream_up(value: bytes, reason: str) -> None:
    assert decoded(value)[0] == reason
    assert took_s(lambda: decoded(value)) < LONGEST_S


def test_no_headers_hold_the_stream_up() -> None:
    headers = tuple((f"ce_{number}", b"x" * 4) for number in range(100_000))
    assert decoded(b"{}", headers)[0] == "not_cloudevent"
    assert took_s(lambda: decoded(b"{}", headers)) < LONGEST_S


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("x", "data.set.x"),
        ("\\u0000", "data.set"),
        ("\\u001b[2J", "data.set"),
        ("Siti Aminah", "data.set"),
        ("x" * 65, "data.set"),
    ],
)
def test_a_rejection_does_not_repeat_the_name_of_a_field_that_is_no_word(name: str, field: str) -> None:
    value = EVENT % (b"loket.event.corrected", CORRECTION % f'"{name}":[]'.encode())
    assert decoded(value) == ("malformed_field", field)
