"""What is sent for a dead letter, what is left, and what is lost when a replay is interrupted: nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine

from loket.broker import BrokerAway
from loket.cli import main
from loket.domain.policy import DAY, HOUR
from loket.testing.clock import FrozenClock
from loket.wire.cloudevents import encode, encode_binary
from loket.wire.record import WireRecord
from loket.wire.rejection import Reason
from loket_consumers.dead_letters import Chosen, DeadLetter, count, find, pages
from loket_consumers.engines import connect, reading, writing
from loket_consumers.migrating import upgrade
from loket_consumers.replaying import REPLAY_OF, Judge, Mending, Replayed, replay
from loket_consumers.storing import store
from support.logs import DAY_BEGINS, POLICY, make
from support.process import free_port
from support.recorded import TOPIC, decoded, empty

NOW = DAY_BEGINS + 6 * HOUR
EVENT = make("ticket.issued", "1", NOW, "A1", "clinic", service="general")
OLD = make("ticket.issued", "1", NOW - 40 * DAY, "A1", "clinic", service="general")


class Sender:
    """A producer that goes away at its `n`th flush."""

    def __init__(self, away_at: int = 0) -> None:
        self.sent: list[tuple[bytes, bytes, tuple[tuple[str, bytes], ...]]] = []
        self._flushes = 0
        self._away_at = away_at

    def send(self, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        self.sent.append((key, value, tuple(headers)))

    def flush(self) -> None:
        self._flushes += 1
        if self._flushes == self._away_at:
            raise BrokerAway("127.0.0.1:9092", OSError("gone"))


def letter(
    value: bytes | None, *, key: bytes | None = b"clinic", reason: Reason = Reason.WRONG_PARTITION, headers: object = ()
) -> DeadLetter:
    packed = msgspec.msgpack.encode(headers) if headers else None
    return DeadLetter(TOPIC, 3, 7, NOW, "clinic", reason, None, "", "s", "1", key, value, packed, None)


def judged(given: DeadLetter, *, key_by_unit: bool = False, as_imported: bool = False) -> WireRecord | Reason:
    return Judge(FrozenClock(NOW), "service", None, Mending(key_by_unit, as_imported)).judge(given)


def test_what_is_taken_now_goes_as_it_came_with_a_header_that_names_its_letter() -> None:
    sent = encode(EVENT)
    found = judged(letter(sent.value, headers=sent.headers))
    assert isinstance(found, WireRecord)
    assert (found.key, found.value) == (b"clinic", sent.value)
    assert found.headers == (*sent.headers, (REPLAY_OF, b"loket.events:3:7"))
    again = judged(letter(sent.value, headers=list(found.headers)))
    assert again == found


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (letter(b"nonsense"), Reason.NOT_JSON),
        (letter(None), Reason.NOT_JSON),
        (letter(encode(EVENT).value, key=b"ward"), Reason.KEY_MISMATCH),
        (letter(encode(EVENT).value, key=None), Reason.KEY_MISMATCH),
        (letter(encode(OLD).value), Reason.IMPLAUSIBLE_TIME),
        (letter(encode(EVENT).value, reason=Reason.CONFLICTING_REPEAT), Reason.CONFLICTING_REPEAT),
    ],
)
def test_what_would_be_refused_again_is_left_with_the_reason(given: DeadLetter, reason: Reason) -> None:
    assert judged(given) is reason


def test_a_key_is_put_right_only_if_that_is_asked_for() -> None:
    found = judged(letter(encode(EVENT).value, key=None), key_by_unit=True)
    assert isinstance(found, WireRecord)
    assert found.key == b"clinic"
    assert judged(letter(b"{}", key=None), key_by_unit=True) is Reason.NOT_CLOUDEVENT


def test_an_old_event_is_marked_as_imported_only_if_that_is_asked_for() -> None:
    found = judged(letter(encode(OLD).value, key=b"x"), key_by_unit=True, as_imported=True)
    assert isinstance(found, WireRecord)
    plain = msgspec.json.decode(encode(OLD).value)
    assert msgspec.json.decode(found.value or b"") == plain | {"imported": True}
    binary = encode_binary(OLD)
    found = judged(letter(binary.value, headers=binary.headers), as_imported=True)
    assert isinstance(found, WireRecord)
    assert found.value == binary.value
    assert ("ce_imported", b"true") in found.headers
    ahead = encode(make("ticket.issued", "1", NOW + 3 * DAY, "A1", "clinic", service="general"))
    assert judged(letter(ahead.value), as_imported=True) is Reason.IMPLAUSIBLE_TIME


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A record with twelve dead letters: ten in the wrong partition, of two sources, and two of nonsense."""
    url = f"sqlite:///{tmp_path / 'record.db'}" if request.param == "sqlite" else request.getfixturevalue("database")
    made = connect(url)
    upgrade(made)
    empty(made, partitions=2)
    records = []
    for number in range(10):
        event = make("ticket.issued", str(number), NOW + number, f"A{number}", "clinic", service="general")
        event = msgspec.structs.replace(event, source=f"s{number % 2}")
        sent = encode(event)
        records.append(WireRecord(TOPIC, 1, number, NOW + number, sent.key, sent.value, tuple(sent.headers)))
    records += [WireRecord(TOPIC, 1, 10 + n, NOW + 10 + n, b"clinic", b"\x1b[31m", ()) for n in range(2)]
    with writing(made) as connection:
        store(connection, TOPIC, {1: decoded(records)}, {1: 0}, POLICY)  # of one partition: 1 is the wrong one
    yield made
    made.dispose()


def run(engine: Engine, sender: Sender | None, chosen: Chosen, size: int = 4) -> Replayed:
    done = Replayed()
    clock = FrozenClock(NOW + HOUR)
    replay(pages(engine, chosen, size), Judge(clock, "service", None, Mending()), sender, engine, clock, done)
    return done


def test_a_replay_sends_what_is_taken_now_marks_it_and_leaves_the_rest(engine: Engine) -> None:
    assert run(engine, None, Chosen(replayed=False)).sent.total() == 10
    sender = Sender()
    done = run(engine, sender, Chosen(replayed=False))
    assert (done.sent, done.stay) == ({"wrong_partition": 10}, {"not_json": 2})
    assert [dict(headers)[REPLAY_OF].decode() for _, _, headers in sender.sent] == [f"{TOPIC}:1:{n}" for n in range(10)]
    with reading(engine) as connection:
        assert {each.replayed_at for each in find(connection, Chosen(replayed=True), 50)} == {NOW + HOUR}
        told = [(each.reason, each.number, each.replayed) for each in count(connection, Chosen())]
    assert told == [("not_json", 2, 0), ("wrong_partition", 10, 10)]
    assert run(engine, sender, Chosen(replayed=False)).sent.total() == 0
    assert run(engine, sender, Chosen()).sent.total() == 10


@pytest.mark.parametrize(
    ("chosen", "ids"),
    [
        (Chosen(source="s1"), "13579"),
        (Chosen(source="s1", id="3"), "3"),
        (Chosen(since=NOW + 3, until=NOW + 5), "34"),
        (Chosen(reason="wrong_partition", unit="clinic"), "0123456789"),
        (Chosen(unit="ward"), ""),
        (Chosen(topic="another"), ""),
        (Chosen(reason="not_json"), ""),
    ],
)
def test_only_what_is_chosen_is_sent(engine: Engine, chosen: Chosen, ids: str) -> None:
    sender = Sender()
    run(engine, sender, chosen, size=3)
    assert "".join(msgspec.json.decode(value)["id"] for _, value, _ in sender.sent) == ids


def test_what_was_not_acknowledged_is_not_marked_and_is_sent_the_next_time(engine: Engine) -> None:
    sender = Sender(away_at=2)
    with pytest.raises(BrokerAway):
        run(engine, sender, Chosen(replayed=False))
    with reading(engine) as connection:
        assert len(find(connection, Chosen(replayed=True), 50)) == 4
    assert run(engine, sender, Chosen(replayed=False)).sent.total() == 6
    assert len(sender.sent) == 14


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(("dead-letters", *arguments))
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.fixture
def calling(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOKET_DATABASE", engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("LOKET_CLOCK", "event")  # the events are of the past
    monkeypatch.setenv("LOKET_BOOTSTRAP", f"127.0.0.1:{free_port()}")
    monkeypatch.setenv("COLUMNS", "200")


@pytest.mark.usefixtures("calling")
def test_a_dry_run_needs_no_broker_and_says_what_would_be_sent_and_what_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, out, _ = call(capsys, "replay", "--dry-run")
    assert status == 0
    assert out == (
        f"Would be replayed to {TOPIC}: 10: wrong_partition 10\nLeft, as they would be refused again: 2: not_json 2\n"
    )
    _, out, _ = call(capsys, "replay", "--dry-run", f"{TOPIC}:1:3", f"{TOPIC}:1:3")
    assert out == f"Would be replayed to {TOPIC}: 1: wrong_partition 1\n"
    _, out, _ = call(capsys, "replay", "--dry-run", "--reason", "not_json")
    assert out.startswith("Nothing to replay: all of them would be refused again\n")


@pytest.mark.usefixtures("calling")
@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["--source", "nobody"], 1, "no dead letter of loket.events is left"),
        (["--topic", "another"], 1, "no dead letter of another is left"),
        (["--since", "yesterday"], 2, "--since 'yesterday' names no instant"),
        (["--reason", "bad"], 2, "there is no reason 'bad'"),
        ([f"{TOPIC}:1:99"], 2, "there is no dead letter loket.events:1:99"),
        ([f"{TOPIC}:1:{'9' * 30}"], 2, "is no dead letter"),
        ([f"{TOPIC}:1:3", "--unit", "clinic"], 2, "not both"),
        ([f"{TOPIC}:1:3", "--topic", "another"], 2, "name it with --topic"),
    ],
)
def test_what_cannot_be_replayed_is_said_before_anything_is_sent(
    capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, told: str
) -> None:
    found, _, err = call(capsys, "replay", *arguments)
    assert (found, told in err) == (status, True), err


def test_what_was_replayed_is_named_where_nothing_is_left(
    engine: Engine, calling: None, capsys: pytest.CaptureFixture[str]
) -> None:
    run(engine, Sender(), Chosen())
    status, _, err = call(capsys, "replay", "--reason", "wrong_partition")
    assert status == 1
    assert "10 were replayed before, and --again takes them too" in err
    status, _, err = call(capsys, "replay", f"{TOPIC}:1:3")
    assert status == 2
    assert "--again sends it once more" in err
    _, out, _ = call(capsys, "list", "--not-replayed")
    assert "In all 2: not_json 2\n" in out
    assert "\\x1b[31m" in out
    _, out, _ = call(capsys, "list", "--replayed", "--limit", "1")
    assert "2026-01-31T03:00:00" in out
    assert "In all 10: wrong_partition 10\nReplayed before: 10: wrong_partition 10\nand 9 older" in out


@pytest.mark.usefixtures("calling")
def test_a_broker_that_is_away_is_said_and_nothing_is_marked(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = call(capsys, "replay")
    assert status == 1
    assert "no Kafka broker answers" in err
    with reading(engine) as connection:
        assert find(connection, Chosen(replayed=True), 50) == []
