"""Requests and answers on the metrics page: which series there are, what they say, and that the record would agree."""

from __future__ import annotations

from loket.agreement.metrics import figures_of
from loket.catalogue.bounds import of_answers, of_requests
from loket.domain.events import Event
from loket.domain.figures import evaluate
from loket.domain.policy import DAY, HOUR, Policy, Produces, ServicePolicy, Turnaround, UnitPolicy
from loket.domain.summary import flat_service
from loket.domain.tally import ServiceTally
from loket.domain.unit import UnitState, apply
from loket.scrape import Sample, read
from loket.testing.builders import Office
from loket_streams.exporter import Exporter
from support.exported import worker_of

o = Office()
NOON = int(o.at("12:00"))
CARDS = ServicePolicy(produces=Produces.REQUEST, turnarounds=(Turnaround(1, HOUR, 0.9),))
POLICY = UnitPolicy(services={"ktp": CARDS, "queue": ServicePolicy()}, known=True)


def told(*log: Event, unit: str = "u", policy: UnitPolicy = POLICY) -> UnitState:
    """A state that was told these events."""
    state = UnitState(unit, policy)
    for event in log:
        apply(state, event, int(event.time))
    return state


def page(*states: UnitState, now: int = NOON) -> list[Sample]:
    """The samples of the page of units."""
    return list(read(Exporter(worker_of(list(states), now)).render_units().decode()))


def of_service(samples: list[Sample], service: str) -> dict[str, float]:
    """The values of one service's series, by name and what tells them apart beside unit and service."""
    found = {}
    for sample in samples:
        if sample.labels.get("service") == service:
            rest = ",".join(f"{k}={v}" for k, v in sample.labels.items() if k not in ("unit", "service"))
            found[f"{sample.name}{{{rest}}}" if rest else sample.name] = sample.value
    return found


def test_a_service_that_gives_documents_has_its_series_at_0_from_the_start_and_none_of_tickets() -> None:
    found = of_service(page(told()), "ktp")
    assert len(found) == of_requests(target=True) - 1  # nothing is open, so nothing is the oldest
    assert not any(name.startswith(("loket_tickets", "loket_wait", "loket_day")) for name in found)
    assert not any(name.startswith("loket_request") for name in of_service(page(told()), "queue"))
    assert found["loket_requests_breached"] == 0
    assert found["loket_request_target_seconds"] == 3600
    assert found["loket_corrections_total{figure=requests_completed,outcome=refused}"] == 0


def test_what_is_open_what_ended_and_the_clocks_are_told() -> None:
    state = told(
        o.request_submitted("R1", at="08:00"),
        o.request_completed("R1", at="08:30", outcome="handed_over"),
        o.request_submitted("R2", at="08:30"),
        o.request_suspended("R2", at="09:00"),
        o.request_submitted("R3", at="11:30"),
        o.feedback(4, at="11:00", service="ktp"),
    )
    found = of_service(page(state), "ktp")
    assert len(found) == of_requests(target=True) + of_answers()
    assert (found["loket_requests_open"], found["loket_requests_suspended"]) == (2, 1)
    assert found["loket_oldest_request_start_timestamp_seconds"] == int(o.at("08:30")) / 1000
    assert (found["loket_requests_judged"], found["loket_requests_breached"]) == (2, 1)
    assert found["loket_requests_over_target"] == 1
    assert found["loket_requests_completed_total{outcome=handed_over}"] == 1
    assert found["loket_request_citizen_seconds_bucket{le=3600.0}"] == 1
    assert found["loket_request_citizen_seconds_sum"] == 1800
    assert (found["loket_feedback_total{score=4}"], found["loket_feedback_total{score=1}"]) == (1, 0)


def test_a_reopening_is_a_correction_and_no_counter_falls() -> None:
    log = (
        o.request_submitted("R1", at="08:00"),
        o.request_completed("R1", at="08:30", outcome="refused"),
        o.request_reopened("R1", at="09:00"),
    )
    found = of_service(page(told(*log)), "ktp")
    assert found["loket_requests_completed_total{outcome=refused}"] == 1
    assert found["loket_corrections_total{figure=requests_completed,outcome=refused}"] == 1
    assert found["loket_corrections_total{figure=request_citizen_seconds_sum}"] == 1800
    assert found["loket_requests_reopened_early_total"] == 1


def test_a_service_that_nobody_planned_has_them_once_somebody_asks_and_no_target() -> None:
    found = of_service(page(told(o.request_submitted("R1", at="08:00"), policy=UnitPolicy())), "ktp")
    assert found["loket_requests_open"] == 1
    assert "loket_requests_breached" not in found
    assert "loket_requests_over_target" not in found
    assert len(found) == of_requests(target=False) - 1  # nor has it a name


def test_the_page_says_what_the_state_says() -> None:
    state = told(
        o.request_submitted("R1", at="08:00"),
        o.request_completed("R1", at="10:00"),
        o.request_reopened("R1", at="10:30"),
        o.request_submitted("R2", at="08:00"),
        o.request_cancelled("R2", at="11:00"),
        o.feedback(2, at="11:00"),
        o.issued("A1", at="11:00", service="queue"),
    )
    measured = figures_of(page(state))["u"].services
    figures = evaluate(state, NOON)
    for service in ("ktp", "queue", ""):
        tally = state.tallies.get(service, ServiceTally())
        flat = flat_service(tally, figures, service) if service in figures.present else {}
        mine = {name: amount for name, amount in measured.get(service, {}).items() if amount}
        assert mine == {name: amount for name, amount in flat.items() if amount}, service


def test_other_opening_hours_reach_the_open_requests_of_a_running_worker() -> None:
    worker = worker_of([told(o.request_submitted("R1", at="08:00"))], NOON)
    (state,) = next(iter(worker.partitions)).units.values()
    assert evaluate(state, NOON).requests["ktp"].over_target == 1
    worker.partitions.follow(Policy(units={"u": UnitPolicy(services={"ktp": CARDS}, known=True, late_ms=DAY)}))
    assert state.policy.late_ms == DAY
    assert evaluate(state, NOON).requests["ktp"].over_target == 1
