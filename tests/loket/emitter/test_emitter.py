"""The library as a counter's program uses it, with its thread."""

import os
import threading
from pathlib import Path

import pytest

from loket.emitter import Emitter, Heartbeat, Limits, OutboxClosed, OutboxFull, Pseudonyms
from loket.wire.rejection import Rejected
from support.emitting import BOOT, FakeBroker, HandClock


def _emitter(tmp_path: Path, broker: FakeBroker | None = None, **options: object) -> Emitter:
    connect = broker.connect if broker is not None else None
    return Emitter(tmp_path / "o.db", "dev/1", connect=connect, clock=HandClock(), boot=BOOT, **options)  # type: ignore[arg-type]  # each test gives what it needs


def test_what_is_told_arrives_in_order(tmp_path: Path) -> None:
    broker = FakeBroker()
    with _emitter(tmp_path, broker) as emitter:
        ids = [
            emitter.issued("u", "A-1", "ktp", channel="kiosk"),
            emitter.called("u", "A-1", counter="3", employee="E1"),
            emitter.started("u", "A-1", counter="3", employee=None),
            emitter.completed("u", "A-1"),
            emitter.tell("counter.closed", "u", counter="3"),
            *emitter.emit_all([{"type": "loket.queue.closed", "data": {"unit": "u"}}] * 2),
        ]
        assert emitter.wait(0, 60)
    assert broker.ids == ids
    assert [event["type"].removeprefix("loket.") for event in broker.received] == [
        "ticket.issued",
        "ticket.called",
        "service.started",
        "service.completed",
        "counter.closed",
        "queue.closed",
        "queue.closed",
    ]
    assert broker.received[2]["data"] == {"unit": "u", "counter": "3"}


def test_all_or_none_of_several_are_stored(tmp_path: Path) -> None:
    emitter = _emitter(tmp_path)
    with pytest.raises(Rejected):
        emitter.emit_all([{"type": "loket.queue.closed", "data": {"unit": "u"}}, {"type": "loket.queue.closed"}])
    assert emitter.pending == 0
    assert emitter.emit_all([]) == []
    emitter.close()


def test_a_caller_is_never_held_up_by_a_broker_that_does_not_answer(tmp_path: Path) -> None:
    asked, released = threading.Event(), threading.Event()

    def connect() -> FakeBroker:
        asked.set()
        assert released.wait(60)
        return broker

    broker = FakeBroker()
    emitter = Emitter(tmp_path / "o.db", "dev/1", connect=connect, clock=HandClock(), boot=BOOT)
    emitter.issued("u", "A-0", "s")
    assert asked.wait(60)  # the sender hangs now
    for number in range(1, 50):
        emitter.issued("u", f"A-{number}", "s")
    assert emitter.close(0.05) == 50
    with pytest.raises(OutboxClosed, match="is closed: make a new one"):
        emitter.issued("u", "A-50", "s")

    released.set()  # whatever it does now cannot reach the outbox of the next
    with _emitter(tmp_path, FakeBroker()) as after:
        assert after.wait(0, 60)


def test_closing_sends_what_it_can_and_says_what_is_left(tmp_path: Path) -> None:
    broker = FakeBroker()
    emitter = _emitter(tmp_path, broker)
    for number in range(100):
        emitter.issued("u", str(number), "s")
    assert emitter.close(90) == 0
    assert emitter.close() == 0
    assert len(broker.received) == 100


def test_several_threads_share_one_emitter(tmp_path: Path) -> None:
    broker = FakeBroker()
    emitter = _emitter(tmp_path, broker)

    def emit(name: str) -> None:
        for number in range(25):
            emitter.issued("u", f"{name}-{number}", "s")

    threads = [threading.Thread(target=emit, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert emitter.close(90) == 0
    for name in "abcd":
        assert [e["subject"] for e in broker.received if e["subject"][0] == name] == [f"{name}-{n}" for n in range(25)]


def test_full_is_an_error_of_the_call_and_room_comes_back(tmp_path: Path) -> None:
    broker = FakeBroker(plan=["away"])
    emitter = _emitter(tmp_path, broker, limits=Limits(max_events=2))
    emitter.issued("u", "1", "s")
    emitter.issued("u", "2", "s")
    with pytest.raises(OutboxFull):
        emitter.issued("u", "3", "s")
    assert emitter.pending == 2
    emitter.close(0)


def test_a_fault_that_nobody_knows_does_not_end_the_sending(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broker = FakeBroker()
    calls = 0

    def connect() -> FakeBroker:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ZeroDivisionError
        return broker

    emitter = Emitter(tmp_path / "o.db", "dev/1", connect=connect, clock=HandClock(), boot=BOOT)
    emitter.issued("u", "1", "s")
    while calls < 2:
        emitter.issued("u", "more", "s")  # wakes it before its pause is over
    assert emitter.close(90) == 0
    assert "sending failed for a reason that Loket does not know" in caplog.text


def test_a_heartbeat_says_how_much_waits_and_since_when_and_that_the_clock_jumped(tmp_path: Path) -> None:
    broker, clock = FakeBroker(), HandClock()
    emitter = Emitter(tmp_path / "o.db", "dev/1", clock=clock, boot=BOOT)
    emitter.issued("u", "1", "s")
    clock.pass_s(60)
    clock.wall_ms += 7_200_000
    emitter.issued("u", "2", "s")
    emitter.close()

    beat = Heartbeat(unit="u", counter="3")
    emitter = Emitter(tmp_path / "o.db", "dev/1", connect=broker.connect, clock=clock, boot=BOOT, heartbeat=beat)
    assert emitter.close(90) == 0

    assert broker.received[0]["type"] == "loket.counter.heartbeat"
    assert broker.received[0]["data"] == {
        "unit": "u",
        "counter": "3",
        "pending": 2,
        "oldest_pending_at": "2027-01-15T08:00:00.000Z",
        "clock_jumps": 1,
        "clock_jumped_ms": 7_200_000,
    }


def test_a_heartbeat_that_no_reader_would_take_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"data\.unit"):
        _emitter(tmp_path, heartbeat=Heartbeat(unit="balai kota", counter="3"))
    assert list(tmp_path.iterdir()) == []


def test_no_personal_number_reaches_the_disk_or_the_broker(tmp_path: Path) -> None:
    broker = FakeBroker()
    nip = "198501012010011001"
    with _emitter(tmp_path, broker, pseudonyms=Pseudonyms(bytes(range(48)))) as emitter:
        emitter.called("u", "A-1", employee=nip)
        stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert nip.encode() not in stored
    assert broker.received[0]["data"]["employee"].startswith("p")


def test_a_forked_process_is_told_to_open_its_own(tmp_path: Path) -> None:
    emitter = _emitter(tmp_path)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            emitter.issued("u", "1", "s")
        except OutboxClosed as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert f"belongs to process {os.getpid()}" in os.read(reading, 1_000).decode()
    os.close(reading)
    os.close(writing)
    emitter.close()
