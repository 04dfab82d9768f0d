"""`loket import` as a person calls it."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from loket import cli
from loket.broker import KafkaEventConsumer, apply_topics, events_topic
from loket.embedded import EmbeddedBroker
from loket.wire.record import Record

MAPPING = """\
zone: Asia/Jakarta
source: export
unit: {column: unit}
service: ktp
subject: {columns: [number]}
times: {came: {column: came, format: iso}}
events:
  - {type: ticket.issued, time: came}
"""
LOG = """\
unit,number,came
a,A3,2026-01-05 08:03:00
b,A1,2026-01-05 08:01:00
a,A2,yesterday
a,A4,2026-01-05 08:04:00
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    log, mapping = tmp_path / "log.csv", tmp_path / "mapping.yaml"
    log.write_text(LOG)
    mapping.write_text(MAPPING)
    return str(log), str(mapping)


def call(*arguments: str) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["import", *arguments])
    return ended.value.code


def test_a_dry_run_shows_the_events_by_time_and_what_is_refused_and_needs_no_broker(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(files[0], "--mapping", files[1], "--dry-run", "--bootstrap", "127.0.0.1:1") == 0
    shown = capsys.readouterr()
    events = [json.loads(line) for line in shown.out.splitlines()]
    assert [event["subject"] for event in events] == ["A1", "A3", "A4"]
    assert all(event["imported"] for event in events)
    assert "Rows refused: 1" in shown.err
    assert "yesterday" in shown.err
    assert "rows read: 4, refused: 1, events that would be sent to loket.events: 3" in shown.err


def test_a_limit_takes_the_first_by_time(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(files[0], "--mapping", files[1], "--dry-run", "--limit", "1") == 0
    shown = capsys.readouterr()
    assert [json.loads(line)["subject"] for line in shown.out.splitlines()] == ["A1"]
    assert "would be sent to loket.events: 1" in shown.err


@pytest.mark.parametrize(
    ("broken", "text", "says"),
    [
        ("log", LOG.replace(",", ";"), "write `delimiter: semicolon`"),
        ("log", LOG.replace("came", "kam"), "no column `came`"),
        ("mapping", MAPPING.replace("came, format", "came, fromat"), "did you mean `format`?"),
    ],
)
def test_a_file_that_is_wrong_is_named_before_any_broker_is_asked(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str], broken: str, text: str, says: str
) -> None:
    Path(files[0] if broken == "log" else files[1]).write_text(text)
    assert call(files[0], "--mapping", files[1], "--bootstrap", "127.0.0.1:1") == 2
    assert says in capsys.readouterr().err


def test_a_log_without_a_mapping_and_a_file_that_is_not_there_are_wrong_calls(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(files[0]) == 2
    assert "give --mapping" in capsys.readouterr().err
    assert call("nowhere.jsonl") == 2
    assert "nowhere.jsonl: cannot be read" in capsys.readouterr().err


def test_without_a_broker_it_says_so_with_status_1(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(files[0], "--mapping", files[1], "--bootstrap", "127.0.0.1:1") == 1
    assert "127.0.0.1:1" in capsys.readouterr().err


class TestWithABroker:
    @pytest.fixture
    def topic(self, embedded: EmbeddedBroker) -> str:
        name = f"events-{uuid.uuid4().hex[:8]}"
        apply_topics(embedded.connection, [events_topic(name, 3)])
        return name

    def received(self, embedded: EmbeddedBroker, topic: str, number: int) -> list[Record]:
        consumer = KafkaEventConsumer(embedded.connection, topic, f"g-{topic}", session_timeout_ms=6_000)
        consumer.subscribe(lambda partitions: None, lambda partitions: None)
        found: list[Record] = []
        for _ in range(60):
            for records in consumer.poll(500, 1_000).values():
                found.extend(records)
            if len(found) >= number:
                break
        consumer.close()
        return found

    def test_two_imports_send_the_same_events_keyed_by_unit_and_in_order(
        self, embedded: EmbeddedBroker, topic: str, files: tuple[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        for _ in range(2):
            assert call(files[0], "--mapping", files[1], "--bootstrap", embedded.bootstrap, "--topic", topic) == 0
            assert f"events sent to {topic}: 3" in capsys.readouterr().err
        records = self.received(embedded, topic, 6)
        by_unit: dict[bytes | None, list[tuple[str, str]]] = {}
        for record in sorted(records, key=lambda record: record.offset):
            event = json.loads(record.value or b"")
            by_unit.setdefault(record.key, []).append((event["subject"], event["id"]))
            assert dict(record.headers)["content-type"].startswith(b"application/cloudevents+json")
        assert by_unit == {
            b"a": [("A3", "A3/ticket.issued"), ("A4", "A4/ticket.issued")] * 2,
            b"b": [("A1", "A1/ticket.issued")] * 2,
        }

    def test_lines_of_cloud_events_are_sent_as_they_are_good_or_bad(
        self, embedded: EmbeddedBroker, topic: str, tmp_path: Path
    ) -> None:
        lines = [b'{"specversion":"1.0","data":{"unit":"a"}}', b"no event at all", b"\xff\xff"]
        file = tmp_path / "events.jsonl"
        file.write_bytes(b"\n".join(lines))
        assert call(str(file), "--bootstrap", embedded.bootstrap, "--topic", topic) == 0
        records = self.received(embedded, topic, 3)
        assert {record.value: record.key for record in records} == dict(
            zip(lines, (b"a", b"unknown", b"unknown"), strict=True)
        )


def test_an_import_that_is_interrupted_says_how_to_go_on(
    files: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupting:
        def __init__(self, connection: object, topic: str) -> None:
            self.sent = 0

        def __enter__(self) -> Interrupting:
            return self

        def __exit__(self, *error: object) -> None: ...

        def send(self, *record: object) -> None:
            self.sent += 1
            if self.sent == 3:
                raise KeyboardInterrupt

    monkeypatch.setattr("loket.broker.EventProducer", Interrupting)
    assert call(files[0], "--mapping", files[1]) == 130
    said = " ".join(capsys.readouterr().err.split())
    assert "up to 2 events are sent. Import the same log again" in said
