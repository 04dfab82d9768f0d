"""The commands of the README, in its order, on Apache Kafka and PostgreSQL."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from loket.agreement import compare
from loket.agreement.metrics import figures_of
from loket.catalogue.pipeline import APPLIED_OFFSET
from loket.catalogue.sink import SINK_NEXT_OFFSET
from loket.domain.policy import HOUR
from loket.scrape import Sample, Unreachable, scrape
from loket.simulator import workload, workload_targets
from loket.targets import load_targets
from loket.wire.figures import RecordFigures
from loket.wire.instant import format_instant
from support.kafka import KafkaBroker
from support.oracle import without_zeros
from support.process import free_port, wait_until
from support.trying import Tried, figures_of_oracle, loket_process, run_loket, write_jsonl


@contextmanager
def _running(command: str, scratch: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    with loket_process([command], scratch, environment) as process:
        yield process
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said


def _read(url: str, name: str) -> int:
    """All records that a process has behind it, by the offsets that it shows."""
    try:
        return round(sum(sample.value for sample in scrape(f"{url}/metrics") if sample.name == name))
    except Unreachable:
        return 0


def test_the_commands_of_the_readme_in_its_order(kafka: KafkaBroker, database: str, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    now_ms = int(time.time() * 1000)
    events = list(workload(11, 3, 2, 4, 300, start_ms=now_ms - 3 * HOUR, span_ms=HOUR))
    log = write_jsonl(tmp_path / "log.jsonl", events)
    targets = tmp_path / "targets.yaml"
    targets.write_text(workload_targets(3, 2), encoding="utf-8")
    ports = free_port(), free_port()
    worker_url, sink_url = (f"http://127.0.0.1:{port}" for port in ports)
    environment = {
        "LOKET_BOOTSTRAP": kafka.bootstrap,
        "LOKET_TOPIC": "readme.events",
        "LOKET_APP_ID": "readme-worker",
        "LOKET_GROUP_ID": "readme-sink",
        "LOKET_TARGETS": str(targets),
        "LOKET_DATABASE": database,
        "LOKET_PARTITIONS": "3",
        "LOKET_WORKER_METRICS_PORT": str(ports[0]),
        "LOKET_SINK_METRICS_PORT": str(ports[1]),
    }

    def loket(*arguments: str | Path) -> Tried:
        done = run_loket(*arguments, scratch=scratch, environment=environment)
        assert done.status == 0, done.err + done.out
        return done

    loket("topics", "apply")
    loket("topics", "check")
    loket("db", "upgrade")
    with _running("worker", scratch, environment), _running("sink", scratch, environment):
        loket("import", log)
        wait_until(lambda: _read(worker_url, APPLIED_OFFSET.name) >= len(events), 120, "the worker")
        wait_until(lambda: _read(sink_url, SINK_NEXT_OFFSET.name) >= len(events), 120, "the sink")

        status = loket("status", "--url", worker_url)
        assert "unit-0000" in status.out
        assert "lag: 0" in status.out

        samples: list[Sample] = [*scrape(f"{worker_url}/metrics"), *scrape(f"{worker_url}/metrics/employees")]
        told = re.findall(r"at (\S+Z); lag", status.out)
        assert told
        # Hours after the last event nothing depends on the second at which a figure is evaluated.
        record = msgspec.json.decode(
            loket("record", "figures", "--json", "--now", format_instant(now_ms)).out.encode(), type=RecordFigures
        )
        agreement = compare(figures_of(samples), record, now_ms)
        assert agreement.differences == []
        units, employees = figures_of_oracle(load_targets(targets), events, now_ms)
        assert (without_zeros(record.units), without_zeros(record.employees)) == (units, employees)
        assert json.loads(loket("record", "figures", "--json").out)["late"] == 0
        loket("dead-letters", "list")


@pytest.mark.parametrize("command", ["worker", "sink"])
def test_what_is_missing_is_named_with_the_command_that_makes_it(
    command: str, kafka: KafkaBroker, database: str, tmp_path: Path
) -> None:
    environment = {
        "LOKET_BOOTSTRAP": kafka.bootstrap,
        "LOKET_TOPIC": "never.made",
        "LOKET_DATABASE": database,
        "LOKET_METRICS_PORT": "0",
    }
    ended = run_loket(command, scratch=tmp_path / "scratch", environment=environment)
    assert ended.status == 1
    assert "loket topics apply" in ended.err if command == "worker" else "loket db upgrade" in ended.err
    assert "Traceback" not in ended.err
