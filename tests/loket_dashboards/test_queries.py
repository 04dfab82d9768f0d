"""Every query of every panel is asked of a real Prometheus that holds a day from the real pipeline."""

import json
from collections.abc import Callable

import pytest

from loket.serving import Server
from loket.testing.builders import Office, unit_policy
from loket_streams.exporter import pages
from loket_streams.tallies import SourceClock
from support.boards import queries, with_variables
from support.day import BUSY, Lived
from support.exported import partition_of, worker_of
from support.prometheus import Prometheus
from support.telling import Told

OF_THE_BROKERS_CLOCK = {"Galat jam", "Penundaan kirim", "Clock error", "Sending delay"}
"""Clocks of devices are compared with the broker's; the embedded broker has none of its own."""

OPEN_ENDED = {("Perkiraan hari ini, menurut layanan", "I"), ("Estimates of today, by service", "I")}
"""The upper bound of the 90 % exists where enough people waited longer: test_figures asks for it."""


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_query_of_every_panel_has_an_answer(day: Lived, language: str) -> None:
    silent = []
    holds = f'topk(1, increase(loket_employee_hold_seconds_count{{unit="{BUSY}"}}[1h]))'
    (holding,) = day.query(holds)  # somebody of whom every figure exists
    for asked in queries(language):
        if asked.title in OF_THE_BROKERS_CLOCK or (asked.title, asked.ref) in OPEN_ENDED:
            continue
        expression = with_variables(asked.expression, unit=BUSY, employee=holding.labels["employee"])
        try:
            if not day.query(expression):
                silent.append(asked.name)
        except ValueError as refusal:
            silent.append(f"{asked.name}: {refusal}")
    assert silent == []


def test_clocks_of_devices_are_shown(start_prometheus: Callable[..., Prometheus]) -> None:
    o = Office()
    office = Told(unit_policy({"s": 300}), o)
    office.tell(o.issued("A1", at="09:00"))
    worker = worker_of([office.state], int(o.at("09:01")))
    clock = SourceClock()
    broker_ms = partition_of(worker).record_ms or 0
    clock.note(broker_ms, broker_ms - 90_000, broker_ms + 2_500)
    worker.tallies.sources["u"] = {'kiosk "7"': clock}
    server = Server("127.0.0.1", 0, pages(worker), setting="LOKET_METRICS_PORT")
    server.start()
    try:
        prometheus = start_prometheus(server.url.removeprefix("http://"))
        answers = {}
        for asked in queries("en"):
            if asked.title in OF_THE_BROKERS_CLOCK:
                (sample,) = prometheus.wait_for(with_variables(asked.expression), 60)
                assert sample.labels["source"] == 'kiosk "7"'
                answers[asked.title] = sample.value
    finally:
        server.stop()
    assert answers == {"Clock error": 2.5, "Sending delay": 92.5}


@pytest.mark.long
def test_no_query_breaks_with_a_thousand_units_or_one(start_prometheus: Callable[..., Prometheus]) -> None:
    offices = [Office(f"u{number}") for number in range(1_000)]
    told = [Told(unit_policy({"s": 300, "t": 600}), o) for o in offices]
    for office, o in zip(told, offices, strict=True):
        office.tell(o.issued("A1", at="09:00"), o.called("A1", at="09:02", employee="e"), o.issued("A2", at="09:01"))
    now = int(offices[0].at("09:05"))
    for states in ([told[7].state], [office.state for office in told]):
        server = Server("127.0.0.1", 0, pages(worker_of(states, now)), setting="LOKET_METRICS_PORT")
        server.start()
        try:
            job = {"job_name": "loket-worker", "scrape_interval": "15s", "scrape_timeout": "14s"}
            job["static_configs"] = [{"targets": [server.url.removeprefix("http://")]}]  # type: ignore[assignment]
            prometheus = start_prometheus(configuration=json.dumps({"scrape_configs": [job]}))
            prometheus.wait_for("loket_unit_known", 120)
            answers = {
                (asked.board, asked.title, asked.ref): prometheus.query(
                    with_variables(asked.expression, unit="u7", employee="e")
                )
                for asked in queries("en")
            }
        finally:
            server.stop()
        assert len(answers["city", "Units", "C"]) == len(states)
        assert [sample.value for sample in answers["unit", "Waiting", "A"]] == [1]
