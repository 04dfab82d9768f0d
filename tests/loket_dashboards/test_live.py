"""The whole on real servers: a queue builds up, the alert arrives, people are called, it resolves.

The committed rules and configurations are used as they are, but for durations, which are shortened, and addresses.
"""

import json
import os
import re
import signal
import sqlite3
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from loket.broker import EventProducer
from loket.clock import SYSTEM_CLOCK
from loket.companions import Run
from loket.companions.ports import free_port
from loket.companions.run import child_environment
from loket.domain import events as facts
from loket.domain.events import Instant
from loket.embedded import EmbeddedBroker
from loket.pipeline import Pipeline, Places
from loket.wire.cloudevents import encode
from support.alerting import Alertmanager, Recorder, write_configuration
from support.boards import GENERATED
from support.process import wait_until
from support.prometheus import Prometheus

DEPLOY = Path(__file__).parents[2] / "deploy"
TARGETS = """
defaults: {zone: Asia/Jakarta}
units:
  dukcapil:
    name: {id: 'Dinas "Dukcapil" <Ciputat> & é', en: 'Registry *of* _Ciputat_ {{ 1 }}'}
    services:
      ktp-el: {name: {id: KTP-el, en: Identity card}, wait: [{valid_from: 2025-01-01, seconds: 2, objective: 0.8}]}
"""
UNIT, SERVICE = "dukcapil", "ktp-el"
PATIENCE_S = 120
TOKEN = "a-token-of-the-tests-0123456789"
OVER = "menunggu lebih dari"


@dataclass
class Hall:
    """A hall that sends its events now, what watches it, and what its staff get."""

    pipeline: Pipeline
    producer: EventProducer
    prometheus: Prometheus
    recorder: Recorder
    numbers: Iterator[int]
    receiver: str
    database: str

    def kept(self) -> list[dict[str, Any]]:
        """What the receiver tells the worker's page of the unit's alerts over target, the newest first."""
        with urllib.request.urlopen(f"{self.receiver}/alerts?unit={UNIT}", timeout=30) as answer:
            return [told for told in json.load(answer) if told["name"] == "LoketOverTarget"]

    def take(self, alert: str) -> int:
        """Somebody takes care of an alert."""
        request = urllib.request.Request(
            f"{self.receiver}/alerts/{alert}/acknowledgement",
            data=json.dumps({"by": "Ani", "note": "loket 3 buka"}).encode(),
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)

    def comes(self) -> str:
        """Somebody takes a number."""
        subject = f"A{next(self.numbers)}"
        self._tell(facts.TicketIssued, facts.IssuedData(unit=UNIT, service=SERVICE), subject)
        return subject

    def is_called(self, subject: str) -> None:
        """A number is called."""
        self._tell(facts.TicketCalled, facts.AtCounterData(unit=UNIT, counter="1", employee="e"), subject)

    def _tell(self, kind: Callable[..., Any], data: Any, subject: str) -> None:
        now = Instant(SYSTEM_CLOCK.now_ms())
        encoded = encode(
            kind(source="kiosk", id=f"{next(self.numbers)}", time=now, sent=now, data=data, subject=subject)
        )
        self.producer.send(encoded.key, encoded.value, encoded.headers)
        self.producer.flush()


def _shortened(rules: str) -> str:
    """Minutes are seconds in how long a condition lasts; an alert is kept for 15 s where it is kept at all."""
    rules = re.sub(r"^(\s+for: \d+)m$", r"\1s", rules, flags=re.MULTILINE)
    rules = re.sub(r"^(\s+keep_firing_for: )\d+m$", r"\g<1>15s", rules, flags=re.MULTILINE)
    return rules.replace("interval: 15s", "interval: 1s")


def _prometheus_yml(rules: Path, worker: int, sink: int, alertmanager: int) -> str:
    """The one of deploy/, with the ports of this test."""
    content = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    content["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    content["rule_files"] = [str(rules)]
    content["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{alertmanager}"]
    ports = {"loket-worker": worker, "loket-employees": worker, "loket-sink": sink, "alertmanager": alertmanager}
    content["scrape_configs"] = [job for job in content["scrape_configs"] if job["job_name"] in ports]
    for job in content["scrape_configs"]:
        job["static_configs"] = [{"targets": [f"127.0.0.1:{ports[job['job_name']]}"]}]
    return yaml.safe_dump(content)


@pytest.fixture(scope="module")
def hall(
    embedded: EmbeddedBroker,
    prometheus_program: Path,
    alertmanager_program: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Hall]:
    """The hall, with nobody in it."""
    folder = tmp_path_factory.mktemp("hall")
    targets, rules = folder / "targets.yaml", folder / "rules.yml"
    targets.write_text(TARGETS, encoding="utf-8")
    alerts = (GENERATED / "prometheus" / "loket-alerts.yml").read_text(encoding="utf-8")
    rules.write_text(_shortened(alerts), encoding="utf-8")
    name = Places.unique("hall")
    places = Places(
        connection=embedded.connection,
        topic=f"{name}.events",
        app_id=f"{name}-worker",
        group_id=f"{name}-sink",
        database=f"sqlite:///{folder / 'record.db'}",
        worker_port=free_port(18_201),
        sink_port=free_port(18_202),
        clock="service",
        targets=targets,
        embedded=True,
    )
    with Run("hall") as run, Recorder() as recorder:
        port = free_port(18_203)
        receiver = f"http://127.0.0.1:{port}"
        write_configuration(folder, recorder, receiver)
        alertmanager = Alertmanager(folder)
        configuration = _prometheus_yml(rules, places.worker_port, places.sink_port, alertmanager.port)
        prometheus = Prometheus(folder, configuration=configuration)
        pipeline = Pipeline(run, places, SYSTEM_CLOCK, partitions=1)
        try:
            pipeline.start()
            told = {"LOKET_ALERTS_LISTEN_PORT": str(port), "LOKET_BOARD_TOKEN": TOKEN}
            run.start("alerts", ["alerts", "receive"], child_environment(places.environment() | told))
            alertmanager.start()
            pipeline.wait_until_ready()
            prometheus.start()
            with EventProducer(places.connection, places.topic) as producer:
                yield Hall(pipeline, producer, prometheus, recorder, count(1), receiver, str(folder / "record.db"))
        finally:
            prometheus.kill()
            alertmanager.kill()


def _until(true: Callable[[], bool], what: str) -> None:
    wait_until(true, PATIENCE_S, what, every_s=0.1)


def test_a_queue_builds_up_the_alert_arrives_people_are_called_it_resolves(hall: Hall) -> None:
    recorder = hall.recorder
    people = [hall.comes() for _ in range(4)]
    _until(lambda: bool(recorder.told("LoketOverTarget")), "the alert")
    (first, *_) = recorder.told("LoketOverTarget")
    assert first["labels"]["unit"] == UNIT
    said = first["annotations"]["summary_id"]
    assert re.fullmatch(
        r'4 orang di Dinas "Dukcapil" <Ciputat> & é \(KTP-el\) sudah menunggu lebih dari 0 menit, terlama \d menit; '
        r"\? loket buka",
        said,
    )
    assert first["annotations"]["dashboard_en"] == "/d/loket-unit-en?var-unit=dukcapil"
    # The unit's own people are told, in Indonesian, and the mail has English below.
    assert {group["receiver"] for group in recorder.webhook if group["commonLabels"].get("unit")} == {
        "loket-unit-dukcapil"
    }
    _until(lambda: any(OVER in text for text in recorder.telegram), "Telegram")
    told = {text.splitlines()[0] for text in recorder.telegram if OVER in text}
    assert told & {f"▲ PERINGATAN: {one['annotations']['summary_id']}" for one in recorder.told("LoketOverTarget")}
    _until(lambda: any(OVER in mail["Subject"] for mail in recorder.mail), "mail")
    mail = next(mail for mail in recorder.mail if OVER in mail["Subject"])
    body = mail.get_body().get_content()
    assert mail["To"] == "dukcapil@example.invalid"
    assert "people at Registry *of* _Ciputat_ {{ 1 }} (Identity card) have waited" in body
    assert "runbook.md#loketovertarget" in body

    _until(lambda: bool(hall.kept()), "the alert in the record")
    (kept,) = hall.kept()
    assert (kept["ended"], kept["acknowledged"], kept["service"]) == (None, None, SERVICE)
    assert said.split(",")[0] in kept["summary"]["id"]
    assert hall.take(kept["id"]) == 201

    for subject in people:
        hall.is_called(subject)
    _until(lambda: bool(recorder.told("LoketOverTarget", "resolved")), "the alert to resolve")
    _until(lambda: any("SELESAI" in text for text in recorder.telegram), "Telegram to say so")
    _until(lambda: hall.kept()[0]["ended"] is not None, "the end in the record")
    with closing(sqlite3.connect(hall.database)) as connection:
        query = (
            "SELECT acknowledged_by, note, acknowledged_ms, normal_ms FROM alert_times WHERE name = 'LoketOverTarget'"
        )
        ((by, note, acknowledged_ms, normal_ms),) = connection.execute(query)
    assert (by, note) == ("Ani", "loket 3 buka")
    assert 0 < acknowledged_ms < normal_ms


def test_the_worker_is_killed_while_an_alert_fires_and_no_resolved_goes_out(hall: Hall) -> None:
    recorder = hall.recorder
    before = len(recorder.told("LoketOverTarget"))
    for _ in range(4):
        hall.comes()
    _until(lambda: len(recorder.told("LoketOverTarget")) > before, "the alert")
    resolved = len(recorder.told("LoketOverTarget", "resolved"))
    os.kill(hall.pipeline._running[0].id, signal.SIGKILL)
    _until(lambda: bool(recorder.told("LoketPipelineAway")), "the pipeline's alert")
    assert len(recorder.told("LoketOverTarget", "resolved")) == resolved
    # Kept for 15 s, then over for Prometheus; held back all the while that nothing is known of any unit.
    over = 'ALERTS{alertname="LoketOverTarget",alertstate="firing"}'
    _until(lambda: not hall.prometheus.query(over), "Prometheus to give it up")
    time.sleep(5)  # an alert that is held back sends nothing: there is nothing to wait for
    assert len(recorder.told("LoketOverTarget", "resolved")) == resolved
    assert hall.kept()[0]["ended"] is None  # and so the record has no end that nobody saw
