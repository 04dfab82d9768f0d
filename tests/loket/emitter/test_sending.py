"""What waits is sent in order, once, however often the broker is away."""

from pathlib import Path

import pytest

from loket.emitter.outbox import Outbox
from loket.emitter.status import read_status
from loket.wire.instant import parse_instant
from support.emitting import START_MS, Bench, FakeBroker


def _bench(tmp_path: Path, *plan: str) -> Bench:
    return Bench(tmp_path, FakeBroker(plan=list(plan) or ["ok"]))


def test_a_day_offline_loses_nothing_and_sends_in_order(tmp_path: Path) -> None:
    bench = _bench(tmp_path, *["away"] * 20, "ok")
    for number in range(300):
        bench.put(f"T-{number}")
        if number % 30 == 0:
            bench.sender.step()
            bench.clock.pass_s(4_800)
    assert bench.broker.received == []

    bench.send()

    assert bench.broker.ids == [f"T-{number}" for number in range(300)]
    assert bench.outbox.pending == 0
    bench.restart()
    bench.send()
    assert len(bench.broker.received) == 300


def test_sent_is_the_time_of_the_attempt_and_time_stays(tmp_path: Path) -> None:
    bench = _bench(tmp_path, "lost answer", "ok")
    bench.put("T-1")
    bench.clock.pass_s(3_600)
    bench.send()

    first, second = bench.broker.received
    assert parse_instant(first["time"]) == parse_instant(second["time"]) == START_MS
    assert parse_instant(first["sent"]) == START_MS + 3_600_000
    assert parse_instant(second["sent"]) == START_MS + 3_600_500  # after the first pause


def test_what_arrived_without_an_answer_comes_again_with_the_same_id_before_anything_newer(tmp_path: Path) -> None:
    bench = _bench(tmp_path, "lost answer", "ok")
    for name in "abc":
        bench.put(name)
    bench.sender.step()
    bench.put("d")
    bench.send()
    assert bench.broker.ids == ["a", "b", "c", "a", "b", "c", "d"]


def test_pauses_grow_to_half_a_minute_and_end_with_the_first_acknowledgement(tmp_path: Path) -> None:
    bench = _bench(tmp_path, *["away"] * 8, "ok", "away", "ok")
    bench.put("a")
    pauses = []
    while bench.outbox.pending:
        pauses.append(bench.sender.step())
        bench.clock.pass_s(pauses[-1])
    assert pauses == [0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 30.0, 30.0, 0.0]


def test_before_its_pause_is_over_nothing_is_tried(tmp_path: Path) -> None:
    bench = _bench(tmp_path, "away", "ok")
    bench.put("a")
    assert bench.sender.step() == 0.5
    assert bench.sender.step() == 0.5
    assert bench.broker.received == []


@pytest.mark.parametrize("whole_waves", [False, True])
def test_an_event_that_the_broker_refuses_is_set_aside_with_the_reason_and_the_others_go_on(
    tmp_path: Path, whole_waves: bool
) -> None:
    bench = _bench(tmp_path)
    bench.broker.refused = {b'"id":"T-3"', b'"id":"T-7"'}
    bench.broker.whole_waves = whole_waves
    for number in range(10):
        bench.put(f"T-{number}")
    bench.send()

    assert bench.broker.ids == [f"T-{number}" for number in range(10) if number not in (3, 7)]
    rows = bench.outbox.aside()
    assert [row.seq for row in rows] == [4, 8]
    assert all(row.reason.startswith("the broker refuses it: ") for row in rows)
    assert sum(read_status(bench.path).set_aside.values()) == 2
    bench.restart()
    bench.send()
    assert len(bench.broker.received) == 8


def test_a_wave_that_fails_is_narrower_the_next_time_as_the_line_may_be_slow(tmp_path: Path) -> None:
    bench = _bench(tmp_path, "failed", "failed", "ok")
    for number in range(100):
        bench.put(str(number))
    bench.send()
    assert bench.broker.waves == [64, 32, 16, 32, 52]
    assert bench.broker.ids == [str(number) for number in range(100)]


def test_what_is_acknowledged_and_cannot_be_marked_is_not_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = _bench(tmp_path)
    bench.put("a")
    from loket.emitter.errors import OutboxUnwritable

    def broken(self: Outbox, *_: object) -> None:
        raise OutboxUnwritable(self.path, "the disk has a fault")

    with monkeypatch.context() as patched:
        patched.setattr(Outbox, "acknowledge", broken)
        for _ in range(5):
            bench.clock.pass_s(bench.sender.step())
    bench.put("b")
    bench.send()

    assert bench.broker.ids == ["a", "b"]


def test_trouble_and_its_end_are_in_the_status(tmp_path: Path) -> None:
    bench = _bench(tmp_path, "away", "away", "ok")
    bench.put("a")
    bench.sender.step()
    bench.clock.pass_s(60)
    bench.sender.step()
    sending = read_status(bench.path).sending
    assert sending.trouble is not None
    assert "no Kafka broker answers at nowhere:9092" in sending.trouble
    assert sending.trouble_since_ms == START_MS

    bench.clock.pass_s(60)
    bench.broker.broker_ms = bench.clock.wall_ms + 90_000
    bench.send()
    sending = read_status(bench.path).sending
    assert sending.trouble is None
    assert sending.acknowledged_at_ms == bench.clock.wall_ms
    assert sending.broker_ahead_ms == 90_000


def test_heartbeats_come_each_minute_ahead_of_what_waits_and_are_not_stored(tmp_path: Path) -> None:
    bench = _bench(tmp_path, "ok")
    beats = 0

    def beat() -> bytes:
        nonlocal beats
        beats += 1
        event = {"type": "loket.counter.heartbeat", "id": f"beat-{beats}", "data": {"unit": "u", "counter": "1"}}
        return bench.drafting.draft(event, bench.clock.wall_ms).value

    bench.crash()
    bench.heartbeat = beat
    bench.start()
    bench.put("a")
    bench.send()
    assert bench.broker.ids == ["beat-1", "a"]
    assert bench.sender.step() == 10.0
    bench.clock.pass_s(59)
    assert bench.sender.step() == 1.0
    bench.clock.pass_s(1)
    bench.broker.plan = ["away", "ok"]
    bench.clock.pass_s(bench.sender.step())
    assert bench.outbox.pending == 0
    bench.clock.pass_s(60)
    bench.sender.step()
    assert bench.broker.ids == ["beat-1", "a", "beat-3"]
    assert read_status(bench.path).sending.trouble is None
