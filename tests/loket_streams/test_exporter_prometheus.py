"""promtool and a real Prometheus on the exporter's pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from loket.catalogue import UNIT_METRICS, Kind
from loket.catalogue.desks import DESK_METRICS
from loket.catalogue.units import DURATIONS
from loket.domain.records import load, split_key, take_records
from loket.serving import Server
from loket.testing.builders import Office, unit_policy
from loket_streams.exporter import pages
from loket_streams.tallies import SourceClock
from loket_streams.worker import Worker
from support.exported import StandingClock, partition_of, worker_of
from support.process import wait_until
from support.prometheus import Prometheus, check_metrics
from support.telling import Told

HOSTILE = 'kiosk "7"\\ \n{}#,= \t é 漢 \u2028 𝄞'
"""What a source may be called."""

o = Office()


def busy_worker() -> tuple[Told, Worker]:
    """A worker whose unit has something of everything: targets and none, corrections, leftovers, sources."""
    office = Told(unit_policy({"s": 300, "t": 600}), o)
    office.tell(
        o.issued("A1", at="09:00"),
        o.called("A1", at="09:02", employee="e"),
        o.started("A1", at="09:03", employee="e"),
        o.completed("A1", at="09:06", employee="e"),
        o.issued("A2", at="09:00", service="free"),
        o.called("A2", at="09:10", employee="e"),
        o.no_show("A2", at="09:11", employee="e"),
        o.started("A2", at="09:12", employee="f"),
        o.completed("A2", at="09:13", employee="f"),
        o.issued("A3", at="09:00", service="t"),
        o.abandoned("A3", at="09:20"),
        o.session_started("e", at="08:55", services=("s",)),
        o.session_paused("e", at="09:20"),
        o.counter_opened(at="08:55"),
        o.heartbeat(at="09:15", pending=3, oldest_pending_at="09:14"),
        o.issued("A4", at="09:30"),
        o.completed("A5", at="09:40"),
    )
    worker = worker_of([office.state], int(o.at("09:31")))
    clock = SourceClock()
    broker_ms = partition_of(worker).record_ms or 0
    clock.note(broker_ms, broker_ms - 90_000, broker_ms - 1_500)
    worker.tallies.sources["u"] = {HOSTILE: clock}
    return office, worker


@pytest.fixture
def served() -> Iterator[Callable[[Worker], Server]]:
    """Serve a worker's pages on a free port, as the worker's process does."""
    servers: list[Server] = []

    def serve(worker: Worker) -> Server:
        server = Server("127.0.0.1", 0, pages(worker), setting="LOKET_METRICS_PORT")
        server.start()
        servers.append(server)
        return server

    yield serve
    for server in servers:
        server.stop()


OF_DESKS = {
    f"{metric.name} metric name should not include type 'counter'"
    for metric in DESK_METRICS
    if metric.name.startswith("loket_counter_")
}
"""promtool takes a counter, which is a desk here, for the type of that name."""


@pytest.mark.usefixtures("promtool")
def test_promtool_finds_nothing_to_say_of_any_page() -> None:
    _, worker = busy_worker()
    worker.checkpoints.last_ms = partition_of(worker).checkpoint_ms = 1_000
    for make in pages(worker).values():
        assert [told for told in check_metrics(make().body) if told not in OF_DESKS] == []


@pytest.mark.usefixtures("promtool")
def test_promtool_finds_nothing_to_say_before_anything_came() -> None:
    for make in pages(worker_of([], 0)).values():
        assert check_metrics(make().body) == []


def test_a_real_prometheus_reads_every_label_and_every_query_of_the_document_works(
    served: Callable[[Worker], Server], start_prometheus: Callable[..., Prometheus]
) -> None:
    office, worker = busy_worker()
    server = served(worker)
    address = server.url.removeprefix("http://")
    other = served(worker).url.removeprefix("http://")  # who shows the same units for a moment
    prometheus = start_prometheus(address, f"{address}/metrics/employees", other)
    here = f'instance="{address}"'
    prometheus.wait_for(f'loket_served_total{{unit="u",service="s",{here}}} == 1')
    # `increase` and the like need two samples.
    prometheus.wait_for(f'count_over_time(loket_served_total{{service="s",{here}}}[1m]) >= 2')

    (source,) = prometheus.query(f"loket_source_clock_error_seconds{{{here}}}")
    assert (source.labels["source"], source.value) == (HOSTILE, 1.5)
    assert prometheus.value('sum by (unit) (max without (instance) (loket_tickets_waiting{unit="u"}))') == 1
    assert prometheus.query('loket_employee_served_total{job="loket/metrics"}') == []
    assert prometheus.value('loket_employee_served_total{employee="f",job="loket/metrics/employees"}') == 1
    # The row of tickets without an issue has, for Prometheus, no service.
    assert prometheus.value(f'loket_tickets_incomplete_total{{unit="u",service="",{here}}}') == 1

    clock = worker.clock
    assert isinstance(clock, StandingClock)
    office.tell(
        o.called("A4", at="09:34", employee="e"),
        o.started("A4", at="09:34", employee="e"),
        o.completed("A4", at="09:36", employee="e"),
        o.issued("A6", at="09:31"),
        o.voided("A1", at="09:37"),
    )
    clock.ms = int(o.at("09:36:00.001"))  # 1 ms after the target of A6 has passed
    prometheus.wait_for(f'loket_served_total{{unit="u",service="s",{here}}} == 2')
    of_s = f'unit="u",service="s",{here}'
    # The first breach, of a series that was 0 from the start, is visible.
    assert prometheus.value(f"delta(loket_waits_breached{{{of_s}}}[1m])") > 0
    assert prometheus.value(f"increase(loket_served_total{{{of_s}}}[1m])") > 0
    exact = f'(loket_served_total{{{of_s}}} - ignoring (figure) loket_corrections_total{{{of_s},figure="served"}})'
    assert prometheus.value(exact) == 1  # two served, of which one is voided
    assert prometheus.value(f"delta({exact}[1m:1s])") == pytest.approx(0)
    within = prometheus.query(
        f"loket_waits_answered_total{{{of_s}}} "
        f'- ignoring (figure) loket_corrections_total{{{of_s},figure="waits_answered"}}'
    )
    assert {sample.labels["within"]: sample.value for sample in within} == {"yes": 1, "no": 0}
    # A rate is not extrapolated below 0, which tells with counters as young as these; a delta is.
    mean, exact_mean = (
        f"{of}(loket_wait_seconds_sum{{{of_s}}}[1m]) / {of}(loket_wait_seconds_count{{{of_s}}}[1m])"
        for of in ("rate", "delta")
    )
    assert prometheus.value(mean) == pytest.approx(240, rel=0.3)
    assert prometheus.value(exact_mean) == pytest.approx(240)
    assert 120 < prometheus.value(f"histogram_quantile(0.99, rate(loket_wait_seconds_bucket{{{of_s}}}[1m]))") <= 300
    assert (
        prometheus.value(f"1 - delta(loket_waits_breached{{{of_s}}}[1m]) / delta(loket_waits_judged{{{of_s}}}[1m])") < 1
    )

    # A restart: another process goes on with the state from its records, and nothing starts again.
    records = [(split_key(key)[1], packed or b"") for key, packed in take_records(office.state)]
    ((_, head),) = (record for record in records if record[0] is None)
    restored = load(head, {page: packed for page, packed in records if page is not None}, office.state.policy)
    partition_of(worker).units = {"u": restored}
    scrapes = f"count_over_time(loket_served_total{{{of_s}}}[5m])"
    seen = prometheus.value(scrapes)
    wait_until(lambda: prometheus.value(scrapes) >= seen + 2, 120, "two scrapes more")
    counters = [metric.name for metric in UNIT_METRICS if metric.kind is Kind.COUNTER]
    counters += [f"{metric.name}_{part}" for metric in DURATIONS for part in ("sum", "count", "bucket")]
    # A unit that never had a request or an answer shows no series of them.
    counters = [name for name in counters if not name.startswith(("loket_request", "loket_feedback"))]
    for name in counters:
        assert prometheus.query(f'resets({name}{{unit="u",{here}}}[5m]) > 0') == []
        assert prometheus.query(f'resets({name}{{unit="u",{here}}}[5m])') != []
    assert prometheus.value(f"loket_served_total{{{of_s}}}") == 2


def test_the_pages_of_the_two_paths_do_not_overlap() -> None:
    _, worker = busy_worker()
    of_units, of_employees = (
        {line.split()[2] for line in make().body.decode().splitlines() if line.startswith("# TYPE")}
        for make in pages(worker).values()
    )
    assert not of_units & of_employees
