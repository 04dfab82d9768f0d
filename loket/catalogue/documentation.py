"""docs/metrics.md, made from the catalogue: `python -m loket.catalogue > docs/metrics.md`. A test compares the two."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from loket.catalogue import bounds
from loket.catalogue.alerts import ALERTS_METRICS
from loket.catalogue.employees import EMPLOYEE_METRICS
from loket.catalogue.metric import Kind, Metric
from loket.catalogue.pipeline import PIPELINE_METRICS
from loket.catalogue.sink import SINK_METRICS
from loket.catalogue.units import DURATIONS, EVENTS_BROUGHT, UNIT_METRICS

__all__ = ["documentation"]

_INTRODUCTION: Final = """\
# Metrics

<!-- Made by `python -m loket.catalogue > docs/metrics.md`. Change loket/catalogue instead. -->

Names, units and help texts of everything that Loket shows to Prometheus. Durations and instants are in seconds,
instants since 1970.

## How to read them

- **Counters and histograms** hold what events brought. They last as long as the state: a restart, or a partition
  that moves to another worker, continues them. What a later event takes back (a void, a service after a no-show) is
  added to `loket_corrections_total`, with the metric's name without `loket_` and `_total` as `figure` and with the
  metric's own labels, as a counter that falls would be read as a reset. Exact is the difference:

  ```promql
  loket_served_total - ignoring (figure) loket_corrections_total{figure="served"}
  ```

  Of a time, take the `delta` of that; `increase` of the two one by one extrapolates each for itself.

  Of histograms the sums and counts have corrections (`figure="wait_seconds_sum"`), the buckets have none. The exact
  share within target comes from `loket_waits_answered_total{within}`, or from the gauges judged and breached, never
  from buckets.
- **Cumulative gauges** (`loket_waits_judged`, `loket_waits_breached`, `loket_tickets_expired`) are brought by time
  alone and evaluated at the scrape, so a queue that nobody calls shows itself. They may fall a little when an event
  comes late: use `delta`, never `rate`.

  ```promql
  1 - delta(loket_waits_breached[1h]) / delta(loket_waits_judged[1h])
  ```

- **`loket_day_…`** are of the unit's service day, exact, and begin again with the next.
- **No series** means that there is nothing to say: nobody waits (`loket_oldest_wait_start_timestamp_seconds`), no
  target is promised (judged, breached, over target, `within="yes"`). Age is `time()` less a timestamp, and goes on
  growing where a worker is stuck.
- **All series exist at 0 from the start** for the units and services of targets.yaml, so that `increase` sees the
  first breach. Names that come without being configured begin with what brought them. Where a target has been in
  force for some days, `within="none"` begins with the first ticket that was issued under none.
- **`service=""`** (which Prometheus takes as no label) are tickets whose issue never came: they are part of the
  unit, and of none of its services. Sum over services for the unit.
- **Windows** (`loket_window_…`) are of service time, which PromQL cannot compute: the last hour of Monday at 08:30
  has half an hour of Friday. They end at the scrape and begin at a full minute; what was judged while the unit was
  closed is in none. Burn is the share of breached over the share that may be; a rule fires where it is at least
  `loket_burn_factor` in the rule's window, with 10 people judged there, and in its short companion.

  ```promql
  loket_window_breached / (loket_window_judged >= 10)
    / on (unit, service) group_left () (1 - loket_target_ratio)
    >= on (unit, service, window) label_replace(loket_burn_factor, "window", "$1", "rule", "(.*)")
  ```

- **Estimates** of today: `loket_day_wait_km_seconds` counts who still waits or left as having waited at least so long,
  where the median of answered waits forgets them. `loket_estimated_wait_seconds` is for the display at the entrance:
  it has no series while it would be a guess (`loket_estimated_wait_error_ratio`).
- **Two workers** may show the same unit for a moment while a partition moves: aggregate what is of units and
  employees with `max without (instance)` first. Counters of the process (events, rejections, checkpoints,
  rebalances) begin at 0 with each process and are summed.

  ```promql
  sum by (unit) (max without (instance) (loket_tickets_waiting))
  ```

- **Requests** exist for services that give documents (`kind: request`), and for those of which somebody has asked for
  one. Their clocks are histograms of completed requests; a reopening takes one back (`loket_corrections_total`).
  Judged and breached are cumulative gauges. Right the first time (provisional for 30 days) is a share:

  ```promql
  1 - loket_requests_reopened_early_total / (loket_requests_ever_completed_total > 0)
  ```

- **Employees are on a path of their own**, `/metrics/employees`, so that they can be scraped into a Prometheus with
  its own access, or not at all.
- **Employees' time** (staffed, serving, call gap) exists for who ever had a session. Occupancy and throughput are
  shares, and of several employees or days they are sums over sums, never a mean of shares: so they are not exported
  but divided where they are shown. Nobody in session is 0/0, which is no value.

  ```promql
  loket_day_employee_serving_seconds / (loket_day_employee_staffed_seconds > 0)
  3600 * loket_day_employee_services / (loket_day_employee_staffed_seconds > 0)
  loket_day_employee_call_gap_seconds / (loket_day_employee_call_gaps > 0)
  ```

  The second is the services for each staffed hour. The third is at most a little too long: seconds of a gap that
  still runs, or that ended in a pause, are in its sum.
"""


def documentation() -> str:
    """The whole page."""
    return "\n".join(
        (
            _INTRODUCTION,
            _series(),
            _labels(),
            _section("Units and services", "`/metrics` of a worker.", UNIT_METRICS),
            _section("Employees", "`/metrics/employees` of a worker.", EMPLOYEE_METRICS),
            _section("Pipeline", "`/metrics` of a worker.", PIPELINE_METRICS),
            _section("Sink", "`/metrics` of a sink.", SINK_METRICS),
            _section("Alerts", "`/metrics` of the receiver of alerts.", ALERTS_METRICS),
        )
    )


def _series() -> str:
    with_target, without = bounds.of_service(target=True), bounds.of_service(target=False)
    employees = 10 * bounds.of_employee()
    unit = bounds.of_unit_in_all(5, 2, 4)
    return f"""\
## How many series there are

| of | series |
|---|---|
| a unit, beside its services | {bounds.of_unit()} |
| a service with a target in force | {with_target} |
| a service without any | {without} |
| a unit with opening hours | {bounds.of_hours()} more |
| a source (device) of a unit | {bounds.of_source()} |
| a unit that tells of its counters and sessions | {bounds.of_desks()} more |
| a counter (desk) of such a unit | {bounds.of_counter()} |
| an employee, on the page of employees | {bounds.of_employee()} |
| a partition | {bounds.of_partition()} |

A service also has up to {_of_none()} series for `within="none"` beside a target, and up to {bounds.of_estimates()} of
estimates once somebody came on that day. A unit with 5 services, 2 sources and 4 counters has {unit} on the page of
units, and with 10 employees {employees} on the page of employees; 100 such units {(100 * (unit + employees)):,}. Of the
{with_target} series of a service {_corrections()} are corrections, which mostly stay 0 and then cost Prometheus next to
nothing.

The label budgets of targets.yaml bound all of it (`loket_label_budget_used`): names beyond them are tallied as `other`,
and units that targets.yaml does not name, beyond the worker's `unit_budget`, are summed as unit `other`. In service
each partition keeps a state for at most so many of them, those that came first in its log; the others share one, which
holds 20,000 tickets of open days and leaves out their `queue.closed`. SQL keeps the names.
"""


def _corrections() -> int:
    counters = sum(
        metric.exists(value, judges=True, in_force=True) for metric in EVENTS_BROUGHT for _, value in metric.figures()
    )
    return counters + 2 * len(DURATIONS)


def _of_none() -> int:
    return bounds.of_service(target=True, in_force=False) - bounds.of_service(target=True)


def _labels() -> str:
    values: dict[str, list[str]] = {}
    for metric in (*UNIT_METRICS, *EMPLOYEE_METRICS, *PIPELINE_METRICS, *SINK_METRICS, *ALERTS_METRICS):
        for name in metric.labels:
            known = values.setdefault(name, [])
            if metric.values and name == metric.labels[-1]:
                known.extend(value for value in metric.values if value not in known)
    rows = (
        f"| `{name}` | {', '.join(f'`{value}`' for value in known) or _OPEN.get(name, 'as configured or told')} |"
        for name, known in values.items()
    )
    return "\n".join(("## Labels", "", "| label | values |", "|---|---|", *rows, ""))


_OPEN: Final = {
    "unit": "ids of units",
    "quantile": "`0.5`, `0.9`",
    "bound": "`value`, and the bounds of 95 %: `low`, `high`",
    "window": "a burn-rate rule, and with `_short` behind its short companion",
    "rule": "a burn-rate rule: `1h`, `3h`, `1d`, `5d` unless targets.yaml has others",
    "service": "ids of services, `other`, and none for tickets without an issue",
    "employee": "pseudonymous ids, `other`",
    "counter": "ids of counters, `other`",
    "source": "CloudEvents `source` of a device, `other`",
    "figure": "what is corrected, see above",
    "name_id": "the Indonesian name",
    "name_en": "the English name",
    "partition": "numbers of partitions",
    "result": "what became of a record",
    "component": "`worker`, `sink`",
    "version": "of Loket",
    "python": "its version",
}


def _section(title: str, where: str, metrics: Iterable[Metric]) -> str:
    rows = (f"| `{metric.name}` | {_kind(metric)} | {', '.join(metric.labels)} | {metric.help} |" for metric in metrics)
    return "\n".join(
        (f"## {title}", "", where, "", "| metric | kind | labels | meaning |", "|---|---|---|---|", *rows, "")
    )


def _kind(metric: Metric) -> str:
    if metric.kind is not Kind.HISTOGRAM:
        return str(metric.kind)
    return f"histogram, up to {', '.join(str(ms // 1000) for ms in metric.bounds_ms)} s"
