"""The receiver of alerts: what is told is kept once, whoever takes an alert first has it, nothing is lost."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from loket.cli import build_app
from loket.clock import SystemClock
from loket.serving import MAX_BODY, Server
from loket.wire.instant import format_instant
from loket_consumers.alert_schema import alerts
from loket_consumers.alerts.keeping import AlreadyTaken, keep
from loket_consumers.alerts.site import Site
from loket_consumers.alerts.status import Status
from loket_consumers.alerts.told import read_delivery
from loket_consumers.engines import connect, writing
from loket_consumers.migrating import upgrade
from support.process import free_port
from support.prometheus import check_metrics
from support.recorded import rows_of

NOON = 1_768_453_200_000
MINUTE = 60_000
TOKEN = "a-token-of-the-tests-0123456789"
ANY_DAY = date(2026, 1, 15)
NEVER = "0001-01-01T00:00:00Z"


class HandClock(SystemClock):
    """Stands until it is set."""

    wall = NOON

    def now_ms(self) -> int:
        return self.wall


@dataclass
class Receiver:
    """A receiver that serves, and the clock by which it notes times."""

    engine: Engine
    server: Server
    clock: HandClock

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """One request of its own connection; a body that is no bytes goes as JSON."""
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            connection.request(method, path, sent, {"Content-Type": "application/json"} | headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        is_json = answer.headers["Content-Type"] == "application/json"
        return answer.status, json.loads(content) if is_json else content.decode()

    def tell(self, *told: dict[str, Any]) -> tuple[int, Any]:
        """A delivery of Alertmanager's."""
        return self.ask("POST", "/alerts", {"version": "4", "status": "firing", "alerts": told})

    def take(self, id: str, token: str = TOKEN, **body: Any) -> tuple[int, Any]:
        """An acknowledgement."""
        headers = {"Authorization": f"Bearer {token}"}
        return self.ask("POST", f"/alerts/{id}/acknowledgement", body, **headers)

    def row(self) -> dict[str, Any]:
        """The only row."""
        (row,) = rows_of(self.engine, alerts)
        return dict(row)


def alert(started: int = NOON, ended: int | None = None, **changes: Any) -> dict[str, Any]:
    """One alert as Alertmanager 0.25 writes it."""
    return {
        "status": "firing" if ended is None else "resolved",
        "labels": {"alertname": "LoketOverTarget", "unit": "dukcapil", "service": "ktp-el", "severity": "warning"},
        "annotations": {"summary_id": "4 orang …", "summary_en": "4 people …", "runbook": "#loketovertarget"},
        "startsAt": format_instant(started),
        "endsAt": NEVER if ended is None else format_instant(ended),
        "generatorURL": "http://127.0.0.1:9090/graph",
        "fingerprint": "c0ffee0123456789",
    } | changes


def serving(engine: Engine, token: str | None = TOKEN) -> Receiver:
    """A receiver that serves on a free port."""
    clock = HandClock()
    status = Status(clock)
    site = Site(
        engine,
        clock,
        status,
        lambda unit, instant: ANY_DAY,
        token=token,
        runbook="https://city.example/runbook.md",
    )
    server = Server("127.0.0.1", 0, status.routes(), setting="none", answers=site.answer)
    server.start()
    return Receiver(engine, server, clock)


@pytest.fixture(params=["sqlite", "postgresql"])
def receiver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Receiver]:
    url = f"sqlite:///{tmp_path / 'record.db'}" if request.param == "sqlite" else request.getfixturevalue("database")
    engine = connect(url)
    upgrade(engine)
    made = serving(engine)
    yield made
    made.server.stop()
    engine.dispose()


def test_an_alert_is_told_taken_and_over_and_the_record_has_the_times(receiver: Receiver) -> None:
    assert receiver.tell(alert()) == (200, {"kept": 1})
    (told,) = receiver.ask("GET", "/alerts?unit=dukcapil")[1]
    assert told == {
        "id": f"c0ffee0123456789-{NOON}",
        "name": "LoketOverTarget",
        "unit": "dukcapil",
        "service": "ktp-el",
        "severity": "warning",
        "started": format_instant(NOON),
        "ended": None,
        "summary": {"id": "4 orang …", "en": "4 people …"},
        "runbook_url": "https://city.example/runbook.md#loketovertarget",
        "acknowledged": None,
    }
    assert receiver.ask("GET", "/alerts?unit=other")[1] == []

    receiver.clock.wall = NOON + 2 * MINUTE
    status, taken = receiver.take(told["id"], by="Ani", note="counter 3 opens")
    assert status == 201
    assert taken["acknowledged"] == {"at": format_instant(NOON + 2 * MINUTE), "by": "Ani", "note": "counter 3 opens"}
    receiver.clock.wall = NOON + 9 * MINUTE
    assert receiver.tell(alert(ended=NOON + 8 * MINUTE))[0] == 200
    (told,) = receiver.ask("GET", "/alerts?unit=dukcapil")[1]
    assert told["ended"] == format_instant(NOON + 8 * MINUTE)
    with receiver.engine.connect() as connection:
        (times,) = connection.execute(text("SELECT * FROM alert_times")).mappings()
        (month,) = connection.execute(text("SELECT * FROM alerts_by_month")).mappings()
    assert (times["acknowledged_ms"], times["normal_ms"]) == (2 * MINUTE, 8 * MINUTE)
    assert times["normal_after_acknowledged_ms"] == 6 * MINUTE
    assert dict(month) == {
        "unit": "dukcapil",
        "name": "LoketOverTarget",
        "month": "2026-01",
        "alerts": 1,
        "acknowledged": 1,
        "acknowledged_within_5_min": 1,
        "normal": 1,
        "median_acknowledged_ms": 2 * MINUTE,
        "median_normal_ms": 8 * MINUTE,
    }


def test_months_have_medians_over_those_that_were_taken_and_those_that_ended(receiver: Receiver) -> None:
    for number, (taken, ended) in enumerate([(1, 10), (2, 20), (9, 30), (4, None), (None, 100)]):
        start = NOON + number
        receiver.tell(alert(start, None if ended is None else start + ended * MINUTE))
        if taken is not None:
            receiver.clock.wall = start + taken * MINUTE
            assert receiver.take(f"c0ffee0123456789-{start}", by="Ani", note="")[0] == 201
    with receiver.engine.connect() as connection:
        (month,) = connection.execute(text("SELECT * FROM alerts_by_month")).mappings()
    assert (month["alerts"], month["acknowledged"], month["acknowledged_within_5_min"], month["normal"]) == (5, 4, 3, 4)
    assert (month["median_acknowledged_ms"], month["median_normal_ms"]) == (3 * MINUTE, 25 * MINUTE)


def test_repeats_and_what_comes_late_change_nothing(receiver: Receiver) -> None:
    receiver.tell(alert(), alert())
    receiver.tell(alert())
    receiver.take(f"c0ffee0123456789-{NOON}", by="Ani", note="")
    receiver.tell(alert(ended=NOON + MINUTE), alert(ended=NOON + MINUTE))
    receiver.clock.wall += MINUTE
    receiver.tell(alert())  # hung on its way
    receiver.tell(alert(ended=NOON + 3 * MINUTE))  # another Alertmanager's, which heard of it later
    row = receiver.row()
    assert (row["ended_at"], row["acknowledged_by"]) == (NOON + MINUTE, "Ani")
    assert row["told_at"] == receiver.clock.wall


def test_an_end_that_comes_before_the_beginning_is_kept_with_both(receiver: Receiver) -> None:
    receiver.tell(alert(ended=NOON + MINUTE))
    receiver.tell(alert())
    row = receiver.row()
    assert (row["started_at"], row["ended_at"]) == (NOON, NOON + MINUTE)


def test_an_alert_that_was_taken_for_over_while_prometheus_was_away_fires_again(receiver: Receiver) -> None:
    receiver.tell(alert())
    receiver.tell(alert(ended=NOON + 4 * MINUTE))
    receiver.clock.wall += 6 * MINUTE
    receiver.tell(alert())
    assert receiver.row()["ended_at"] is None
    receiver.tell(alert(ended=NOON + 30 * MINUTE))
    assert receiver.row()["ended_at"] == NOON + 30 * MINUTE


def test_what_alertmanager_has_not_told_for_hours_is_not_said_to_fire(receiver: Receiver) -> None:
    receiver.tell(alert())
    receiver.clock.wall += 5 * 60 * MINUTE
    assert len(receiver.ask("GET", "/alerts")[1]) == 1
    receiver.clock.wall += 2 * 60 * MINUTE
    assert receiver.ask("GET", "/alerts")[1] == []


def test_many_at_once_tell_and_take_and_one_has_it(receiver: Receiver) -> None:
    def one(number: int) -> int:
        receiver.tell(alert(), alert(NOON + 1), alert(fingerprint="ab", labels={"alertname": "X"}))
        return receiver.take(f"c0ffee0123456789-{NOON}", by=f"person {number}", note="")[0]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(16)))
    assert sorted(answers) == [201] + [409] * 15
    assert len(rows_of(receiver.engine, alerts)) == 3


def test_who_may_take_an_alert_and_what_is_answered_otherwise(receiver: Receiver) -> None:
    receiver.tell(alert())
    known = f"c0ffee0123456789-{NOON}"
    assert receiver.take(known, "wrong", by="Ani", note="")[0] == 401
    assert receiver.ask("POST", f"/alerts/{known}/acknowledgement", {"by": "Ani"})[0] == 401
    assert receiver.take("c0ffee0123456789-1", by="Ani", note="")[0] == 404
    assert receiver.take("nonsense", by="Ani", note="")[0] == 404
    assert receiver.take("c0ffee0123456789-" + "9" * 40, by="Ani", note="")[0] == 404
    for wrong in ({}, {"by": " "}, {"by": "x" * 81}, {"by": "Ani", "note": 1}, {"by": "Ani", "more": ""}):
        assert receiver.take(known, **wrong)[0] == 422, wrong
    assert receiver.row()["acknowledged_at"] is None
    assert receiver.take(known, by="Ani\0", note="")[0] == 201
    assert receiver.take(known, by="Ani\0", note="")[0] == 201  # pressed twice
    status, told = receiver.take(known, by="Budi", note="")
    assert (status, told["by"]) == (409, "Ani\ufffd")


def test_without_a_token_nobody_can_take_an_alert_and_is_told_why(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'record.db'}")
    upgrade(engine)
    receiver = serving(engine, None)
    try:
        receiver.tell(alert())
        status, told = receiver.take(f"c0ffee0123456789-{NOON}", "", by="Ani", note="")
        assert status == 403
        assert "LOKET_BOARD_TOKEN" in told["error"]
    finally:
        receiver.server.stop()
        engine.dispose()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"\xff", ""),
        (b"[]", "array"),
        ({"version": "5", "alerts": []}, "version"),
        ({"version": "4"}, "alerts"),
        ({"version": "4", "alerts": [alert(), alert(startsAt="yesterday")]}, "$.alerts[1].startsAt"),
        ({"version": "4", "alerts": [alert(startsAt="9999-01-01T00:00:00Z")]}, "1900 to 2200"),
        ({"version": "4", "alerts": [alert(ended=NOON) | {"endsAt": ""}]}, "$.alerts[0].endsAt"),
        ({"version": "4", "alerts": [alert(fingerprint="'; DROP TABLE alerts")]}, "$.alerts[0].fingerprint"),
        ({"version": "4", "alerts": [alert(status="perhaps")]}, "$.alerts[0].status"),
        ({"version": "4", "alerts": [alert(labels={"unit": 1})]}, "$.alerts[0].labels"),
    ],
)
def test_a_body_that_alertmanager_does_not_send_is_refused_whole(tmp_path: Path, body: Any, said: str) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'record.db'}")
    upgrade(engine)
    receiver = serving(engine)
    try:
        status, told = receiver.ask("POST", "/alerts", body)
        assert status == 400
        assert said in told["error"]
        assert rows_of(engine, alerts) == []
    finally:
        receiver.server.stop()
        engine.dispose()


def test_bodies_have_a_bound_and_a_page_of_somebody_else_cannot_send_one(receiver: Receiver) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", receiver.server.port, timeout=60)
    connection.request("POST", "/alerts", b"", {"Content-Length": str(MAX_BODY + 1)})
    assert connection.getresponse().status == 413
    connection.close()
    body = {"version": "4", "alerts": [alert()]}
    assert receiver.ask("POST", "/alerts", body, **{"Content-Type": "text/plain"})[0] == 415
    assert receiver.ask("POST", "/elsewhere", body)[0] == 404
    assert receiver.ask("POST", "/metrics", body)[0] == 404
    assert receiver.ask("GET", "/alerts/x/acknowledgement")[0] == 404


def test_any_text_is_kept(receiver: Receiver) -> None:
    odd = 'Dinas "Dukcapil" <é> \0 {{ 1 }} \'; --'
    labels = {"alertname": odd, "unit": odd, "x\0": "y"}
    assert receiver.tell(alert(labels=labels, annotations={"summary": odd}))[0] == 200
    (told,) = receiver.ask("GET", "/alerts")[1]
    assert told["unit"] == told["summary"]["id"] == odd.replace("\0", "\ufffd")
    assert told["service"] is None


def test_a_database_that_is_away_makes_alertmanager_tell_again(promtool: Path) -> None:
    engine = connect(f"postgresql+psycopg://loket:secret@127.0.0.1:{free_port()}/record")
    receiver = serving(engine)
    try:
        for answer in (
            receiver.tell(alert()),
            receiver.ask("GET", "/alerts"),
            receiver.take(f"c0ffee0123456789-{NOON}", by="Ani", note=""),
        ):
            assert answer[0] == 503
            assert "start it" in answer[1]["error"]
            assert "secret" not in answer[1]["error"]
        assert receiver.ask("GET", "/-/ready")[0] == 503
        assert receiver.ask("GET", "/-/healthy")[0] == 200
        page = receiver.ask("GET", "/metrics")[1]
    finally:
        receiver.server.stop()
        engine.dispose()
    assert check_metrics(page) == []
    told = {
        (sample.name, sample.labels.get("result")): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }
    assert told["loket_alerts_database_up", None] == 0
    assert told["loket_alerts_deliveries_total", "away"] == 1
    assert told["loket_alerts_acknowledgements_total", "refused"] == 1


def test_the_commands_show_and_take_an_alert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'record.db'}"
    monkeypatch.setenv("LOKET_DATABASE", url)
    engine = connect(url)
    upgrade(engine)
    run = CliRunner().invoke
    assert "no alert fires" in run(build_app(), ["alerts", "list"]).stdout
    now = SystemClock().now_ms()
    keep(engine, read_delivery(json.dumps({"version": "4", "alerts": [alert(now)]}).encode()), now, lambda *_: ANY_DAY)
    engine.dispose()
    shown = run(build_app(), ["alerts", "list", "--unit", "dukcapil"]).stdout
    assert "fires  LoketOverTarget since" in shown
    assert "4 people …" in shown
    (told,) = json.loads(run(build_app(), ["alerts", "list", "--json"]).stdout)
    assert told["id"] in shown
    taken = run(build_app(), ["alerts", "acknowledge", told["id"], "--by", "Ani", "--note", "counter 3"])
    assert taken.stdout == f"Ani takes care of LoketOverTarget ({told['id']})\n"
    other = run(build_app(), ["alerts", "acknowledge", told["id"], "--by", "Budi"])
    assert isinstance(other.exception, AlreadyTaken)
    assert "by Ani: counter 3" in run(build_app(), ["alerts", "list"]).stdout


def test_a_table_that_went_is_no_reason_to_drop_what_is_told(receiver: Receiver) -> None:
    with writing(receiver.engine) as connection:
        connection.execute(text("DROP VIEW alerts_by_month"))
        connection.execute(text("DROP VIEW alert_times"))
        connection.execute(text("ALTER TABLE alerts RENAME TO elsewhere"))
    assert receiver.tell(alert())[0] == 503
    with writing(receiver.engine) as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO alerts"))
    assert receiver.tell(alert())[0] == 200
    assert receiver.ask("GET", "/-/ready")[0] == 200
